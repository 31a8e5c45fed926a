"""Work beside the workers: rebuilding, replaying, making releases, and finding what is wrong."""
