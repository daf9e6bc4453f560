"""A fitted model as a notebook asks it, and the report of the run that made it."""

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.commands.verdict import closing_sentences
from pipeline.output import Folders, find_output
from pipeline.reports import find_run
from schemas.artifacts import LATEST, PAGE_FILE
from schemas.errors import UserError
from serving.commands import request_of
from serving.loading import quiet

if TYPE_CHECKING:
    import pandas as pd

    from serving.answers import Answers

Liked = Sequence[str] | Mapping[str, float]
HEIGHT = 700  # pixels of a report in a notebook


def open_folder(folder: str | Path = "runs/default") -> "Fitted":
    """What an earlier run left: the model that is in service there, and the latest report.

    Raises:
      UserError: there is no such folder.
    """
    place = find_output(str(folder))
    if not place.is_dir():
        raise UserError(f"There is no folder {folder}: name the output directory of a run.")
    return Fitted(place, LATEST, "")


@dataclass(frozen=True)
class Report:
    """A run's report. Shown by a notebook, it is the page; as text, the verdict in sentences.

    page: the HTML file, which needs no network.
    blessing: the content of blessing.json.
    """

    page: Path
    blessing: dict[str, Any]

    def __str__(self) -> str:
        """The verdict, and what the terminal says of it."""
        verdict = "Blessed and pushed" if self.blessing["blessed"] else "NOT blessed"
        return "\n".join(
            [f"{verdict}: {self.page}", *(f"  {s}." for s in closing_sentences(self.blessing))]
        )

    def _repr_html_(self) -> str:
        page = html.escape(self.page.read_text(encoding="utf-8"))
        style = f"width: 100%; height: {HEIGHT}px; border: 1px solid #ccc"
        return f'<iframe title="report" srcdoc="{page}" style="{style}"></iframe>'


class Fitted:
    """A model and its run's report.

    The model is loaded when it is first asked; what it says is what `greenlight serve` says.
    """

    def __init__(self, folder: Path, run: str, version: str | None) -> None:
        """Loads nothing yet.

        Args:
          folder: the output directory.
          run: whose report it is.
          version: of the model; '' for the one in service, None where the run pushed none.
        """
        quiet()
        self.folder = folder
        self._run, self._version = run, version

    @property
    def report(self) -> Report:
        """The report of the run.

        Raises:
          UserError: there is none.
        """
        from pipeline.publish import read_blessing

        place = find_run(Folders(self.folder).reports, self._run)
        return Report(place / PAGE_FILE, read_blessing(place))

    @property
    def version(self) -> str:
        """The model's version; raises UserError where there is none."""
        return self._answers.version

    def recommend(
        self, user: Any = None, *, liked: Liked = (), k: int = 10, **wishes: Any
    ) -> "pd.DataFrame":
        """The best movies for a user, or for a newcomer who liked some; both: liked is the history.

        Args:
          user: an id.
          liked: titles or ids, or ratings by those.
          k: the number of movies.
          **wishes: as in the server's /recommend: genres, having, year_from, year_to, exclude,
            keep_seen, mix (0 to 1: from likely to watch to likely to like).

        Returns:
          One row a movie, the best first: movie_id, title, year, genres, score, rating (the
          predicted one, if the model predicts any).

        Raises:
          UserError: there is no model, user, movie, genre or such a wish.
        """
        from serving.requests import RecommendRequest

        person = self._person(user, liked)
        answer = self._answers.recommend(request_of(RecommendRequest, **person, k=k, **wishes))
        return _frame(answer["movies"])

    def rate(
        self, movies: str | Iterable[str], user: Any = None, *, liked: Liked = ()
    ) -> "pd.DataFrame":
        """What somebody would rate movies, in the order of `movies`; see `recommend`."""
        from serving.requests import RateRequest

        named = [movies] if isinstance(movies, str) else [str(movie) for movie in movies]
        request = request_of(RateRequest, movies=named, **self._person(user, liked))
        return _frame(self._answers.rate(request)["movies"]).drop(columns="score")

    def similar(self, movie: str, k: int = 10) -> "pd.DataFrame":
        """The movies that are most like one; see `recommend`."""
        return _frame(self._answers.similar(movie, k)["movies"])

    def _person(self, user: Any, liked: Liked) -> dict[str, Any]:
        if user is not None and not self._answers.knows(str(user)):
            raise UserError(
                f"The model knows no user {user!r}; a newcomer is asked by liked=[...]."
            )
        events = (
            [{"movie": movie, "rating": rating} for movie, rating in liked.items()]
            if isinstance(liked, Mapping)
            else [{"movie": movie} for movie in ([liked] if isinstance(liked, str) else liked)]
        )
        return {"user": None if user is None else str(user), "history": events}

    @cached_property
    def _answers(self) -> "Answers":
        if self._version is None:
            raise UserError(
                "The model was not blessed, so that there is none to ask: print(model.report) "
                "says why and what to do next."
            )
        from serving.versions import choose

        return choose(Folders(self.folder).serving, int(self._version) if self._version else None)


def _frame(movies: list[dict[str, Any]]) -> "pd.DataFrame":
    import pandas as pd

    return pd.DataFrame(movies)
