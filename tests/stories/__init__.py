"""The stories of stages 1, 2, 3 and 6, told by public commands on shipped cases; `TENURE_STORIES=long` tells all."""
