"""Splitting: which split each rating belongs to, and what its Example holds."""
