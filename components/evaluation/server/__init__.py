"""Asks the real server, started on an export, for names that the data hold.

Loading a graph does not show that it can be served: what turns names into text and paths, and back,
stands between the two. A process of its own is asked over HTTP, and its answers are held against
the graph's.
"""
