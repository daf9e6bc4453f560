"""Renders the report: index.html, report.md and blessing.json out of plain facts."""

import json
from collections.abc import Mapping
from typing import Any

import yaml

from components.evaluation.gates import GatesConfig
from components.pages.html import environment, html
from components.report import card, tables
from components.report.figures import drawn
from components.report.importance import importance_table
from schemas.artifacts import BLESSING_FILE, FACTS_FILE, MARKDOWN_FILE, PAGE_FILE

Content = Mapping[str, Any]
PACKAGE = "components.report"
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


def decisive(gate: Content) -> bool:
    """Whether a gate is on how good the model is, rather than on whether it works at all."""
    return gate["kind"] not in ("sanity", "reload")


def _context(blessing: Content, facts: Content) -> dict[str, Any]:
    settings = GatesConfig.model_validate(blessing["config"]["gates"])
    missing = {
        *(() if len(facts["slices"][settings.hit_rate]) > 1 else ("slices",)),
        *(() if blessing["lists"] else ("lists",)),
    }
    importance = facts.get("importance")
    return {
        "blessing": blessing,
        "facts": facts,
        "learned": facts.get("learned"),
        "importance": importance,
        "importance_table": importance_table(importance) if importance else None,
        "crosses": facts.get("crosses"),
        "run": blessing["run_id"],
        "headline": headline(blessing),
        "level": f"{settings.level:.0%}",
        "sections": [entry for entry in SECTIONS if entry[0] not in missing],
        "gates": [tables.gate_cells(gate) for gate in blessing["gates"]],
        "decisive": [tables.gate_cells(gate) for gate in blessing["gates"] if decisive(gate)],
        "checks": [tables.gate_cells(gate) for gate in blessing["gates"] if not decisive(gate)],
        "comparison": tables.comparison(blessing, facts, settings),
        "slice_words": tables.slice_words(blessing, settings),
        "slice_table": tables.slice_table(blessing, settings),
        "lists": tables.lists(blessing, settings),
        "figures": tables.figures(blessing, facts),
        "config": yaml.safe_dump(dict(blessing["config"]), sort_keys=False, allow_unicode=True),
        "card": card.sections(blessing, facts),
    }
