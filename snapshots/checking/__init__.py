"""Releases held against the log: evidence, differences and their causes, verification."""
