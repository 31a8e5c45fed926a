"""A scorecard's figures: evaluated from the tables, rated, and with their direction."""
