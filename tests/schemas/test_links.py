"""Links that stand for folders whose names would be taken for patterns."""

from pathlib import Path

import pytest

from schemas.links import plain


def test_a_link_stands_for_an_output_directory_of_such_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "links").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "links"))
    folder = tmp_path / "o[u]t"
    folder.mkdir()
    (folder / "x").touch()
    assert plain(tmp_path) == tmp_path
    link = plain(folder)
    assert [path.name for path in link.glob("*")] == ["x"]
    assert plain(folder) == link != plain(tmp_path / "o[u]u")
    link.unlink()
    assert plain(folder) == link
    assert link.exists()
