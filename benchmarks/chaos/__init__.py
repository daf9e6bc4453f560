"""Attacks on runs and servers; see `__main__`."""
