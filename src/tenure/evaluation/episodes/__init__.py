"""The value of a policy per episode: `report.evaluate_episodes`; formulas in `trajectories`, fitted Q in `fqe`."""
