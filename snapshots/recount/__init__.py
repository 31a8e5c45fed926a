"""The independent evaluation: every case counted from the log, sharing no code with the fold."""
