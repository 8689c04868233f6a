"""What pictures can be of: modules, functions, Tensors, derivatives; and how what they show is placed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.viz.rollup import Box, Graph
from tinygrad_notes.viz.sides import bundles, sides_of


class Tanh(tn.nn.Module):
    def forward(self, x: tn.Tensor) -> tn.Tensor:
        return x.tanh()


def deep(layers: int, size: int = 4) -> tn.nn.Sequential:
    tn.manual_seed(0)
    return tn.nn.Sequential(*(part for _ in range(layers) for part in (tn.nn.Linear(size, size), Tanh())))


def where(box: Box) -> str:
    return "/".join(group.label for group in box.group.chain())


def ops(graph: Graph, role: str) -> set[tuple[str, str, int]]:
    return {(where(box), box.members[0].op.name, len(box.members)) for box in graph.boxes if box.role == role}


# ---- sources ----


def test_a_module_is_called_and_its_call_drawn() -> None:
    net = tn.nn.Linear(3, 2)
    graph = tn.viz.graph(net, inputs=np.ones((4, 3), "f4"))
    names = {name for box in graph.boxes for name in box.names}
    assert names == {"linear.weight", "linear.bias", "input"}
    assert {box.role for box in graph.boxes} == {"parameter", "data", "forward"}


def test_a_function_of_several_arguments_and_results_is_drawn_too() -> None:
    x, y = tn.ones(2, requires_grad=True), tn.ones(2)

    def function(x: tn.Tensor, y: tn.Tensor, scale: float) -> dict[str, Any]:
        return {"sum": (x + y, [x * y * scale]), "note": "text"}

    graph = tn.viz.graph(function, inputs=(x, y, 2.0), order=1)
    assert {name for box in graph.boxes for name in box.names} == {"input 0", "input 1"}
    assert {name for _, name, _ in ops(graph, "forward")} == {"add", "mul"}
    assert {name for _, name, _ in ops(graph, "gradient")} == {"mul", "add"}


def test_drawing_leaves_no_trace() -> None:
    net, x = deep(2), tn.ones(1, 4)
    loss = net(x).sum()
    with tn.Tape() as tape:
        tn.viz.graph(net, inputs=x, order=2)
        tn.viz.dot(loss, order=1, tint="grad")
    assert len(tape) == 0
    assert all(p.grad is None for p in net.parameters())
    loss.backward()  # the graph was kept


def test_order_draws_the_gradient_beside_and_its_gradient_beside_that() -> None:
    x = tn.tensor([1.0, 2.0], requires_grad=True)
    y = (x * x * x).sum()
    found = [{box.role for box in tn.viz.graph(y, order=n).boxes} for n in range(3)]
    assert ["second" in roles for roles in found] == [False, False, True]
    assert ["gradient" in roles for roles in found] == [False, True, True]
    graph = tn.viz.graph(y, order=2)
    sides = sides_of(graph)
    assert {sides[box] for box in graph.boxes} == {"forward", "backward", "second"}
    assert {where(box).split("/")[0] for box in graph.boxes if box.role == "second"} == {"double backward"}
    plain, bundled = bundles(graph, sides)
    assert {(sides[e.source], sides[e.target]) for b in bundled for e in b.edges} >= {
        ("forward", "backward"),
        ("forward", "second"),
    }
    assert all(sides[e.source] == sides[e.target] for e in plain)


def test_a_derivative_that_vanishes_is_said() -> None:
    graph = tn.viz.graph(lambda x: x * 2.0, inputs=tn.ones(2, requires_grad=True), order=2)
    assert graph.notes == ["the derivative of order 2 is 0 everywhere"]


def test_a_gradient_penalty_is_told_from_a_plain_second_backward() -> None:
    w = tn.tensor([1.0, 2.0], requires_grad=True)
    with tn.Tape() as tape:
        loss = (w * w * w).sum()
        (g,) = tn.autograd.grad(loss, w, create_graph=True)
        penalty = (g * g).sum()
        done = len(tape)
        penalty.backward()
    graph = tn.viz.graph(tape, views=True)
    roles = {node: box.role for box in graph.boxes for node in box.members}
    assert {roles[node] for node in tape.nodes[done:]} == {"second"}
    assert "second" not in {roles[node] for node in tape.nodes[:done]}
    assert {where(box) for box in graph.boxes if box.role == "second"} == {"double backward", "double backward/backward"}
    with tn.Tape() as tape:  # two passes of first order, the second of which adds to what the first has left
        for _ in range(2):
            (w * w).sum().backward()
    assert "second" not in {box.role for box in tn.viz.graph(tape).boxes}


# ---- what repeats ----


def test_numbered_modules_that_repeat_roll_up_to_blocks() -> None:
    graph = tn.viz.graph(deep(50), inputs=tn.ones(2, 4), order=1)
    forward = {(place, op, n) for place, op, n in ops(graph, "forward")}
    assert forward == {("sequential/0…99 ×50", op, 50) for op in ("matmul", "add", "tanh")}
    assert "backward/sequential/0…99 ×50" in {where(box) for box in graph.boxes}
    (carry,) = {edge.carry.name for edge in graph.edges if edge.carry is not None}
    assert carry == "0…99"


def test_what_does_not_repeat_stays_apart() -> None:
    repeated = (part for _ in range(3) for part in (tn.nn.Linear(4, 4), Tanh()))
    net = tn.nn.Sequential(tn.nn.Linear(3, 4), *repeated, tn.nn.Linear(4, 2))
    places = {where(box) for box in tn.viz.graph(net, inputs=tn.ones(1, 3)).boxes if box.role == "forward"}
    assert places == {"sequential/0", "sequential/1…6 ×3", "sequential/7"}
    two = tn.viz.graph(deep(2), inputs=tn.ones(1, 4))
    assert {where(box) for box in two.boxes if box.role == "forward"} == {f"sequential/{i}" for i in range(4)}


def test_what_a_loop_does_outside_its_modules_rolls_up_too() -> None:
    class Tower(tn.nn.Module):
        def __init__(self) -> None:
            self.layers = tn.nn.ModuleList([tn.nn.Linear(3, 3) for _ in range(20)])

        def forward(self, x: tn.Tensor) -> tn.Tensor:
            for layer in self.layers:
                x = layer(x).tanh()
            return x

    graph = tn.viz.graph(Tower(), inputs=tn.ones(2, 3), order=1)
    assert ("tower", "tanh", 20) in ops(graph, "forward")
    assert len(graph.boxes) < 25
    members = [node for box in graph.boxes for node in box.members]
    assert len(members) == len(set(members))


def test_different_readers_of_one_step_are_not_merged() -> None:
    h = tn.tensor([1.0], requires_grad=True)
    with tn.Tape() as tape:
        for t in range(5):
            with tn.scope("step", t):
                h = h.sin()
        _ = (h * 2.0, h * 3.0, h * 4.0)
    assert [n for _, op, n in ops(tn.viz.graph(tape), "forward") if op == "mul"] == [1]
    assert sum(box.members[0].op.name == "mul" for box in tn.viz.graph(tape).boxes) == 3


# ---- errors ----


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((3,), TypeError, r"draws a Tape, a Tensor, or a module .* not a int"),
        ((tn.nn.Linear(2, 2),), TypeError, r"to draw Linear it must be called; give inputs=x"),
        ((tn.nn.Linear(2, 2), tn.ones(2)), TypeError, r"path is a file name, not a Tensor.*draw\(model, inputs=x\)"),
        ((tn.Tape(), None, {"inputs": tn.ones(2)}), TypeError, r"a Tape is drawn as it is"),
        ((tn.Tape(), None, {"order": 1}), ValueError, r"a tape is drawn as it was recorded"),
        ((tn.Tape(), None, {"order": -1}), ValueError, r"order: 0 draws forward"),
        ((tn.Tape(), None, {"tint": "loss"}), ValueError, r"\"value\" and \"grad\".*not 'loss'"),
        ((tn.Tape(), None, {"tint": "grad"}), ValueError, r"no gradient here; call loss\.backward\(\) inside"),
        ((tn.ones(2, requires_grad=True) * 2, None, {"tint": "value"}), ValueError, r"does not hold its values; record it"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_the_way_out(arguments: Any, error: type[Exception], message: str) -> None:
    source, path, options = (*arguments, None, {})[:3] if len(arguments) < 3 else arguments
    with pytest.raises(error, match=message):
        tn.viz.draw(source, path, **(options or {}))


def test_a_freed_graph_says_so() -> None:
    x = tn.ones(2, requires_grad=True)
    y = (x * x).sum()
    y.backward()
    for options in ({"order": 1}, {"tint": "grad"}):
        with pytest.raises(tn.errors.GraphError, match="already used by an earlier backward"):
            tn.viz.dot(y, **options)
    assert "digraph" in tn.viz.dot(y)
