"""What is seen of the service from outside: logs with request ids, metrics for Prometheus."""
