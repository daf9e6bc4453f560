"""Which version of the model is served, and how a new one takes its place."""

import gc
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import UserError
from serving.answers import Answers
from serving.model import Model, NoModel, complete_versions
from serving.requests import ExplainRequest, GroupRequest, Member, RecommendRequest

log = logging.getLogger("greenlight.serving")
Files = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class Refused:
    """A version that would not load: why, and which files it had then."""

    files: Files
    reason: str


class Versions:
    """Serves the newest version in a folder that loads and answers.

    A version is looked at once its `saved_model.pb` is there, which the Pusher writes last. One
    that fails is refused until its files change. Calls that began on an old version end on it.
    """

    def __init__(self, folder: Path, on_change: Callable[["Versions"], None] | None = None) -> None:
        self.folder, self.refused = folder, dict[str, Refused]()
        self._current: Answers | None = None
        self._on_change = on_change or (lambda _: None)

    @property
    def current(self) -> Answers:
        """The version in service.

        Raises:
          NoModel: there is none yet.
        """
        if self._current is None:
            raise NoModel(self.folder)
        return self._current

    @property
    def version(self) -> str | None:
        """The number of the version in service, or none."""
        return self._current.model.version if self._current else None

    def refresh(self) -> None:
        """Looks for a newer version and puts it into service if it works."""
        for path in reversed(complete_versions(self.folder)):
            if self.version is not None and int(path.name) <= int(self.version):
                return
            if self._try(path):
                return

    def _try(self, path: Path) -> bool:
        files = _files(path)
        known = self.refused.get(path.name)
        if known and known.files == files:
            return False
        try:
            answers = Answers(Model(path))
            warm_up(answers)
        except Exception as error:  # noqa: BLE001 (whatever is wrong with it, the old one goes on)
            reason = " ".join(str(error).split())[:300] or type(error).__name__
            self.refused[path.name] = Refused(files, reason)
            log.error("version %s is refused: %s", path.name, reason)
        else:
            self._current = answers
            self.refused.pop(path.name, None)
            # A loaded model refers to itself: left to chance, several would be in memory at once.
            gc.collect()
            log.info("version %s is in service", path.name)
        self._on_change(self)
        return path.name == self.version


def warm_up(answers: Answers) -> None:
    """Asks everything once, so that no user waits for a first call and a fault shows here.

    Raises:
      UserError: an answer is not as it must be.
    """
    movie = answers.model.catalogue.ids[0]
    user = answers.model.users[0] if answers.model.users else "nobody"
    mix = 0.0 if answers.model.scale is None else 0.5
    found = answers.recommend(RecommendRequest(user=user, mix=mix))
    answers.recommend(RecommendRequest())
    answers.group(GroupRequest(people=[Member(user=user), Member()]))
    answers.explain(ExplainRequest(user=user, movie=movie))
    answers.similar(movie, 10)
    answers.history(user)
    if not found["movies"]:
        raise UserError("it recommends nothing")


def _files(path: Path) -> Files:
    found = (file for file in path.rglob("*") if file.is_file())
    stats = ((str(file.relative_to(path)), file.stat()) for file in found)
    return tuple(sorted((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats))
