"""Releases as they are kept: canonical bytes, their chain, the folder and the topic."""
