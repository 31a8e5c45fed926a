"""What events say of a case: its life cut where its state changes."""
