"""A reference page for every indicator, each with a worked example that can be run."""
