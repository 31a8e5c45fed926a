"""The tests of Caseline, by what they need and what they show."""
