"""Picking orders in a warehouse: a robot's next move among shelves and other robots, until the truck leaves."""
