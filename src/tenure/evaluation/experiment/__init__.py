"""Is the experiment itself sound, and can it see more? Health findings, A/A runs, interference, covariates."""
