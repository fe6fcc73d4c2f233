"""Stages, gates and guardrails, held against a toy world and against the real bikes simulator."""
