"""A small working world that `tenure init` copies: how many counters should be open?"""
