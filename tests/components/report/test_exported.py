"""What the report asks of the model stays within what one process should hold."""

import json
from pathlib import Path

import pytest
from tfx.types import artifact_utils, standard_artifacts

from components.report.exported import peers
from components.tfx.artifacts import Artifacts
from schemas.artifacts import ROWS_FILE

LEARNED = 11  # ratings of train


class AskedError(Exception):
    """The model was asked."""


class Model:
    """Tells when it is asked."""

    @property
    def signatures(self) -> None:
        raise AskedError


@pytest.mark.parametrize(("most", "asked"), [(LEARNED, True), (LEARNED - 1, False)])
def test_there_are_no_peers_of_more_ratings_than_one_process_should_hold(
    tmp_path: Path, most: int, asked: bool
) -> None:
    sizes = {"train": {"ratings": LEARNED}, "valid": {"ratings": 5}}
    (tmp_path / ROWS_FILE).write_text(json.dumps({"splits": sizes}))
    examples = standard_artifacts.Examples()
    examples.uri = str(tmp_path)
    splits = ("train", "valid", "eval")
    examples.split_names = artifact_utils.encode_split_names([*splits])
    for split in splits:
        (tmp_path / f"Split-{split}").mkdir()
    config = {"report": {"peers": {"ratings": most}}}
    inputs: Artifacts = {"examples": [examples]}
    if asked:
        with pytest.raises(AskedError):
            peers(inputs, config, refit=False, mix=0.0, model=Model())
        assert peers(inputs, config, refit=True, mix=0.0, model=Model()) is None  # 16 ratings
    else:
        assert peers(inputs, config, refit=False, mix=0.0, model=Model()) is None
