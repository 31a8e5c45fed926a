"""Worked examples that make data for Caseline."""
