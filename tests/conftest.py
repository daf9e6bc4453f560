"""What every test needs before TensorFlow is imported anywhere."""

import os

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"

from hypothesis import settings

settings.register_profile("greenlight", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("greenlight")
