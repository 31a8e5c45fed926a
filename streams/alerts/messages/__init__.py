"""What each receiver is to be told: which changes, in which messages, in which words."""
