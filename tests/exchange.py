"""A model that one stack exported is answered alike by the other: for `make test-newest`.

`python -m tests.exchange FOLDER` leaves there a model of this stack and what this stack answers,
then asks every model that it finds there. It ends with status 1 if an answer differs.
"""

import json
import math
import sys
from pathlib import Path
from typing import Any

import components  # noqa: F401  # how TensorFlow is to start
from benchmarks.synthetic_model import export_random
from schemas.stack import installed
from serving.answers import Answers
from serving.requests import RateRequest, RecommendRequest
from serving.versions import choose

MOVIES, USERS = 60, 6
LIKED = [{"movie": "toy story"}, {"movie": "heat", "rating": 4}]
CLOSE = 1e-4  # scores and ratings, whose kernels differ between releases of TensorFlow


def main(folder: Path) -> None:
    """Writes what is not there yet, and compares.

    Raises:
      SystemExit: an answer differs.
    """
    own = folder / installed().name
    if not (own / "answers.json").exists():
        export_random(own / "1", MOVIES, USERS)
        told = json.dumps(everything(choose(own)))
        (own / "answers.json").write_text(told, encoding="utf-8")
    for other in sorted(folder.iterdir()):
        told = json.loads((other / "answers.json").read_text(encoding="utf-8"))
        found = json.loads(json.dumps(everything(choose(other))))
        if different := [name for name in told if not alike(told[name], found[name])]:
            sys.exit(f"{installed().name} answers the model of {other.name} otherwise: {different}")
        print(f"{installed().name} answers {len(told)} requests as {other.name} does.")


def everything(answers: Answers) -> dict[str, Any]:
    """What a model says of each user and of somebody new, by the name of the request."""
    people: list[dict[str, Any]] = [{"user": str(user)} for user in range(1, USERS + 1)]
    told: dict[str, Any] = {}
    for person in [*people, {"history": LIKED}]:
        name = person.get("user", "somebody new")
        told[f"recommend to {name}"] = answers.recommend(RecommendRequest(**person))
        told[f"rate for {name}"] = answers.rate(RateRequest(movies=["jumanji", "casino"], **person))
    told["similar"] = answers.similar("heat", 10)
    return told


def alike(told: Any, found: Any) -> bool:
    """Whether two answers are the same, numbers up to `CLOSE`."""
    if isinstance(told, float) and isinstance(found, float):
        return math.isclose(told, found, abs_tol=CLOSE)
    if isinstance(told, dict) and isinstance(found, dict):
        return told.keys() == found.keys() and all(alike(told[key], found[key]) for key in told)
    if isinstance(told, list) and isinstance(found, list):
        return len(told) == len(found) and all(map(alike, told, found))
    return bool(told == found)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
