"""How the report's node names what it writes, and how Kubeflow finds its artifact's type."""

import datetime

import pytest
from tfx.utils import import_utils

import components
from components.report.component import Report
from components.report.gather import measured, run_name


def test_a_run_without_an_id_is_named_by_its_time() -> None:
    now = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
    assert run_name("mine", now) == "mine"
    assert run_name("", now) == "20260102-030405"


def test_the_type_is_found_by_its_name() -> None:
    assert import_utils.import_class_by_path(Report.TYPE_NAME) is Report
    with pytest.raises(AttributeError, match="no attribute 'Rapport'"):
        _ = components.Rapport


def test_what_an_older_run_did_not_measure_is_empty(tmp_path) -> None:
    assert measured(str(tmp_path), "importance.json") == {}
    (tmp_path / "importance.json").write_text('{"rows": 3}', encoding="utf-8")
    assert measured(str(tmp_path), "importance.json") == {"rows": 3}
