"""Delivering to the door: which van goes where next, waits or returns, through traffic, weather and time windows."""
