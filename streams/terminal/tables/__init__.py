"""Scorecards, releases and alerts as people and programs read them: tables, JSON and CSV."""
