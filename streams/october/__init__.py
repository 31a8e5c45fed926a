"""The October 2015 events that ship with Caseline, and the published scorecard they reproduce."""
