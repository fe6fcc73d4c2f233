"""Shipped problems, each a complete project folder with its incumbent, its bound and its data.

Promises: a case uses the public API only, like any user's folder. Leaves to others: everything general.
"""
