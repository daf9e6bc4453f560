"""A search whose state is damaged begins anew; one whose state is whole goes on."""

from pathlib import Path

import pytest

from components.tuner.oracles import drop_damaged, write_state


@pytest.fixture
def search(tmp_path: Path) -> Path:
    """The states that KerasTuner keeps, in a folder whose name is a pattern's."""
    folder = tmp_path / "run [1]" / "search"
    (folder / "trial_1").mkdir(parents=True)
    for name in ("oracle.json", "tuner0.json", "trial_1/trial.json"):
        write_state(str(folder / name), {"score": 0.5})
    return folder


def test_a_whole_search_stays(search: Path) -> None:
    drop_damaged(str(search))
    assert (search / "trial_1" / "trial.json").exists()
    drop_damaged(str(search.parent / "none yet"))


@pytest.mark.parametrize("name", ["oracle.json", "tuner0.json", "trial_1/trial.json"])
@pytest.mark.parametrize("text", ["", '{"score": 0.'])
def test_a_damaged_one_is_named_and_removed(
    search: Path, name: str, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    (search / name).write_text(text)
    drop_damaged(str(search))
    assert not search.exists() and search.parent.exists()
    assert f"{search / name} of an earlier search is damaged" in caplog.text
