"""Comparisons run by hand; each prints a table and, with --json, the same figures as one object."""
