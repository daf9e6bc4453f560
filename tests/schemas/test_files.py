"""Files are replaced at once: whoever reads meanwhile finds the old or the new text."""

import errno
import os
import threading
from pathlib import Path

import pytest

from schemas.errors import UserError
from schemas.files import plain_file, write_whole


def test_a_text_takes_its_place_and_nothing_is_left_beside_it(tmp_path):
    path = tmp_path / "page.html"
    assert write_whole(path, "first") == path
    write_whole(path, "zoë")
    assert path.read_text(encoding="utf-8") == "zoë" and list(tmp_path.iterdir()) == [path]


def test_a_reader_never_finds_half_a_text(tmp_path):
    path, texts = tmp_path / "page.html", ["a" * 200_000, "b" * 200_000]
    write_whole(path, texts[0])
    writer = threading.Thread(target=lambda: [write_whole(path, text) for text in 50 * texts])
    writer.start()
    read = {path.read_text() for _ in range(200)}
    writer.join()
    assert read <= set(texts)


def test_a_failed_write_leaves_what_was_there(tmp_path):
    path = tmp_path / "page.html"
    write_whole(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "new \ud800")
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_a_text_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    path = tmp_path / "page.html"
    write_whole(path, "old")

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("schemas.files.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(path, "new")
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_a_plain_file_is_one_that_a_file_may_replace(tmp_path):
    there, new = tmp_path / "there", tmp_path / "new"
    there.touch()
    (tmp_path / "link").symlink_to("there")
    (tmp_path / "ahead").symlink_to("new")
    links = {"there": there, "new": new, "link": there, "ahead": new}
    assert {name: plain_file(tmp_path / name) for name in links} == links
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "circle").symlink_to("circle")
    for place in (tmp_path, tmp_path / "pipe", tmp_path / "circle", Path("/dev/null")):
        with pytest.raises(UserError, match=f"^{place} (is no file|cannot be written)"):
            plain_file(place)
