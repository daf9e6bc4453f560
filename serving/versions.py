"""Which version of the model is served, and how another one takes its place."""

import gc
import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG

from schemas.errors import UserError
from schemas.text import printable
from serving.answers import Answers
from serving.budget import Budget
from serving.folder import in_order, why_none
from serving.model import Model
from serving.posters import NONE, Posters
from serving.requests import ExplainRequest, GroupRequest, Member, RecommendRequest

log = logging.getLogger("greenlight.serving")
Files = tuple[tuple[str, int, int], ...]


class NoModel(UserError):  # noqa: N818 (it is a state)
    """There is no version in service, or not yet."""


@dataclass(frozen=True)
class Refused:
    """A version that would not load or answer: why, and which files it had then."""

    files: Files
    reason: str


def warm_up(answers: Answers) -> None:
    """Asks everything once, so that no user waits for a first call and a fault shows here.

    Raises:
      UserError: an answer is not as it must be.
    """
    movie = answers.model.catalogue.ids[0]
    user = answers.model.users[0] if answers.model.users else "nobody"
    mix = 0.0 if answers.model.scale is None else 0.5
    answers.recommend(RecommendRequest(user=user, mix=mix))
    check_list(answers)
    answers.group(GroupRequest(people=[Member(user=user), Member()]))
    answers.explain(ExplainRequest(user=user, movie=movie))
    answers.similar(movie, 10)
    answers.history(user)


def check_list(answers: Answers) -> None:
    """Asks for a newcomer's list: what a command that asks once can wait for.

    Raises:
      UserError: it recommends nothing.
    """
    if not answers.recommend(RecommendRequest())["movies"]:
        raise UserError("it recommends nothing")


class Versions:
    """Serves the first version of `folder.in_order` that loads and answers.

    A version is looked at once its `saved_model.pb` is there, which the Pusher writes last. One
    that fails is refused until its files change. Calls that began on a version end on it. Where
    nothing works any more, what is in service goes on.

    refused: those that were passed over to get to the version in service, by name.
    """

    def __init__(
        self,
        folder: Path,
        only: int | None = None,
        on_change: Callable[["Versions"], None] = lambda _: None,
        warn: Callable[[str], None] = log.error,
        budget: Budget | None = None,
        open_histories: bool = True,
        check: Callable[[Answers], None] = warm_up,
        posters: Posters = NONE,
    ) -> None:
        """Serves nothing yet: see `refresh`.

        Args:
          folder: of versions.
          only: the one version to serve; default: the first that works, and newer ones.
          on_change: called after each look at the folder.
          warn: told what is refused, in a sentence without its full stop.
          budget: of the calls of a version in service; default: they may hold anything.
          open_histories: whether a version in service tells who its users are and their histories.
          check: asks a version before it is in service; raises what is wrong with it.
          posters: what it shows of them.
        """
        self.folder, self.only = folder, only
        self.refused = dict[str, Refused]()
        self._current: Answers | None = None
        self._files: Files = ()
        self._works = False
        self._on_change, self._warn, self._budget = on_change, warn, budget
        self._open_histories = open_histories
        self._check, self.posters = check, posters

    @property
    def current(self) -> Answers:
        """The version in service.

        Raises:
          NoModel: there is none yet.
        """
        if self._current is None:
            raise NoModel("There is no model yet: try again later.")
        return self._current

    @property
    def user_features(self) -> list[str]:
        """What the version in service takes of a person; nothing before the first."""
        return self._current.model.told_features if self._current else []

    @property
    def numbers(self) -> set[str]:
        """Those of the `user_features` that are numbers."""
        return self._current.model.numbers if self._current else set()

    @property
    def version(self) -> str | None:
        """The number of the version in service; None before the first."""
        return self._current.model.version if self._current else None

    def refresh(self) -> None:
        """Looks at the folder and puts into service what belongs there.

        Raises:
          UserError: the rollback's file is broken.
          OSError: the folder cannot be read.
        """
        refused: dict[str, Refused] = {}
        self._works = True
        for path in in_order(self.folder, self.only):
            files = _files(path)
            if path.name == self.version and files == self._files:
                break
            known = self.refused.get(path.name)
            fault = known if known and known.files == files else self._try(path, files)
            if fault is None:
                break
            refused[path.name] = fault
        else:
            self._works = False
        self.refused = refused
        self._on_change(self)

    def _try(self, path: Path, files: Files) -> Refused | None:
        """Puts a version into service, or says why not."""
        try:
            answers = Answers(Model(path))
            self._check(answers)
        except Exception as error:  # noqa: BLE001 (whatever is wrong with it, the old one goes on)
            reason = " ".join(str(error).split())[:300] or type(error).__name__
            self._warn(f"version {path.name} is refused: {reason.rstrip('.')}")
            return Refused(files, reason)
        answers.model.budget = self._budget  # from now on: the first calls are no user's
        answers.model.open_histories, answers.posters = self._open_histories, self.posters
        self._current, self._files = answers, files
        # A loaded model refers to itself: left to chance, several would be in memory at once.
        gc.collect()
        log.info("version %s is in service", path.name)
        return None

    def trouble(self) -> UserError | None:
        """Why the last look at the folder found nothing to serve, if it did not.

        Raises:
          UserError: it is no folder of versions.
        """
        if self._works:
            return None
        if self._current:
            what = f"version {self.version}, which is in service, goes on"
            return UserError(f"Nothing in {self.folder} works any more: {what}.")
        reasons = {name: fault.reason for name, fault in self.refused.items()}
        return UserError(why_none(self.folder, reasons, self.only))


def choose(folder: Path, only: int | None = None) -> Answers:
    """The version that a server over the folder would serve; says on stderr what it passes over.

    Raises:
      UserError: there is none.
    """
    versions = Versions(
        folder,
        only,
        warn=lambda told: print(printable(f"greenlight: {told}."), file=sys.stderr),
        check=check_list,
    )
    versions.refresh()
    if trouble := versions.trouble():
        raise trouble
    return versions.current


def _files(path: Path) -> Files:
    """Names, sizes and times of a version's files; what is removed meanwhile is not among them."""
    files = []
    for file in path.rglob("*"):
        try:
            stat = file.stat()
        except FileNotFoundError:
            continue
        if S_ISREG(stat.st_mode):
            files.append((str(file.relative_to(path)), stat.st_size, stat.st_mtime_ns))
    return tuple(sorted(files))
