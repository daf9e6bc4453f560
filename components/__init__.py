"""What happens inside the pipeline's nodes."""

import os
from typing import Any

# TensorFlow Recommenders needs Keras 2; the choice is read once, at TensorFlow's first import.
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


def __getattr__(name: str) -> Any:
    """Finds an artifact type of the project's own by the name that Kubeflow imports it by.

    That name is the type's, and may have but one dot: the module, then the class.
    """
    if name == "Report":
        from components.report.component import Report

        return Report
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
