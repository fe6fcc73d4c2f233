"""Tests of the shipped cases."""
