"""Tests of the case recommender."""
