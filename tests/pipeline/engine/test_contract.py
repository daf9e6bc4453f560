"""The data nodes on another engine leave what they leave in this process.

The same bytes of Examples, the same vocabularies and statistics. That the Evaluator measures the
same is in tests/components/evaluation/test_component.py.
"""

import hashlib
import json
from pathlib import Path

import pytest
import tensorflow_data_validation as tfdv
import yaml

from components.example_gen.prepare import Sizes
from pipeline.config import load_config
from pipeline.local import execute, local_run
from schemas.artifacts import Node
from tests import engines
from tests.components.example_gen.small_data import SPLITS, digest, make, write_tables

SIZES = Sizes(range_bytes=3000, partition_bytes=3000)  # several ranges of text, several shards
SOURCE = {
    "name": "small",
    "scale": [1, 5],
    "ratings": {
        "files": "ratings*.csv",
        "columns": {"user_id": "userId", "movie_id": "movieId", "rating": "rating",
                    "timestamp": "timestamp"},
    },
    "movies": {
        "files": "movies.csv",
        "columns": {"movie_id": "movieId", "movie_title": "title"},
        "genres": {"column": "genres", "separator": "|"},
    },
    "users": {"files": "users.csv", "columns": {"user_id": "userId", "gender": "gender"}},
}  # fmt: skip


@pytest.fixture(scope="module", params=engines.NAMES)
def beam_args(request: pytest.FixtureRequest) -> list[str]:
    return engines.beam_args_of(request.param)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_tables(tmp_path_factory.mktemp("data") / "tables")
    (folder / "source.yaml").write_text(yaml.safe_dump(SOURCE))
    return folder


@pytest.fixture(scope="module")
def here(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The artifacts of the nodes in this process."""
    return run_nodes(data, tmp_path_factory.mktemp("here"), [])


@pytest.fixture(scope="module")
def there(data: Path, tmp_path_factory: pytest.TempPathFactory, beam_args: list[str]) -> Path:
    """The artifacts of the nodes on the engine, which the run tries first."""
    return run_nodes(data, tmp_path_factory.mktemp("there"), beam_args)


def run_nodes(data: Path, output: Path, beam_args: list[str]) -> Path:
    """The nodes up to Transform, as a run has them; where their artifacts are."""
    config = load_config(
        None,
        [f"beam_args={json.dumps(beam_args)}"],
        source=str(data / "source.yaml"),
        output_dir=str(output),
    )
    with local_run(config) as (console, folders):
        execute(config, console, folders, "contract", (Node.TRANSFORM, Node.CATALOGUE_STATISTICS))
    return folders.artifacts


class TestDataNodes:
    """The contract: all of it holds on each engine."""

    @pytest.mark.parametrize("kind", SPLITS)
    def test_every_kind_of_split_has_the_same_bytes(
        self, kind: str, data: Path, beam_args: list[str], tmp_path: Path
    ) -> None:
        reports = [
            make(data, tmp_path / place, beam_args=args, sizes=SIZES, **SPLITS[kind])
            for place, args in (("here", ()), ("there", beam_args))
        ]
        assert reports[0] == reports[1]
        written = digest(tmp_path / "here")
        assert written == digest(tmp_path / "there")
        assert len([name for name in written if "Split-train" in name]) == 3

    def test_the_node_s_examples_have_the_same_bytes(self, here: Path, there: Path) -> None:
        found = contents(here, "RatingExampleGen", "data_tfrecord-*")
        assert found == contents(there, "RatingExampleGen", "data_tfrecord-*")
        assert {Path(name).parent.name for name in found} >= {"Split-train", "Split-catalogue"}

    def test_vocabularies_are_the_same(self, here: Path, there: Path) -> None:
        found = contents(here, "Transform", "assets/*")
        assert found == contents(there, "Transform", "assets/*")
        assert {Path(name).name for name in found} == {"user_id", "movie_id", "genres", "gender"}

    @pytest.mark.parametrize("node", ["StatisticsGen", "CatalogueStatistics"])
    def test_statistics_are_the_same(self, node: str, here: Path, there: Path) -> None:
        found, other = statistics(here / node), statistics(there / node)
        assert found.keys() == other.keys()
        for key, numbers in found.items():
            assert numbers == pytest.approx(other[key], rel=1e-9), key
        assert len(found) >= (10 if node == "StatisticsGen" else 3)


def contents(artifacts: Path, node: str, pattern: str) -> dict[str, str]:
    """What a node's files hold, by their paths without the execution's number."""
    found = {}
    for path in (artifacts / node).rglob(pattern):
        output, _, *rest = path.relative_to(artifacts / node).parts
        found["/".join([output, *rest])] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def statistics(node: Path) -> dict[tuple[str, str], tuple[float, ...]]:
    """What is counted and averaged of each feature, by split; sums differ by their order alone."""
    found = {}
    for path in node.rglob("FeatureStats.pb"):
        (rows,) = tfdv.load_stats_binary(str(path)).datasets
        for feature in rows.features:
            own = getattr(feature, feature.WhichOneof("stats"))
            counts = own.common_stats
            more = [getattr(own, name) for name in ("mean", "unique") if hasattr(own, name)]
            numbers = (counts.num_non_missing, counts.tot_num_values, *more)
            key = (path.parent.name, ".".join(feature.path.step))
            found[key] = tuple(map(float, numbers))
    return found
