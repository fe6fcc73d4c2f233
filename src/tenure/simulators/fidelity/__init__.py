"""Fidelity: is a simulator like the world that a log is of, where it matters for the policies it trains?

Promises: pure functions on `core.trajectories`, of the log and of runs alike; chance only from seeds given; every
distance is judged against what the log's own halves differ by; a log too small to see a defect never passes; a figure
of a simulator carries the simulator's version. What decides stands in `limits`.
Leaves to others: reading the log (store), what the command prints (cli), how a simulator is made worse on purpose
(disturbances). `validation.validate` puts the parts together.
"""
