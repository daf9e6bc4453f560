"""A damaged checkpoint is told, and the one before counts."""

from collections.abc import Callable
from pathlib import Path

import pytest
import tensorflow as tf

from components.trainer.checkpoints import Checkpoints

Damage = Callable[[Path], object]


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


DAMAGES: tuple[Damage, ...] = (flip, halve, empty, Path.unlink)
FILES = ("data-00000-of-00001", "index")


@pytest.fixture
def value() -> tf.Variable:
    return tf.Variable(tf.zeros(1000))


@pytest.fixture
def folder(tmp_path: Path, value: tf.Variable) -> Path:
    """Three checkpoints of growing numbers, of which two are kept."""
    place = tmp_path / "checkpoints"
    made = Checkpoints(tf.train.Checkpoint(value=value), str(place))
    for number in (1.0, 2.0, 3.0):
        value.assign(tf.fill(1000, number))
        made.save()
    value.assign(tf.zeros(1000))
    return place


def restored(folder: Path, value: tf.Variable) -> float | None:
    """What the value is after a resumption; None where it begins anew."""
    tracked = Checkpoints(tf.train.Checkpoint(value=value), str(folder))
    return float(value[0]) if tracked.restore() else None


def test_the_newest_counts(folder: Path, value: tf.Variable) -> None:
    assert restored(folder, value) == 3.0
    assert sorted(path.stem for path in folder.glob("*.index")) == ["ckpt-2", "ckpt-3"]


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("file", FILES)
def test_after_damage_the_one_before_counts(
    folder: Path, value: tf.Variable, damage: Damage, file: str, caplog: pytest.LogCaptureFixture
) -> None:
    damage(folder / f"ckpt-3.{file}")
    assert restored(folder, value) == 2.0
    told = "ckpt-3 is damaged" in caplog.text
    assert told or (damage, file) == (Path.unlink, "index")  # then it was never finished
    again = Checkpoints(tf.train.Checkpoint(value=value), str(folder))
    assert again.restore()
    value.assign(tf.fill(1000, 7.0))
    again.save()
    assert restored(folder, value) == 7.0


def test_without_a_whole_one_nothing_is_changed(folder: Path, value: tf.Variable) -> None:
    for number in (2, 3):
        halve(folder / f"ckpt-{number}.{FILES[0]}")
    assert restored(folder, value) is None
    assert float(tf.reduce_sum(tf.abs(value))) == 0.0
    assert restored(folder, value) is None


@pytest.mark.parametrize("damage", [empty, halve, Path.unlink])
def test_the_list_of_checkpoints_is_not_needed(
    folder: Path, value: tf.Variable, damage: Damage
) -> None:
    damage(folder / "checkpoint")
    assert restored(folder, value) == 3.0
