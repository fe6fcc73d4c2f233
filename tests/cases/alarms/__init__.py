"""Tests of the case 'alarms'."""
