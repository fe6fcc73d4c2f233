"""A machine that may be about to fail: wait, inspect it, or raise the alarm, hour by hour."""
