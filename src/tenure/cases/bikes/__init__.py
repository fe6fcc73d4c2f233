"""Rebalancing hire bikes: how many to truck in or out of a district, hour by hour, on a real year of demand."""
