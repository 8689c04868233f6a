"""The house: layers import downward only, files stay small, the stub is up to date, importing is cheap and changes nothing."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "tinygrad_notes"

# fmt: off
# The layers of the engine, lowest first. Within a layer, the order of the line is the order of imports.
LAYERS: list[list[str]] = [
    ["kernels"],
    ["errors", "dtypes", "replay", "modes", "optable", "listing", "tape", "storage"],
    ["rules", "engine"],
    ["literal", "tensor", "inplace", "explain", "dispatch"],
    ["ops"],
    [
        "functions.arguments", "functions.names", "functions.results", "functions.device", "functions.convert", "functions.shape",
        "functions.pieces", "functions.moving", "functions.padding",
        "functions.pointwise", "functions.trigonometry", "functions.rounding", "functions.logic", "functions.bounds",
        "functions.reduce",
        "functions.moments", "functions.scan", "functions.sort", "functions.counting", "functions.linalg", "functions.einsum",
        "functions.select",
        "functions.index", "functions.scatter", "functions.creation", "functions.generator", "functions.random", "functions.activation",
    ],
    [
        "gradcheck", "func", "anomaly", "autograd", "viz", "interop", "linalg", "einops_backend", "methods", "custom", "testing",
        "stubs", "io", "nn.functional", "information",
    ],
    ["nn", "optim", "utils"],
    ["data", "models", "train", "warmup", "cli"],
]
# fmt: on
HEIGHT = {name: height for height, names in enumerate(LAYERS) for name in names}
CEILING = 320


def _files() -> list[Path]:
    return sorted([*PACKAGE.rglob("*.py"), *(ROOT / "kernels").rglob("*.py")])


def _module(path: Path) -> str:
    parts = path.relative_to(PACKAGE if PACKAGE in path.parents else ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def _room(module: str) -> str | None:
    """The entry of LAYERS that a module belongs to: the longest that begins its name."""
    parts = module.split(".")
    for n in range(len(parts), 0, -1):
        if ".".join(parts[:n]) in HEIGHT:
            return ".".join(parts[:n])
    return None


def _imports(path: Path) -> set[str]:
    """Modules of ours that a file imports when it runs (what stands under TYPE_CHECKING is for type checkers only)."""
    module = _module(path)
    here = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    here = [part for part in here if part]
    found: set[str] = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for child in node.body
        for inner in ast.walk(child)
    }
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.ImportFrom) and node.level:
            base = here[: len(here) - node.level + 1]
            target = [*base, *(node.module.split(".") if node.module else [])]
            for alias in node.names:
                full = ".".join([*target, alias.name])
                found.add(full if _exists(full) else ".".join(target))
        elif isinstance(node, ast.Import):
            found.update(a.name.removeprefix("tinygrad_notes.") for a in node.names if a.name.startswith("tinygrad_notes"))
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("tinygrad_notes"):
            found.add(node.module.removeprefix("tinygrad_notes").lstrip("."))
    return found - {""}


def _exists(module: str) -> bool:
    base = ROOT if module.startswith("kernels") else PACKAGE
    path = base.joinpath(*module.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


@pytest.mark.parametrize("path", _files(), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_go_downward(path: Path) -> None:
    module = _module(path)
    if module in ("", "functions", "ops"):  # the face sees everything; the two folders only list their rooms
        return
    room = _room(module)
    assert room is not None, f"{module} is in no layer: give it a place in LAYERS"
    for target in _imports(path):
        other = _room(target)
        if other is None or other == room:
            continue
        assert HEIGHT[other] <= HEIGHT[room], f"{module} (layer {HEIGHT[room]}) imports {target} (layer {HEIGHT[other]})"
        if HEIGHT[other] == HEIGHT[room] and room in LAYERS[HEIGHT[room]]:
            order = LAYERS[HEIGHT[room]]
            assert order.index(other) < order.index(room) or HEIGHT[room] >= 7, (
                f"{module} imports its right-hand neighbour {target}"
            )


def test_kernels_know_nothing_of_ours() -> None:
    for path in (ROOT / "kernels").rglob("*.py"):
        assert {t for t in _imports(path) if not t.startswith("kernels")} == set(), path


def test_the_check_itself_sees_an_upward_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = PACKAGE / "ops" / "imaginary.py"
    monkeypatch.setattr(Path, "read_text", lambda self, **_: "from ..nn import functional\nfrom .. import tensor\n")
    assert {"nn.functional", "tensor"} <= _imports(bad)
    with pytest.raises(AssertionError, match=r"imports nn\.functional"):
        test_imports_go_downward(bad)


def test_files_are_small_enough_to_hold_in_the_head() -> None:
    lengths = {str(p.relative_to(ROOT)): len(p.read_text(encoding="utf-8").splitlines()) for p in _files()}
    too_long = {name: n for name, n in lengths.items() if n > CEILING}
    assert not too_long
    assert lengths["tinygrad_notes/replay.py"] <= 200


def test_the_stub_shows_what_is_attached() -> None:
    from tinygrad_notes.stubs import stub

    assert (PACKAGE / "_methods.pyi").read_text(encoding="utf-8") == stub(), "run `make stub`"


def test_import_loads_nothing_heavy_and_changes_nothing() -> None:
    code = """
import sys, warnings, signal, threading, numpy as np
before = (np.geterr(), list(warnings.filters), signal.getsignal(signal.SIGINT), threading.active_count(), set(sys.modules))
import tinygrad_notes as tn
after = (np.geterr(), list(warnings.filters), signal.getsignal(signal.SIGINT), threading.active_count())
assert before[:4] == after, (before[:4], after)
heavy = {m.split(".")[0] for m in set(sys.modules) - before[4]} & {
    "numba", "llvmlite", "graphviz", "pygraphviz", "matplotlib", "safetensors", "tqdm", "torch", "scipy", "sklearn"}
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)
