"""Stage 1: from a project, a log or a few answers to one of five recommendations, with reasons."""
