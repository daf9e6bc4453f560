"""Charts draw what the data hold, whatever it is called: drawn by Vega itself."""

import re

import pytest
import vl_convert

from components.explore.charts import dots, ranked
from components.pages.charts import bars

NAMES = ["Drama", "constructor", "__proto__", "toString", "hasOwnProperty", "length", "valueOf"]
ROWS = [{"genre": name, "bucket": name, "number": 10 + i, "mean": 3.0 + i, "ratings": 5}
        for i, name in enumerate(NAMES)]  # fmt: skip


@pytest.mark.parametrize(
    "spec",
    [
        ranked(ROWS, "genre", "number", "ratings"),
        dots(ROWS, "genre", {"mean": "all", "ratings": "toString"}),
        bars(ROWS, "genre", "number"),
    ],
    ids=["ranked", "dots", "bars"],
)
def test_a_chart_shows_names_of_javascripts_own(spec):
    drawn = vl_convert.vegalite_to_svg({**spec, "width": 700})
    shown = [text.strip("\u2060") for text in re.findall(r">([^<>]+)</text>", drawn)]
    assert [name for name in NAMES if name not in shown] == []
    marks = re.findall(r'aria-roledescription="(?:bar|point)"', drawn)
    assert len(marks) in (len(NAMES), 2 * len(NAMES))
