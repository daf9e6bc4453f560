"""What happens inside the pipeline's nodes."""

import os

# TensorFlow Recommenders needs Keras 2; the choice is read once, at TensorFlow's first import.
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
