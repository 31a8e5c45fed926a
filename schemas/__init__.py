"""What flows through Caseline: events, the indicator catalogue, areas, scorecards, settings."""
