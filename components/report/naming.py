"""Keeps ids of users out of a report that is passed around; who owns the run can look them up."""

from collections.abc import Mapping
from typing import Any

Content = dict[str, Any]
NAMES = "names"  # in facts.json, which stays with the run's artifacts: id by pseudonym


def without_ids(content: Content, facts: Content, rows: Mapping[str, Any]) -> None:
    """Numbers the users that are shown, and quotes no rows; changes both contents in place.

    Args:
      content: of blessing.json.
      facts: of facts.json; it says under `names` who is who.
      rows: what the example gen counted.
    """
    facts[NAMES] = {str(place): one["user"] for place, one in enumerate(facts["people"], 1)}
    facts["people"] = [{**one, "user": str(place)} for place, one in enumerate(facts["people"], 1)]
    samples = content["rows"].get("samples", [])
    content["rows"] = content["rows"] | {"samples": [{**one, "text": ""} for one in samples]}
    most = f", {rows.get('top_user', {}).get('id', '')!r}, has "
    content["notes"] = [note.replace(most, ", has ") for note in content["notes"]]
