"""Describes files that nobody has described: which column is what, and why it seems so."""
