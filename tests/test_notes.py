"""docs/notes.md maps every topic of the lecture notes to functions, tests and notebooks that exist."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LINES = [
    [cell.strip() for cell in line.strip("|\n").split("|")]
    for line in (ROOT / "docs" / "notes.md").read_text(encoding="utf-8").splitlines()
    if re.match(r"\| [A-H]\d? \|", line)
]


def found(path: str) -> object:
    """The object at a dotted path below the package, modules imported on the way."""
    value: object = importlib.import_module("tinygrad_notes")
    name = "tinygrad_notes"
    for part in path.split("."):
        name = f"{name}.{part}"
        if not hasattr(value, part):
            importlib.import_module(name)
        value = getattr(value, part)
    return value


def test_every_section_has_its_rows() -> None:
    rows = {line[0] for line in LINES}
    assert rows == {"A1", "A2", "A3", "A4", "A5", "A6", "B", "C", "D", "E", "F", "G", "H1", "H2", "H3"}


@pytest.mark.parametrize("line", LINES, ids=lambda line: f"{line[0]} {line[1]}")
def test_functions_tests_and_notebooks_exist(line: list[str]) -> None:
    _, _, functions, tests, notebooks = line
    names = re.findall(r"`([\w.]+)`", functions)
    assert names or "scikit-learn" in functions
    for name in names:
        assert callable(found(name)), name
    assert tests
    for test in tests.split(", "):
        assert (ROOT / "tests" / f"{test}.py").exists(), test
    for notebook in notebooks.split(", ") if notebooks != "–" else ():
        assert (ROOT / "notebooks" / f"{notebook}.py").exists(), notebook
