"""What benchmarks of speed stand on: their world is the one they name. Their timings are no tests."""
