"""From files that nobody has described to a source: the one way in."""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from itertools import takewhile
from pathlib import Path

from components.guess.catalogue import key_of, movies_section, users_section
from components.guess.events import Events, find_events
from components.guess.sample import Column, Sample, read_sample
from components.guess.told import Section, Told
from components.guess.written import as_yaml
from schemas.errors import UserError

_MAY_BE_BAD = 0.01  # of the rows: with more a run stops unless it is told to go on


@dataclass(frozen=True)
class Guess:
    """A source that was guessed.

    text: its YAML.
    said: what to know of it, a sentence each.
    settings: what a run with it has to be told, as `--set` takes it.
    """

    text: str
    said: tuple[str, ...]
    settings: tuple[str, ...]


def guess_source(files: Sequence[Path], folder: Path) -> Guess:
    """Looks at files and describes them as a source.

    Args:
      files: the events, in one file or several of one form, and beside them, if there are, movies
        and users.
      folder: the data directory, which holds them all.

    Raises:
      UserError: a file cannot be read, none of them tells who saw what, or several are alike and no
        pattern finds them alone.
    """
    tables = _tables(files)
    samples = [read_sample(paths[0]) for paths in tables]
    events = _the_events(samples)
    names = {
        id(sample): _pattern(paths, folder) for sample, paths in zip(samples, tables, strict=True)
    }
    source: Section = {}
    if events.marks:
        source["scale"] = events.marks["scale"]
    source["ratings"] = {"files": Told(names[id(events.sample)]), **events.section()}
    said, settings, unused = [_kind(events)], list[str](), list[str]()
    for sample in samples:
        if sample is events.sample:
            continue
        name, of_items, of_users = (
            names[id(sample)],
            key_of(sample, events.item),
            key_of(sample, events.user),
        )
        if of_items and "movies" not in source:
            source["movies"] = {"files": Told(name), **movies_section(sample, *of_items)}
            settings += _unknown(sample, events.item, of_items[0], said, name)
        elif of_users and "users" not in source:
            source["users"] = {"files": Told(name), **users_section(sample, of_users[0])}
        else:
            unused.append(name)
    said += _unused(events, unused)
    above = ("Guessed from the files by greenlight init: look whether it is right.", *said)
    return Guess(as_yaml(source, above), tuple(said), tuple(settings))


def _tables(files: Sequence[Path]) -> list[list[Path]]:
    """The files that make one table each: of one ending, and one name but for digits."""
    tables: dict[tuple[Path, str], list[Path]] = {}
    for path in sorted({*files}):
        bare = "".join(letter for letter in path.name if not letter.isdigit())
        tables.setdefault((path.parent, bare), []).append(path)
    return list(tables.values())


def _pattern(paths: Sequence[Path], folder: Path) -> str:
    """The pattern that finds these files of the folder, and no others."""
    names = [path.relative_to(folder).as_posix() for path in paths]
    if len(names) == 1:
        if set("*?[{") & set(names[0]):
            raise UserError(f"{names[0]} has signs of a pattern in its name: call it another way.")
        return names[0]
    front = _common(names)
    behind = _common([name[len(front) :][::-1] for name in names])[::-1]
    pattern = f"{front}*{behind}"
    here = {path.relative_to(folder).as_posix() for path in paths[0].parent.iterdir()}
    if others := sorted(name for name in here - {*names} if fnmatch(name, pattern)):
        raise UserError(
            f"{', '.join(names)[:200]} can only be read together by a pattern such as {pattern}, "
            f"which finds {others[0]} as well: name that too, or put it elsewhere."
        )
    return pattern


def _common(names: Sequence[str]) -> str:
    """What all names begin with."""
    alike = takewhile(lambda letters: len({*letters}) == 1, zip(*names, strict=False))
    return "".join(letters[0] for letters in alike)


def _the_events(samples: Sequence[Sample]) -> Events:
    """Of the files that tell who saw what, the one with ratings, times and most rows."""
    found = [events for events in map(find_events, samples) if events is not None]
    if not found:
        shown = "; ".join(f"{s.path.name}: {', '.join(s.columns)[:150]}" for s in samples)
        raise UserError(
            "No file tells who saw what: one needs a column of users and one of what they saw, "
            f"such as user_id and movie_id; the columns are {shown}."
        )
    return max(
        found, key=lambda one: (one.rating is not None, one.timestamp is not None, one.sample.rows)
    )


def _kind(events: Events) -> str:
    rows = "Each row says that somebody saw, bought or played something"
    if events.rating is None:
        said = f"{rows}, and none how it was liked: lists are learnt, ratings are not."
    elif isinstance(events.marks.get("values"), dict):
        said = f"{rows}, and {_called(events)} in words how it was liked."
    else:
        said = f"{rows}, and {_called(events)} how it was liked."
    if events.timestamp is None:
        said += " No column tells when, so that a run splits the rows at random."
    return said


def _called(events: Events) -> str:
    name = events.rating.name if events.rating else ""
    return name if events.sample.named else f"column {name}"


def _unknown(sample: Sample, ids: Column, key: Column, said: list[str], name: str) -> list[str]:
    """What to set where events are of movies that the movies table lacks."""
    known = {*key.counts}
    lost = sum(count for value, count in ids.counts.items() if value not in known)
    share = lost / max(len(ids.cells), 1)
    if not sample.whole or share <= 0:
        return []
    said.append(f"{share:.1%} of the rows are of ids that {name} lacks; they are left out.")
    bound = min(1.0, round(share * 1.5 + 0.01, 2))
    return [f"split.max_bad_share={bound}"] if share > _MAY_BE_BAD / 2 else []


def _unused(events: Events, files: Sequence[str]) -> list[str]:
    said = []
    if events.unread:
        said.append(f"Not read of the events: {', '.join(events.unread)}.")
    if files:
        said.append(f"Not read at all: {', '.join(files)}.")
    return said
