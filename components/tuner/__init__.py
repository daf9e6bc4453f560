"""The search for better settings: what is searched, how, and the Tuner node."""
