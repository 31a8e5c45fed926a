"""Alerts on cases: when they are due, what is true of a day, and what of it is news."""
