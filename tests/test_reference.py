"""The reference: it is up to date, and no public function is missing from it."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import tinygrad_notes as tn
from tinygrad_notes import functions

NO_TENSOR = ("bool", "float", "int", "None", "str", "tuple[int, ...]", "Generator")
"""What answers with one of these computes nothing, and has no sample."""
EXEMPT = {
    "get_rng_state": "a state, no function of Tensors",
    "stride": "a question",
    "type": "a question, or another name of `to`",
}
DOCS = Path(__file__).parent.parent / "docs"


@pytest.fixture
def text(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.syspath_prepend(str(DOCS))
    found: str = importlib.import_module("reference").reference()
    sys.modules.pop("reference")
    return found


def test_the_reference_is_up_to_date(text: str) -> None:
    assert (DOCS / "reference.md").read_text(encoding="utf-8") == text, "run `make reference`"


def _public() -> Iterator[tuple[str, str]]:
    """(room, name) of every function and method that gives Tensors."""
    for module in pkgutil.iter_modules(functions.__path__):
        room = importlib.import_module(f"tinygrad_notes.functions.{module.name}")
        for name in {*getattr(room, "__all__", ()), *getattr(room, "METHODS", "").split()}:
            function = getattr(tn, name, getattr(tn.Tensor, name, None))
            if inspect.isfunction(function) and inspect.signature(function).return_annotation not in NO_TENSOR:
                yield room.__name__, name
    for name in tn.nn.functional.__all__:
        yield "nn.functional", name
    for name in tn.information.__all__:
        yield "information", name


def test_every_public_function_is_in_it(text: str) -> None:
    known = {cell.split("`")[1].rpartition(".")[2] for cell in text.splitlines() if cell.startswith("| `")}
    missing = sorted({(room, name) for room, name in _public() if not {name, name.removesuffix("_")} & (known | EXEMPT.keys())})
    assert not missing
