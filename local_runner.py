"""Runs the pipeline here, by the name that TFX's templates give it: `greenlight run`."""

import sys

from pipeline.cli import main

if __name__ == "__main__":
    sys.argv[1:1] = ["run"]
    main()
