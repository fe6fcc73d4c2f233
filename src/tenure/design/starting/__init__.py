"""How a project begins: a folder of its own from a log, from a shipped case, or from a small working world.

Promises: what was guessed is said with its reason; a folder that is written loads, and passes its own tests; nothing is
ever overwritten; no header of a table becomes code.
Leaves to others: reading tables (`store.tables`), what the reward is worth (`design.reward`).
"""
