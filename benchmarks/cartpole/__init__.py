"""CartPole as a batch-native world, to measure training on beside other libraries."""
