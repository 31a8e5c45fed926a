"""What events mean: pure functions over schemas, with no input or output and no clock."""
