"""Reads the cells that hold features of ratings."""

import numpy as np
import pyarrow as pa

from components.example_gen.read.features import feature
from components.example_gen.read.values import numbers
from schemas.source_parts import EventCategory, EventNumber


def values(cells: pa.StringArray, part: EventCategory | EventNumber, name: str) -> pa.Array:
    """What the cells (string) say: string, '' where unknown; of numbers float32, NaN.

    A cell that cannot be read is unknown. What is not a plain number is looked at once for each
    different text, of which ratings have few.
    """
    if isinstance(part, EventNumber) and not part.pattern:
        return numbers(cells).cast(pa.float32(), safe=False).fill_null(np.nan)
    encoded = cells.dictionary_encode()
    texts: list[str] = encoded.dictionary.to_pylist()  # type: ignore[assignment]
    told = [feature(part, name, {name: text}, {}) for text in texts]
    if isinstance(part, EventNumber):
        found: pa.Array = pa.array([np.nan if own is None else own for own in told], pa.float32())
    else:
        found = pa.array(told, pa.string())
    return found.take(encoded.indices)
