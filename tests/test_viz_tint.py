"""Norms and the colours that show them: vanishing, exploding, dead, not finite."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.viz.norms import Norm, norm_of, norms_of_backward, norms_of_gradients, norms_of_values
from tinygrad_notes.viz.rollup import Box, Graph
from tinygrad_notes.viz.source import record
from tinygrad_notes.viz.tint import Tint, show


def chain(factor: float, steps: int = 50) -> tuple[tn.Tape, tn.Tensor]:
    """The gradient at step t is ``factor ** (steps - t)``."""
    x = tn.tensor([1.0], dtype=tn.float64, requires_grad=True)
    with tn.Tape() as tape:
        h = x
        for t in range(steps):
            with tn.scope("step", t):
                h = h * factor
        h.sum().backward()
    return tape, x


def box_of(graph: Graph, op: str, role: str) -> Box:
    (found,) = (box for box in graph.boxes if box.role == role and box.members[0].op.name == op)
    return found


def luminance(color: str) -> float:
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    ]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def warmth(colors: Sequence[str]) -> list[int]:
    """Red less blue."""
    return [int(color[1:3], 16) - int(color[5:7], 16) for color in colors]


# ---- norms ----


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([3.0, -4.0], Norm(5.0)),
        ([], Norm(0.0)),
        ([0.0, -0.0], Norm(0.0)),
        ([3e200, 4e200], Norm(5e200)),
        ([3e-200, 4e-200], Norm(5e-200)),
        ([float("nan"), 2.0, float("inf"), float("-inf")], Norm(2.0, 1, 2)),
    ],
)
def test_norms_neither_overflow_nor_vanish(values: list[float], expected: Norm) -> None:
    found = norm_of(np.array(values))
    assert (found.nan, found.inf) == (expected.nan, expected.inf)
    assert found.size == pytest.approx(expected.size, rel=1e-14)


def test_norms_of_values_and_gradients_are_those_of_the_arrays() -> None:
    rng = np.random.default_rng(0)
    w = tn.tensor(rng.normal(size=(3, 3)), requires_grad=True)
    x = tn.tensor(rng.normal(size=(2, 3)))
    with tn.Tape() as tape:
        a = x @ w
        b = a.tanh()
        (b * b).sum().backward()
    values, gradients = norms_of_values(tape), norms_of_gradients(tape)
    a2 = (x @ w).detach().requires_grad_()
    (ga,) = tn.autograd.grad((a2.tanh() * a2.tanh()).sum(), a2)
    assert values[b._current_node()].size == pytest.approx(np.linalg.norm(b.detach().numpy()))
    assert gradients[a._current_node()].size == pytest.approx(np.linalg.norm(ga.numpy()))
    assert gradients[w._current_node()].size == pytest.approx(np.linalg.norm(w.grad.numpy()))
    assert x._current_node() not in gradients


def test_the_last_backward_pass_on_a_tape_counts() -> None:
    x = tn.tensor([2.0], requires_grad=True)
    with tn.Tape() as tape:
        y = x * 3.0
        y.sum().backward(retain_graph=True)
        (y * 5.0).sum().backward()
    found = norms_of_gradients(tape)
    assert (found[x._current_node()], found[y._current_node()]) == (Norm(15.0), Norm(5.0))


def test_a_graph_without_a_tape_is_measured_by_a_backward_of_its_own() -> None:
    tape, x = chain(0.5, 6)
    y = x
    for _ in range(6):
        y = y * 0.5
    found = norms_of_backward([y.grad_fn], [x._current_node(), y.grad_fn])
    assert found == {y.grad_fn: Norm(1.0), x._current_node(): Norm(0.5**6)}
    assert norms_of_gradients(tape)[x._current_node()] == Norm(0.5**6)


def test_a_module_is_tinted_without_leaving_gradients() -> None:
    net = tn.nn.Linear(2, 2)
    recording = record(net, tn.ones(1, 2), 0)
    found = recording.norms("grad")
    assert found[net.bias._current_node()].size == pytest.approx(2**0.5)
    assert net.bias.grad is None


# ---- the scale ----


@pytest.mark.parametrize(("factor", "order"), [(0.1, 1), (10.0, -1)])
def test_vanishing_and_exploding_gradients_are_seen(factor: float, order: int) -> None:
    tape, _ = chain(factor)
    graph = tn.viz.graph(tape)
    shade = Tint(norms_of_gradients(tape), "").shade(box_of(graph, "mul", "forward"))
    blue_to_red = warmth(shade.colors)[::order]
    assert len(shade.colors) == 12
    assert blue_to_red == sorted(blue_to_red)
    assert blue_to_red[0] < -100 < 100 < blue_to_red[-1]
    assert shade.text == ("1.0e-49 … 1" if factor < 1 else "1 … 1.0e49")


def test_stripes_of_gradients_stand_in_the_order_of_forward() -> None:
    tape, _ = chain(0.1)
    graph, tint = tn.viz.graph(tape), Tint(norms_of_gradients(tape), "")
    forward = tint.shade(box_of(graph, "mul", "forward")).colors
    backward = tint.shade(box_of(graph, "mul", "gradient")).colors
    assert warmth(forward) == sorted(warmth(forward))
    assert warmth(backward) == sorted(warmth(backward))


def test_norms_that_hardly_differ_do_not_look_different() -> None:
    tape, _ = chain(1.05, 10)
    colors = Tint(norms_of_gradients(tape), "").shade(box_of(tn.viz.graph(tape), "mul", "forward")).colors
    channels = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in colors])
    assert np.ptp(channels, axis=0).max() < 30


def test_the_legend_has_numbers_and_black_text_is_readable_on_every_shade() -> None:
    tape, _ = chain(0.1)
    legend = Tint(norms_of_gradients(tape), "").legend()
    sizes = [float(text) for _, text in legend if text != "none"]
    assert sizes == sorted(sizes)
    assert (sizes[0], sizes[-1]) == (pytest.approx(1e-50), 1.0)
    for color, _ in legend:
        assert (luminance(color) + 0.05) / 0.05 > 6  # contrast with black


def test_what_is_not_finite_is_black_and_says_how_often() -> None:
    x = tn.tensor([1.0], requires_grad=True)
    with tn.Tape() as tape:
        h = x
        for t in range(6):
            with tn.scope("step", t):
                h = h * (float("nan") if t == 4 else 1.0)
    text = tn.viz.dot(tape, tint="value")
    assert "NaN in 2 of 6" in text
    assert 'fillcolor="#000000"' in text
    assert "fontcolor=white" in text
    assert ">NaN, inf<" in text
    drawn = tn.viz.draw(tape, tint="value").plain
    assert "NaN in 2 of 6" in drawn
    assert 'fill="white" font-size="10" text-anchor="middle">NaN in 2 of 6' in drawn
    with tn.Tape() as tape:
        _ = tn.tensor([1.0, 1e30]) * 1e30
    assert re.search(r'label="mul · 1e\+30\\ninf"', tn.viz.dot(tape, tint="value"))


def test_a_dead_gradient_is_told_from_an_unknown_one() -> None:
    x, y = (tn.tensor([-1.0], requires_grad=True) for _ in range(2))
    with tn.Tape() as tape:
        z = tn.where(x > 0, x, 0.0).sum() + y.sum()
        _ = y.exp()
        z.backward()
    text = tn.viz.dot(tape, tint="grad")
    assert ">0<" in text
    (grey,) = (color for color, said in Tint(norms_of_gradients(tape), "").legend() if said == "0")
    assert re.search(rf'label="parameter\\n1\\n0", fillcolor="{grey}"', text)
    assert re.search(r'label="exp", fillcolor="#ffffff"', text)


def test_a_folded_box_shows_the_range_of_what_is_in_it() -> None:
    tape, _ = chain(0.1)
    text = tn.viz.dot(tape, depth=1, tint="grad")
    assert re.search(r'label="step ×50\\n50 ops\\n1\.0e-49 … 1", fillcolor="#\w+(:#\w+){11}".*style=striped', text)


def test_tinting_a_training_step_does_not_train() -> None:
    w = tn.tensor([2.0], requires_grad=True)
    with tn.Tape() as tape:
        (w * w).sum().backward()
        with tn.no_grad():
            w -= 0.1 * w.grad
    before = w.item()
    first = tn.viz.dot(tape, tint="grad")
    assert tn.viz.dot(tape, tint="grad") == first
    assert w.item() == before


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0"), (1, "1"), (0.41, "0.41"), (123.4, "123"), (3.21e-9, "3.2e-9"), (12345, "1.2e4")]
)
def test_numbers_are_short(size: float, text: str) -> None:
    assert show(size) == text
