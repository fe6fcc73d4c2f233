"""A desk that buys large orders in small pieces: how much to buy in the next ten minutes."""
