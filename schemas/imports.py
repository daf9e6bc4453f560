"""Imports of what stays in memory for good."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def kept(package: str) -> Iterator[None]:
    """Imports a package that is never garbage: it is not looked through for any, now or later.

    TensorFlow, TFX and Beam are a million objects. Where the package is there already, what has
    come since may be garbage, and nothing changes.
    """
    if package in sys.modules or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.freeze()
