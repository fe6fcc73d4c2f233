"""Deterministic simulation: clients, replicas, a controller and a faulty log on one virtual clock, from one seed.

In the manner of FoundationDB and TigerBeetle: no threads, no real time, all chance from the seed; the product's own
code runs, and what must hold is checked after every step by oracles that share no code with it.
"""
