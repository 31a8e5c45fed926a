"""June 2017 as Kent published it of commissioned services, and a synthetic history that gives it."""
