"""What the Evaluator finds besides TFMA's metrics, as checks.json holds it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from components.evaluation.verdicts import Outcome

# Value, low and high end by measure of the lists; None where there is no such number.
ListMeasures = dict[str, list[float | None]]


@dataclass(frozen=True)
class CheckResults:
    """What the exported models' answers show.

    outcomes: of the gates on lists and export.
    notes: sentences without a full stop, on what a reader should know besides.
    lists: measures of the lists, by `candidate` and `blessed`, as far as there are any.
    exposure: see `audience.exposure`, of the lists likewise, and of the users' own `history`.
    changes: see `audience.changes`; nothing where no blessed model was compared with.
    """

    outcomes: list[Outcome] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    lists: dict[str, ListMeasures] = field(default_factory=dict)
    exposure: dict[str, list[float]] = field(default_factory=dict)
    changes: list[dict[str, Any]] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether every gate passed."""
        return all(outcome.passed for outcome in self.outcomes)

    def to_json(self) -> dict[str, Any]:
        """The content of checks.json."""
        gates = [outcome.to_json() for outcome in self.outcomes]
        return {
            "gates": gates,
            "notes": self.notes,
            "lists": self.lists,
            "exposure": self.exposure,
            "changes": self.changes,
        }

    @staticmethod
    def from_json(content: Mapping[str, Any]) -> "CheckResults":
        """Reads what `to_json` writes, and wrote before it knew of exposure and changes."""
        outcomes = [Outcome.from_json(row) for row in content["gates"]]
        return CheckResults(
            outcomes,
            content["notes"],
            content["lists"],
            content.get("exposure", {}),
            content.get("changes", []),
        )
