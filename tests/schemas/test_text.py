"""Bytes become text in one place."""

import ast
from pathlib import Path

import pytest

from schemas.text import printable, to_text, to_texts

# Files of the user's, in their own encodings, are read elsewhere.
FOLDERS = ("components", "pipeline", "serving", "schemas", "benchmarks")
READERS = (
    "components/guess/form.py",
    "components/example_gen",
    "schemas/text.py",
    "benchmarks/serving.py",
)
# Where numbers become text; of bytes, `astype(str)` takes ASCII alone.
NUMBERS = ("components/evaluation/slices.py", "components/explore/movies.py")


def _decodes(call: ast.Call, path: str) -> bool:
    function = call.func
    if not isinstance(function, ast.Attribute):
        return False
    as_str = function.attr == "astype" and [ast.unparse(a) for a in call.args] in (["str"], ["'U'"])
    return function.attr == "decode" or (as_str and path not in NUMBERS)


@pytest.mark.parametrize("folder", FOLDERS)
def test_nothing_else_decodes_names(folder):
    found = [
        f"{path}:{node.lineno}"
        for path in sorted(Path(folder).rglob("*.py"))
        if not str(path).startswith(READERS)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and _decodes(node, str(path))
    ]
    assert found == []


def test_any_name_that_is_text_comes_back():
    every = "".join(map(chr, [*range(0xD800), *range(0xE000, 0x110000)]))
    assert to_text(every.encode()) == every
    assert to_texts([b"zo\xc3\xab", b""]) == ["zoë", ""]
    assert to_text(b"\xff") == "\ufffd"


def test_what_steers_a_terminal_is_printed_as_its_escape():
    plain = "Amélie, 七人の侍 (1954) [red] 🎬"
    assert printable(plain) == plain
    steering = "\x1b[31m\x07\x9b2J\r\n\t\u202e\u2028\ufeff\0\x7f"
    told = "\\x1b[31m\\x07\\x9b2J\\r\\n\\t\\u202e\\u2028\\ufeff\\x00\\x7f"
    assert printable(steering) == told
