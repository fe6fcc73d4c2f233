"""Moving a two-joint robot arm to a target: a pair of torques, fifty times a second, simulated by MuJoCo."""
