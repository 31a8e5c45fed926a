"""Making a release: when one is due, freezing the live figures, and putting all together."""
