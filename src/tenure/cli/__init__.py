"""One command per verb; heavy imports happen inside the command.

Promises: prints for people, or with `--json` exactly one JSON object; exit codes 0 done, 2 bad input, 3 inconclusive,
4 fail, 5 could not be measured. Leaves to others: everything a command does.
"""
