"""Random programs against torch: those that once failed, a few dozen new ones, and in ``make test-all`` a thousand."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import tinygrad_notes as tn
from tinygrad_notes.optable import TABLE

pytest.importorskip("torch")
from programs import KEPT, Pair, disagreement, keep, kept, shrunk
from programs.__main__ import main
from programs.generate import Generator

pytestmark = pytest.mark.torch

BATCH = 10


def check(seeds: range) -> None:
    for seed in seeds:
        lines = Generator(seed).program()
        if disagreement(lines):
            smaller = shrunk(lines)
            pytest.fail(f"seed {seed}: {disagreement(smaller)}\n" + "\n".join(smaller))


@pytest.mark.parametrize("name", kept())
def test_programs_that_once_failed(name: str) -> None:
    lines = kept()[name]
    assert lines
    assert disagreement(lines) == ""


@pytest.mark.slow
@pytest.mark.parametrize("start", range(10_000, 10_040, BATCH))
def test_some_random_programs(start: int) -> None:
    check(range(start, start + BATCH))


@pytest.mark.long
@pytest.mark.parametrize("start", range(0, 1000, BATCH))
def test_a_thousand_random_programs(start: int) -> None:
    check(range(start, start + BATCH))


# ---- the testers ----


def test_a_seed_gives_one_program_of_2_to_60_lines_with_writes_views_and_gradients() -> None:
    programs = [Generator(seed).program() for seed in range(40)]
    assert programs[:5] == [Generator(seed).program() for seed in range(5)]
    assert all(2 <= len(lines) <= 62 for lines in programs)
    text = "\n".join("\n".join(lines) for lines in programs)
    for part in ("_(", "] = ", "[::2]", ".detach()", "no_grad", ".backward(", "autograd.grad(", "retain_grad()", "sample("):
        assert part in text, part
    reached = [name for lines in programs for t in [Pair(lines).ours.tensors()] for name in t if t[name].grad is not None]
    assert len(reached) > 20


def test_a_wrong_rule_is_found_and_shrunk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    right = TABLE["tanh"].backward

    def wrong(node: object, saved: object, g: object, *rest: object) -> None:
        right(node, saved, g * 1.001, *rest)  # type: ignore[operator]

    lines = [
        "v0 = leaf(1, (2, 3))",
        "v1 = leaf(2, (2, 3))",
        "v2 = v0[0]",
        "v3 = v1 * v1",
        "v4 = m.tanh(v2)",
        "v5 = v3 + v3",
        "(v4 * v4).sum().backward(retain_graph=True)",
    ]
    assert disagreement(lines) == ""
    monkeypatch.setattr(TABLE["tanh"], "backward", wrong)
    assert disagreement(lines).startswith("v0.grad is [[")
    assert shrunk(lines) == [lines[i] for i in (0, 2, 4, 6)]
    monkeypatch.setattr(sys.modules["programs"], "KEPT", tmp_path)
    path = keep(shrunk(lines), "why", "tanh")
    assert path.read_text().startswith("# why\nv0 = leaf(1, (2, 3))\n")
    assert kept() == {"tanh": shrunk(lines)}
    assert tmp_path != KEPT


DIFFERENCES = {
    "a value": ("v1 = v0 * (1 + 1e-8 * (m.__name__ == 'torch'))", "v1 is "),
    "a shape": ("v1 = v0.sum(0, keepdim=m.__name__ == 'torch')", "v1 is float64[3] here, float64[1, 3] in torch"),
    "a dtype": ("v1 = v0.to(m.float32 if m.__name__ == 'torch' else m.float64)", "v1 is float64[2, 3] here, float32"),
    "a flag": ("v1 = v0.detach() if m.__name__ == 'torch' else v0 * 1", "v1.requires_grad is True here, False in torch"),
    "an error here": ("v1 = v0.item() if m.__name__ != 'torch' else v0", "raises CountError: item"),
    "an error in torch": ("v1 = v0.nothing() if m.__name__ == 'torch' else v0", "raises nothing here, AttributeError"),
    "a gradient": ("(v0 * v0).sum().backward() if m.__name__ == 'torch' else v0.sum().backward()", "v0.grad is [["),
    "no gradient": ("v0.sum().backward() if m.__name__ == 'torch' else None", "v0.grad is None here, a Tensor in torch"),
}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_every_kind_of_difference_is_seen(name: str) -> None:
    line, message = DIFFERENCES[name]
    assert message in disagreement(["v0 = leaf(1, (2, 3))", line])


def test_what_torch_itself_cannot_decide_is_no_difference() -> None:
    jump = "v1 = m.where(v0 * 1e13 % 2 > 1, v0, -v0)"
    assert Pair(["v0 = leaf(1, (2, 3))", jump], nudged=True).compare()
    assert disagreement(["v0 = leaf(1, (2, 3))", jump, "v2 = v1 * (1 + (m.__name__ == 'torch'))"]) == ""


def test_the_command_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["fuzz", "--count", "2", "--seed", "5", "--length", "6"])
    assert main() == 0
    assert "2 programs from seed 5" in capsys.readouterr().out
    monkeypatch.setattr(tn.Tensor, "clone", lambda self: self.detach())
    monkeypatch.setattr(sys, "argv", ["fuzz", "--count", "12", "--length", "20"])
    assert main() == 1
    out = capsys.readouterr().out
    assert "seed " in out
    assert "here" in out
