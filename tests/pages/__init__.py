"""Tests of the published pages in a real browser."""
