"""Workers: the live fold of batches of events into each partition's state."""
