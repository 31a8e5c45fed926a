"""What holds of any set of events: laws that Hypothesis searches, and a year day by day."""
