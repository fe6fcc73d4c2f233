"""Logs from anywhere: files and tables of others as `tenure.core.logged` sources, into the log and out of it again.

Promises: constant memory whatever the size; a row that cannot be read is listed with line and reason, never dropped
silently; what can be read but is illegal evidence is kept for the estimators to refuse; times are UTC; a unit has the
same hash everywhere; what was guessed is said.
Leaves to others: what a log is worth as evidence (evaluation). Imports pandas and pyarrow: the room above does not
import this package, so that a decision server starts without them.
"""
