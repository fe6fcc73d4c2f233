"""Tiny worlds with rewards that can be gamed and their repaired twins: what keeps the auditor honest.

Each world is a module of its own with one function `build(rng) -> World`; its numbers and sizes come from `rng`, and
`family.draw` shuffles and renames features, actions and signals on top. `python -m tests.design.reward.hackable` prints
the confusion table.
"""
