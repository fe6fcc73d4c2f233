"""A machine in a plant: how fast to run it and when to stop it for maintenance, hour by hour."""
