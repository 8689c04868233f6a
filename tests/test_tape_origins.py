"""What backward tells the tape: whose rule recorded what."""

from __future__ import annotations

import tinygrad_notes as tn


def recorded() -> tuple[tn.Tape, tn.Tensor, tn.Tensor]:
    x = tn.tensor([0.5, -1.0, 2.0], requires_grad=True)
    with tn.Tape() as tape:
        y = x.tanh()
        loss = (y * y).sum()
        loss.backward()
    return tape, y, loss


def test_origins_are_the_rules() -> None:
    tape, y, loss = recorded()
    tanh, total = y._node, loss._node
    of = {node.op.name: [n.op.name for n in tape.nodes if tape.origins.get(n) is node] for node in (tanh, total)}
    assert of == {"tanh": ["mul", "mul", "sub"], "sum": ["reshape", "broadcast"]}
    assert all(node.scope.path.startswith("backward") for node in tape.origins)
    clone = tape.nodes[-1]
    assert clone.op.name == "clone", "what backward does with the finished gradient is nobody's rule"
    assert clone not in tape.origins


def test_an_inner_tape_hands_its_origins_on() -> None:
    x = tn.tensor(2.0, requires_grad=True)
    with tn.Tape() as outer, tn.Tape() as inner:
        (x * x).backward()
    assert inner.origins
    assert outer.origins == inner.origins
