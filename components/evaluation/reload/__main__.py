"""Does the job that a JSON file describes.

JOB has the fields of `Job`; the answers go to `Job.texts` and `Job.arrays`, written aside and
renamed.
"""

import json
import sys
from pathlib import Path

from schemas.imports import kept

with kept("tensorflow"):
    import numpy as np
    import tensorflow as tf

    from components.evaluation.reload.answers import answers
    from components.evaluation.reload.job import Job


def main(path: str) -> None:
    """Does the job described in a JSON file; its fault, if any, is the last line on stderr."""
    job = Job(**json.loads(Path(path).read_text(encoding="utf-8")))
    try:
        arrays, texts = answers(job)
    except (ValueError, OSError, tf.errors.OpError) as error:
        print(str(error).splitlines()[0], file=sys.stderr)
        sys.exit(1)
    Path(job.texts).write_text(json.dumps(texts), encoding="utf-8")
    aside = Path(f"{job.arrays}.part.npz")
    np.savez(aside, **arrays)
    aside.rename(job.arrays)


if __name__ == "__main__":
    main(sys.argv[1])
