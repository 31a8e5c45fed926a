"""The June 2017 events that ship with Caseline, and the published scorecard they reproduce."""
