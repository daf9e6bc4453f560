"""The node that reads a source's files and writes Examples of ratings, and of the catalogue."""
