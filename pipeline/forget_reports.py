"""Takes people out of the reports of an output directory."""

import html
import json
import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.report.naming import NAMES
from components.report.page import render
from pipeline.ledger import Ledger
from pipeline.output import Folders
from pipeline.publish import write
from schemas.artifacts import BLESSING_FILE, FACTS_FILE, MARKDOWN_FILE, PAGE_FILE, Node
from schemas.files import write_whole
from schemas.forgotten import Forgotten

Content = dict[str, Any]


@dataclass(frozen=True)
class Scrubber:
    """Who is to go from a report, by the names that it may have them under.

    forgotten: a list that they are on.
    moved: what the number is now of a version that was pushed.
    """

    names: Collection[str]
    forgotten: Forgotten
    moved: Mapping[str, str]

    def blessing(self, content: Content) -> Content:
        """The content of blessing.json without quoted rows and notes that name them."""
        samples = content["rows"].get("samples", [])
        stay = [one for one in samples if not self.forgotten.is_named_in(one["text"])]
        rows = content["rows"] | ({"samples": stay} if samples else {})
        notes = [note for note in content["notes"] if not self._quotes(note)]
        version = content.get("pushed_version") or ""
        pushed = {"pushed_version": self.moved[version]} if version in self.moved else {}
        return content | {"rows": rows, "notes": notes} | pushed

    def facts(self, facts: Content) -> Content:
        """The content of facts.json without them among the users that are shown."""
        ids = facts.get(NAMES, {})
        people = [
            one for one in facts["people"] if ids.get(one["user"], one["user"]) not in self.names
        ]
        stay = {number: user for number, user in ids.items() if user not in self.names}
        return facts | {"people": people} | ({NAMES: stay} if ids else {})

    def is_named_on(self, page: str) -> bool:
        """Whether a page without its facts may name one of them; rather too often than not."""
        text = html.unescape(page)
        return any(name in text for name in self.names)

    def _quotes(self, sentence: str) -> bool:
        return any(repr(name) in sentence for name in self.names)


def mend_reports(folders: Folders, scrubber: Scrubber) -> list[Path]:
    """Writes reports anew without some users; returns the folders of those that changed.

    A page whose facts are gone is removed where it may name one of them, as is what is damaged.
    """
    mended, facts_of, ledger = [], dict[str, Content](), Ledger(folders.artifacts)
    for stored in sorted((folders.artifacts / Node.REPORT / "report").glob("*")):
        content, facts = (_read(stored / name) for name in (BLESSING_FILE, FACTS_FILE))
        if content is None or facts is None:
            shutil.rmtree(stored)  # the next run names it as missing
            continue
        facts_of[content["run_id"]] = scrubber.facts(facts)
        now = scrubber.blessing(content), facts_of[content["run_id"]]
        if now != (content, facts):
            for name, text in render(*now).items():
                write_whole(stored / name, text)
            ledger.forget(stored)
            ledger.record(stored)
    for report in sorted(path for path in folders.reports.glob("*") if _is_report(path)):
        if _mend(report, facts_of.get(report.name), scrubber):
            mended.append(report)
    return mended


def _is_report(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _mend(report: Path, facts: Content | None, scrubber: Scrubber) -> bool:
    """Writes a published report anew, if it has to be; `facts` are without them already."""
    content = _read(report / BLESSING_FILE)
    if content is None:
        shutil.rmtree(report)
        return True
    now = scrubber.blessing(content)
    if facts is not None:
        page = render(now, facts)[PAGE_FILE]
        if now == content and page == _text(report / PAGE_FILE):
            return False
        write(report, now, facts)
        return True
    if now == content and not scrubber.is_named_on(_text(report / PAGE_FILE)):
        return False
    write_whole(report / BLESSING_FILE, json.dumps(now, indent=1, allow_nan=False))
    for name in (PAGE_FILE, MARKDOWN_FILE):
        (report / name).unlink(missing_ok=True)
    return True


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _read(path: Path) -> Content | None:
    """The content of a file; None where it is damaged or missing."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return content if isinstance(content, dict) else None
