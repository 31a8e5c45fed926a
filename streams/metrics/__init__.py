"""What Prometheus is told of workers, of jobs, and of a deployment as a whole."""
