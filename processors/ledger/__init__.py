"""Dated entries that facts give to each measure, and the tables that sum them."""
