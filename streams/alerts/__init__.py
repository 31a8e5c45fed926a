"""Telling of alerts: from the changes that workers record to those who answer for them."""
