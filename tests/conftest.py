"""What every test needs before TensorFlow is imported, and the order of the files."""

import gc
import os
from pathlib import Path

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
# Or each of the many processes that the tests start would compile the whole project anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

import psutil  # type: ignore[import-untyped]
import pytest
from hypothesis import settings

settings.register_profile("greenlight", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("greenlight")

# A worker takes whole files. Those that take longest come first, the longest ahead, so that no
# worker is busy with one of them when the others have nothing left.
LONGEST = (
    "pipeline/test_continuous.py",
    "pipeline/test_without_ratings.py",
    "pipeline/vertex/dry_run/test_run.py",
    "pipeline/test_end_to_end.py",
    "pipeline/test_declared.py",
    "pipeline/commands/test_tune.py",
    "components/evaluation/test_component.py",
    "pipeline/engine/test_contract.py",
    "components/evaluation/test_tfma_metrics.py",
    "serving/test_operation.py",
    "serving/test_rollback.py",
    "serving/test_start_and_stop.py",
    "pipeline/commands/test_explore.py",
    "serving/test_names.py",
    "components/exported/test_export.py",
    "components/trainer/test_fit.py",
    "components/tuner/test_search.py",
    "components/trainer/test_refit.py",
    "components/trainer/test_warm.py",
    "serving/test_index.py",
    "components/example_gen/test_reading.py",
    "serving/test_commands.py",
    "pipeline/engine/test_check.py",
    "test_serving_image.py",
    "test_image.py",
    "test_setup.py",
    "serving/test_page.py",
    "serving/test_without_ratings.py",
    "serving/test_fuzz.py",
    "serving/test_connections.py",
    "pipeline/test_remote.py",
    "components/tuner/test_parallel.py",
    "serving/test_tfserving.py",
    "components/example_gen/test_graph.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    root = Path(__file__).parent
    place = {root / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path, len(place)))


def pytest_collection_finish() -> None:
    """What is imported stays: it is not looked through for garbage again and again."""
    gc.freeze()
    gc.set_threshold(5_000, 20, 30)


def pytest_sessionfinish() -> None:
    """Ends the servers that Beam would end as a process does that is not one of xdist's."""
    for child in psutil.Process().children():
        if child.name() == "prism":
            child.terminate()
