"""The embedded default: MovieLens ml-latest-small, its licence beside it in README.txt."""

from pathlib import Path

EMBEDDED = Path(__file__).resolve().parent / "ml-latest-small"
