"""What is frozen: month-end releases, their reconciliation with the log, and their chain."""
