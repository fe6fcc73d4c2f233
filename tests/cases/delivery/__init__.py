"""The case delivery: vans, windows and traffic by hand."""
