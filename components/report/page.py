"""Renders the report: index.html, report.md and blessing.json out of plain facts."""

import contextlib
import datetime
import json
from collections.abc import Mapping
from typing import Any

import yaml

from components.evaluation.gates import GatesConfig
from components.evaluation.verdicts import Outcome
from components.pages.html import environment, html
from components.report import card, tables
from components.report.decides import BEHIND, behind, decides
from components.report.exposure_charts import change_table, change_words, exposure_words
from components.report.figures import drawn
from components.report.importance_charts import importance_table
from components.report.order_charts import order_words
from components.report.peer_charts import peer_table, peer_words
from components.report.training_words import training_words
from schemas.artifacts import BLESSING_FILE, FACTS_FILE, MARKDOWN_FILE, PAGE_FILE
from schemas.words import MOVIE, Item

Content = Mapping[str, Any]
PACKAGE = "components.report"
MADE = "%Y-%m-%dT%H:%M:%SZ"  # how blessing.json writes when a report was made
STARTED = "%Y%m%d-%H%M%S"  # how a run's id begins
SECTIONS = (
    ("gates", "Gates"), ("comparison", "Comparison"), ("slices", "Slices"), ("lists", "Lists"),
    ("people", "Real users"), ("learned", "What it learned"), ("training", "Training"),
    ("data", "Data"), ("run", "The run"), ("card", "Model card"),
)  # fmt: skip


def render(blessing: Content, facts: Content) -> dict[str, str]:
    """The files of a report by name.

    Args:
      blessing: the content of blessing.json.
      facts: the content of facts.json; see `facts`.
    """
    context = _context(blessing, facts)
    return {
        BLESSING_FILE: json.dumps(blessing, indent=1, allow_nan=False),
        FACTS_FILE: json.dumps(facts, allow_nan=False),
        MARKDOWN_FILE: environment(PACKAGE).get_template("report.md.j2").render(context),
        PAGE_FILE: html("report.html.j2", context, drawn(blessing, facts), PACKAGE),
    }


def headline(blessing: Content) -> str:
    """The verdict in one line."""
    gates = [gate for gate in blessing["gates"] if gate.get("judged", True)]
    failed = sum(not gate["passed"] for gate in gates)
    if blessing["blessed"]:
        return f"Blessed: all {len(gates)} gates passed"
    return f"Not blessed: {failed} of {len(gates)} gates failed"


def ended(blessing: Content) -> str:
    """When the run's report was first made; of older runs, their start, which their id tells."""
    for text, form in (
        (blessing.get("made", ""), MADE),
        (blessing["run_id"][:15], STARTED),
    ):
        with contextlib.suppress(ValueError):
            return f"{datetime.datetime.strptime(text, form):%Y-%m-%d %H:%M} UTC"
    return ""


def _context(blessing: Content, facts: Content) -> dict[str, Any]:
    settings = GatesConfig.model_validate(blessing["config"]["gates"])
    outcomes = [Outcome.from_json(row) for row in blessing["gates"]]
    importance = facts.get("importance")
    item = Item(*facts.get("item", MOVIE))
    return {
        "items": item.several,
        "worded": item.worded,
        "blessing": blessing,
        "facts": facts,
        "learned": facts.get("learned"),
        "peers": blessing.get("peers"),
        "peer_words": peer_words(blessing["peers"]) if blessing.get("peers") else "",
        "peer_table": peer_table(blessing["peers"]) if blessing.get("peers") else [],
        "exposure_words": (
            item.worded(exposure_words(blessing["exposure"])) if blessing.get("exposure") else ""
        ),
        "change_words": [
            item.worded(one) for one in change_words(blessing.get("changes", []), facts["slices"])
        ],
        "change_table": change_table(blessing.get("changes", [])),
        "mix": facts.get("mix"),
        "order_words": order_words(blessing["orders"]) if blessing.get("orders") else "",
        "training_words": training_words(
            blessing["training"], blessing["config"]["training"].get("minutes")
        ),
        "importance": importance,
        "importance_table": importance_table(importance) if importance else None,
        "crosses": facts.get("crosses"),
        "run": blessing["run_id"],
        "headline": headline(blessing),
        "ended": ended(blessing),
        "version": blessing.get("pushed_version"),
        "verdict": decides(blessing),
        "behind": behind(blessing, settings),
        "columns_behind": BEHIND,
        "level": f"{settings.level:.0%}",
        "sections": _sections(blessing, facts, settings),
        "gates": [tables.gate_cells(o, item) for o in outcomes],
        "decisive": [tables.gate_cells(o, item) for o in outcomes if o.gate.is_decisive],
        "checks": [tables.gate_cells(o, item) for o in outcomes if not o.gate.is_decisive],
        "comparison": tables.comparison(blessing, facts, settings, item),
        "slice_words": item.worded(tables.slice_words(blessing, settings)),
        "slice_table": tables.slice_table(blessing, facts, settings),
        "lists": tables.lists(blessing, settings),
        "figures": tables.figures(blessing, facts),
        "config": yaml.safe_dump(dict(blessing["config"]), sort_keys=False, allow_unicode=True),
        "card": [
            (title, [item.worded(one) for one in sentences])
            for title, sentences in card.sections(blessing, facts)
        ],
    }


def _sections(blessing: Content, facts: Content, settings: GatesConfig) -> list[tuple[str, str]]:
    """Id and title of the sections that there is something to show in."""
    missing = {
        *(() if len(facts["slices"][str(settings.hit_rate)]) > 1 else ("slices",)),
        *(() if blessing["lists"] else ("lists",)),
    }
    return [(id_, title) for id_, title in SECTIONS if id_ not in missing]
