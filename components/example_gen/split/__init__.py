"""Splitting: the rows of whole users go in; the split of each, and what Examples hold, come out."""
