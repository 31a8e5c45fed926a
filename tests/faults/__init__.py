"""Tests of what survives kills, restarts and a network that breaks."""
