"""What pictures know of values: a tape observed, and which node holds whose gradient."""

from __future__ import annotations

import numpy as np

import tinygrad_notes as tn
from tinygrad_notes.replay import observe
from tinygrad_notes.tape import Node


def step(w: tn.Tensor, x: tn.Tensor) -> dict[str, tn.Tensor]:
    """Forward, backward, an update in place."""
    a = x @ w
    b = a.tanh()
    loss = (b * b).sum()
    loss.backward()
    with tn.no_grad():
        w -= 0.5 * w.grad
    return {"a": a, "b": b, "loss": loss}


def weights() -> tuple[tn.Tensor, tn.Tensor]:
    rng = np.random.default_rng(0)
    return tn.tensor(rng.normal(size=(3, 3)), requires_grad=True), tn.tensor(rng.normal(size=(2, 3)))


def test_observing_tells_every_value_and_writes_nothing() -> None:
    w, x = weights()
    with tn.Tape() as tape:
        made = step(w, x)
    before = w.detach().numpy().copy()
    told: dict[Node, np.ndarray] = {}
    observe(tape, lambda node, value: told.__setitem__(node, value.copy()))
    assert list(told) == [*tape.leaves, *tape.nodes]
    assert w.detach().numpy().tobytes() == before.tobytes()
    expected = np.tanh(x.numpy() @ before)  # of the parameters as they are now
    np.testing.assert_array_equal(told[made["b"]._current_node()], expected)
    last = tape.nodes[-1]
    assert last.op.writes
    assert not np.array_equal(told[last], before), "the copy was trained"


def test_the_tape_knows_which_node_holds_whose_gradient() -> None:
    w, x = weights()
    with tn.Tape() as tape:
        a = x @ w
        b = a.tanh()
        (b * b).sum().backward()
    told: dict[Node, np.ndarray] = {}
    observe(tape, lambda node, value: told.__setitem__(node, value.copy()))
    w2, x2 = weights()
    a2 = x2 @ w2
    b2 = a2.tanh()
    expected = tn.autograd.grad((b2 * b2).sum(), [w2, a2, b2])
    for tensor, gradient in zip((w, a, b), expected, strict=True):
        (holder,) = tape.gradients[tensor._current_node()]
        np.testing.assert_allclose(told[holder], gradient.numpy(), rtol=1e-12)


def test_every_recorded_pass_adds_its_gradient() -> None:
    w, x = weights()
    with tn.Tape() as tape:
        a = x @ w
        (g,) = tn.autograd.grad((a * a * a).sum(), w, create_graph=True)
        with tn.Tape() as inner:
            (g * g).sum().backward()
    assert [len(tape.gradients[t._current_node()]) for t in (w, a, g)] == [2, 2, 1]
    assert len(inner.gradients[a._current_node()]) == 1


def test_the_first_cotangent_is_a_constant_of_the_tape() -> None:
    w, x = weights()
    with tn.Tape() as tape:
        loss = (x @ w).sum()
        loss.backward()
    (one,) = tape.gradients[loss._current_node()]
    assert one in tape.constants
