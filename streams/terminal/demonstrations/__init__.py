"""The published scorecards that the demonstration can show, and what it says beside each."""
