"""A manifest finds every file that is gone or was changed, wherever one byte is another."""

import hashlib
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.manifest import FILE, digest, fault

FILES = {"saved_model.pb": b"graph", "variables/data": bytes(range(64)), "assets/ids": b"\xff\n"}


@pytest.fixture
def version(tmp_path):
    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    wanted = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}
    (tmp_path / FILE).write_text(json.dumps({"sha256": wanted}))
    return tmp_path


def test_files_as_they_were_pushed_have_no_fault_nor_have_others_beside_them(version):
    (version / "fingerprint.pb").write_bytes(b"made later")
    assert fault(version) is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.sampled_from(sorted(FILES)), st.data())
def test_one_flipped_bit_is_found_anywhere(version, name, data):
    content = bytearray(FILES[name])
    bit = data.draw(st.integers(0, 8 * len(content) - 1))
    content[bit // 8] ^= 1 << bit % 8
    (version / name).write_bytes(content)
    assert fault(version) == f"{name} is not as it was pushed"
    (version / name).write_bytes(FILES[name])
    assert fault(version) is None


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_gone_or_cut_off_is_found(version, name):
    (version / name).write_bytes(FILES[name][:-1])
    assert fault(version) == f"{name} is not as it was pushed"
    (version / name).unlink()
    assert fault(version) == f"{name} is missing"


def test_a_version_that_no_run_pushed_has_no_manifest_and_is_taken_as_it_is(version):
    (version / FILE).unlink()
    assert fault(version) is None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"sha256": 3}', '{"sha256": ["a"]}'])
def test_a_broken_manifest_is_a_fault(version, text):
    (version / FILE).write_text(text)
    assert fault(version) == f"its {FILE} is broken"


def test_a_digest_is_of_all_blocks(tmp_path):
    content = b"ab" * (1 << 20)
    (tmp_path / "large").write_bytes(content)
    with (tmp_path / "large").open("rb") as file:
        assert digest(file) == hashlib.sha256(content).hexdigest()
