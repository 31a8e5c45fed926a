"""Tests of one part at a time: fast, with no services."""
