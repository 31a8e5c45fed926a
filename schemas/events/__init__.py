"""The events Caseline accepts, by topic, and the one table that says all about each type."""
