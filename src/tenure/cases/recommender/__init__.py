"""Which of 34 items to recommend in each of 3 positions, on a real week of clicks logged by two policies."""
