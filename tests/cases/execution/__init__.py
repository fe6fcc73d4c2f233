"""Tests of the case 'execution'."""
