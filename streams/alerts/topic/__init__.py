"""The `alerts` topic: published from the outboxes in Redis, and read again."""
