"""The measurements, each one command."""

import components  # noqa: F401 (it says which Keras TensorFlow takes, and how loud it is)
