"""Confidence sequences: intervals that may be looked at after every observation."""
