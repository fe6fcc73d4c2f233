"""Tests of the case 'bikes'."""
