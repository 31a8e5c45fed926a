"""The commands of `caseline`, a module for each kind of work."""
