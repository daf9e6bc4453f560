"""Fitting the model: input pipeline, training loop and the Trainer node."""
