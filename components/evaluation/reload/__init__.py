"""Asks an exported model, in a process of its own, all that its signatures can answer.

`python -m components.evaluation.reload JOB`: nothing of the training process is there, and nothing
of the project's model code is imported.
"""
