"""Compiles the pipeline, by the name that TFX's templates give it: `greenlight vertex compile`."""

import sys

from pipeline.cli import main

if __name__ == "__main__":
    sys.argv[1:1] = ["vertex", "compile"]
    main()
