"""Writes ``docs/reference.md``, the table of every public function, from the functions and their sample calls: `make reference`."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests"))

from samples import Input, Sample, rooms  # noqa: E402 (found once the path says so)

import tinygrad_notes as tn  # noqa: E402 (as above)
from tinygrad_notes.tensor import from_array  # noqa: E402 (as above)

HEAD = """# Reference: every function

Written by `make reference` from the functions and from the sample calls that the tests run here and in PyTorch.

A function that is a method too, or that also exists as `name_`, written in place, has one line.

* *rows*: the primitives that the samples record; views are left out where something is computed
* *derivative*: `any` for functions whose gradient is recorded in primitives again, so that it has gradients of every order (the
  tests check the first two); `1` where the second is zero or does not exist; `–` where the result has none
* *dtypes* of the floating-point (or only) argument in some sample: `f` float32 and float64, `i` integers, `b` bool
* *differs*: where we do not do what PyTorch does, and why

"""
DTYPES = {"f": np.float32, "i": np.int64, "b": np.bool_}


def reference() -> str:
    """The text of ``docs/reference.md``."""
    text = [HEAD]
    for room, samples in rooms().items():
        by_name: dict[str, list[Sample]] = {}
        for sample in samples:
            by_name.setdefault(sample.name, []).append(sample)
        for name in [name for name in by_name if _base(name) in by_name]:
            del by_name[name]
        text += [
            f"## {_title(room)}\n\n",
            "| function | what | rows | derivative | dtypes | differs |\n",
            "|---|---|---|---|---|---|\n",
        ]
        text += [_line(name, found) for name, found in sorted(by_name.items(), key=lambda item: item[0].lower())] + ["\n"]
    return "".join(text).rstrip() + "\n"


def _base(name: str) -> str | None:
    """``abs`` of ``Tensor.abs_`` and of ``Tensor.abs``: the line that says it all."""
    method = name.removeprefix("Tensor.")
    return None if method == name or method.startswith("__") else method.removesuffix("_")


def _title(room: str) -> str:
    """The first line of the room's own docstring."""
    short = room.removeprefix("nn_")
    for name in (f"functions.{room}", f"nn.functional.{short}", f"nn.{short}", f"nn.utils.{short}", room):
        if (HERE.parent / "tinygrad_notes" / f"{name.replace('.', '/')}.py").exists():
            documented = importlib.import_module(f"tinygrad_notes.{name}").__doc__ or name
            return (
                documented.splitlines()[0].split(":")[0].replace(" under PyTorch's names", "").replace("``", "`").rstrip(".,")
            )
    return room


def function_of(name: str) -> Any:
    """What ``tn.<name>`` is."""
    found: Any = tn
    for part in name.split("."):
        found = getattr(found, part)
    return found


def _line(name: str, samples: list[Sample]) -> str:
    documented = (function_of(name).__doc__ or "").strip().split("\n\n")[0].replace("\n", " ")
    what = " ".join(documented.split()).replace("``", "`").replace("|", "\\|")
    rows = ", ".join(dict.fromkeys(row for sample in samples for row in _rows(sample)))
    orders = max(sample.orders for sample in samples)
    derivative = ("–", "1", "any")[orders]
    dtypes = "".join(letter for letter in DTYPES if any(_runs(sample, letter) for sample in samples))
    differs = " ".join(dict.fromkeys(sample.differs for sample in samples if sample.differs)).replace("|", "\\|")
    return f"| `{name}` | {what} | {rows} | {derivative} | {dtypes} | {differs} |\n"


def _tensors(inputs: tuple[Input, ...], letter: str | None = None) -> list[tn.Tensor]:
    """The inputs of a sample; with ``letter``, the main ones in another dtype."""
    main = "f" if any(given.kind == "f" for given in inputs) else inputs[0].kind if inputs else ""
    found = []
    for seed, given in enumerate(inputs):
        array = given.array(np.float32, seed)
        found.append(from_array(array.astype(DTYPES[letter]) if letter and given.kind == main else array))
    return found


def _rows(sample: Sample) -> Iterator[str]:
    tn.manual_seed(0)
    inputs = _tensors(sample.inputs)
    with tn.Tape() as tape:
        sample.call(tn, *inputs)
    computed = [node.op.name for node in tape.nodes if node.op.kind != "view"]
    return iter(computed or [node.op.name for node in tape.nodes])


def _runs(sample: Sample, letter: str) -> bool:
    if not sample.inputs:
        return False
    try:
        sample.call(tn, *_tensors(sample.inputs, letter))
    except (RuntimeError, TypeError, ValueError, IndexError, ZeroDivisionError):
        return False
    return True


if __name__ == "__main__":
    (HERE / "reference.md").write_text(reference(), encoding="utf-8")
