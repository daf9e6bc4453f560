"""Models and parts that are tried beside Greenlight's own; the rest of the code never imports them.

Only `components.trainer.models`, where a configuration becomes a model, builds them.
"""
