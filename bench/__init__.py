"""Benchmarks: each measures the shipped code beside something a reader knows, in one run."""
