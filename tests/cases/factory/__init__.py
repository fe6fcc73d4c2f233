"""Tests of the case 'factory'."""
