"""A pumping station that may be about to lose a pump: wait, inspect, or raise the alarm, hour by hour."""
