"""Simple recommenders beside which a report shows the model: learned from what it learned from."""
