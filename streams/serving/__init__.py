"""The live scorecard over HTTP: pages that people read and an API that programs read."""
