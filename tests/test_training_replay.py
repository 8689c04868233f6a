"""The gate of the tape: a whole training step is recorded once, and replaying it is training.

LSTM + dropout + cross-entropy + clipping by global norm + Adam + StepLR, state written in place: 20 replays equal 20 eager
steps bit for bit, parameters, moments, learning rate, random stream and losses alike.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn, optim

V, E, H, T, B = 11, 5, 6, 7, 3


class Model(nn.Module):
    def __init__(self) -> None:
        self.embed = nn.Embedding(V, E)
        self.lstm = nn.LSTM(E, H, num_layers=2, dropout=0.2)
        self.drop = nn.Dropout(0.3)
        self.head = nn.Linear(H, V)

    def forward(self, x: tn.Tensor) -> tn.Tensor:
        out, _ = self.lstm(self.embed(x))
        logits: tn.Tensor = self.head(self.drop(out))
        return logits


class Training:
    """One model with everything that a step touches."""

    def __init__(
        self, seed: int, micro_batches: int = 1, frozen: str | None = None, make: Callable[..., optim.Optimizer] = optim.Adam
    ):
        tn.manual_seed(seed)
        self.model = Model()
        if frozen:
            dict(self.model.named_parameters())[frozen].requires_grad_(False)
        self.optimizer = make([q for q in self.model.parameters() if q.requires_grad], lr=0.01)
        self.schedule = optim.lr_scheduler.StepLR(self.optimizer, step_size=3, gamma=0.5)
        rng = np.random.default_rng(seed)
        self.batches = rng.integers(0, V, (40, micro_batches, 2, T, B))
        self.data = [(tn.zeros(T, B, dtype=tn.int64), tn.zeros(T, B, dtype=tn.int64)) for _ in range(micro_batches)]

    def feed(self, number: int) -> None:
        for (x, y), (new_x, new_y) in zip(self.data, self.batches[number], strict=True):
            x.copy_(tn.tensor(new_x))
            y.copy_(tn.tensor(new_y))

    def step(self) -> tn.Tensor:
        self.optimizer.zero_grad()
        total = tn.zeros(())
        for x, y in self.data:
            loss = nn.functional.cross_entropy(self.model(x).flatten(0, 1), y.flatten()) / len(self.data)
            loss.backward()
            total = total + loss.detach()
        nn.utils.clip_grad_norm_(self.model.parameters(), 0.5)
        self.optimizer.step()
        self.schedule.step()
        return total

    def state(self) -> list[np.ndarray]:
        found = [q.detach().numpy().copy() for q in self.model.parameters()]
        for entries in self.optimizer.state.values():
            found += [value.numpy().copy() for value in entries.values()]
        found += [group["lr"].numpy().copy() for group in self.optimizer.param_groups]
        return [*found, tn.functions.random.default_generator.get_state().numpy()]


VARIANTS = {
    "plain": {},
    "two micro-batches": {"micro_batches": 2},
    "one frozen parameter": {"frozen": "lstm.weight_hh_l0"},
    "frozen embedding, two micro-batches": {"frozen": "embed.weight", "micro_batches": 2},
    "sgd with momentum": {"make": lambda p, lr: optim.SGD(p, lr, momentum=0.9, nesterov=True, weight_decay=0.01)},
    "adamw": {"make": lambda p, lr: optim.AdamW(p, lr, amsgrad=True)},
    "adam, decay": {"make": lambda p, lr: optim.Adam(p, lr, weight_decay=0.01)},
    "adamax": {"make": optim.Adamax},
    "nadam": {"make": lambda p, lr: optim.NAdam(p, lr, weight_decay=0.01)},
    "radam": {"make": lambda p, lr: optim.RAdam(p, lr, betas=(0.9, 0.9))},
    "adagrad": {"make": lambda p, lr: optim.Adagrad(p, lr, lr_decay=0.1)},
    "adadelta": {"make": optim.Adadelta},
    "rmsprop": {"make": lambda p, lr: optim.RMSprop(p, lr, centered=True, momentum=0.5)},
}


@pytest.mark.parametrize("options", VARIANTS.values(), ids=VARIANTS.keys())
def test_twenty_replays_are_twenty_eager_steps(options: dict) -> None:
    def run(replayed: bool) -> tuple[list[bytes], list[list[np.ndarray]]]:
        training = Training(seed=3, **options)
        losses, states = [], []
        training.feed(0)
        training.step()  # moments are born here
        training.feed(1)
        tape = None
        if replayed:
            with tn.Tape() as tape:
                loss = training.step()
        else:
            loss = training.step()
        for number in range(2, 22):
            if number == 9:
                training.optimizer.param_groups[0]["lr"] = 0.003
            if number == 15:
                training.optimizer.param_groups[0]["lr"] *= 2
            training.feed(number)
            value = training.step().numpy() if tape is None else tape.replay(loss)[0]
            losses.append(value.tobytes())
            states.append(training.state())
        return losses, states

    eager, replayed = run(False), run(True)
    assert len(set(eager[0])) == 20, "every step must differ: fresh batches, fresh masks"
    assert eager[0] == replayed[0]
    for step, (a, b) in enumerate(zip(eager[1], replayed[1], strict=True)):
        for i, (x, y) in enumerate(zip(a, b, strict=True)):
            assert x.tobytes() == y.tobytes(), f"state {i} differs after step {step}"


def test_masks_are_fresh_on_every_replay_and_those_that_eager_would_draw() -> None:
    x = tn.ones(50)
    tn.manual_seed(7)
    with tn.Tape() as tape:
        first = nn.functional.dropout(x, 0.5)
    replays = [tape.replay(first)[0].tobytes() for _ in range(3)]
    tn.manual_seed(7)
    eager = [nn.functional.dropout(x, 0.5).numpy().tobytes() for _ in range(4)]
    assert [first.numpy().tobytes(), *replays] == eager
    assert len(set(eager)) == 4


def test_recording_changes_nothing() -> None:
    """Eager backward runs rules on arrays, recorded backward on Tensors: the same bits."""
    results = []
    for record in (False, True):
        training = Training(seed=5)
        for number in range(4):
            training.feed(number)
            if record:
                with tn.Tape():
                    training.step()
            else:
                training.step()
        results.append(b"".join(s.tobytes() for s in training.state()))
    assert results[0] == results[1]


@pytest.mark.parametrize("options", VARIANTS.values(), ids=VARIANTS.keys())
def test_many_steps_on_one_tape(options: dict) -> None:
    """The second step reads parameters that the first has written, the third what the second has: each walk passes all writes."""
    eager = Training(seed=5, **options)
    for number in range(5):
        eager.feed(number)
        eager.step()
    expected = [s.tobytes() for s in eager.state()]
    recorded = Training(seed=5, **options)
    with tn.Tape() as tape:
        for number in range(5):
            recorded.feed(number)
            recorded.step()
    assert [s.tobytes() for s in recorded.state()] == expected
    assert sum(node.op.name == "log_softmax" or node.op.name == "exp" for node in tape.nodes) >= 5


def test_feed_and_outputs() -> None:
    x = tn.tensor([1.0, 2.0])
    with tn.Tape() as tape:
        y = x * 3.0
        z = y + 1.0
    assert [v.tolist() for v in tape.replay(z, y, feed={x: np.array([5.0, 6.0], np.float32)})] == [[16.0, 19.0], [15.0, 18.0]]
    x.copy_(tn.tensor([0.0, 1.0]))
    assert tape.replay(z)[0].tolist() == [1.0, 4.0]
    with pytest.raises(ValueError, match=r"f32\[2\]"):
        tape.replay(z, feed={x: np.zeros(2)})
    with pytest.raises(ValueError, match="no leaf"):
        tape.replay(z, feed={tn.ones(2): np.zeros(2, np.float32)})
    with pytest.raises(ValueError, match="not recorded"):
        tape.replay(tn.ones(2) * 1.0)


def test_constants_made_inside_are_new_on_every_replay() -> None:
    x = tn.ones(3)
    with tn.Tape() as tape:
        total = tn.zeros(3)
        for _ in range(2):
            total += x
        out = total * 1.0
    assert [tape.replay(out)[0].tolist() for _ in range(2)] == [[2.0] * 3] * 2


def test_views_and_writes_replay_in_order() -> None:
    state = tn.zeros(2, 3)
    x = tn.tensor([1.0, 2.0, 3.0])
    with tn.Tape() as tape:
        before = state.sum()
        state[1] = x
        state[0].add_(state[1] * 2.0)
        state.T[2].mul_(10.0)
        after = state * 1.0
    expected = after.numpy().copy()
    assert expected.tolist() == [[2, 4, 60], [1, 2, 30]]
    state.zero_()
    first, second = tape.replay(before, after)
    assert first == 0
    assert second.tolist() == expected.tolist()
    assert state.tolist() == expected.tolist(), "the replay writes the state itself"
    assert tape.replay(before)[0] == expected.sum()


def test_what_a_replay_returned_does_not_change_with_the_state() -> None:
    w = tn.tensor([1.0])
    with tn.Tape() as tape:
        w.add_(tn.ones(1))
    first = tape.replay(w)[0]
    tape.replay(w)
    assert first.tolist() == [3.0]


# ---- leaves that the recorded code makes ----


def test_a_leaf_computed_on_the_tape_stays_computed() -> None:
    x = tn.tensor([1.0, 2.0])
    with tn.Tape() as tape:
        w = (x * 2.0).requires_grad_()
        assert w.is_leaf
        with pytest.raises(RuntimeError, match="is a leaf that requires grad"):
            w.add_(1.0)
        for _ in range(2):
            (w * w).sum().backward()
        (second,) = tn.autograd.grad(w.sin().sum(), [w])
        total = w.sum()
        v = w.requires_grad_(False) * 1.0
    assert (w.is_leaf, v.requires_grad, w.grad.tolist()) == (True, False, [8.0, 16.0])
    x.copy_(tn.tensor([3.0, 4.0]))
    found = tape.replay(w.grad, second, total, v)
    expected = [24.0, 32.0], np.cos(np.float32([6, 8])).tolist(), 14.0, [6.0, 8.0]
    assert tuple(a.tolist() for a in found) == expected


def test_a_leaf_drawn_inside_an_inner_tape_is_drawn_again() -> None:
    tn.manual_seed(3)
    with tn.Tape() as tape:
        w = tn.rand(3)
        with tn.Tape():
            total = w.requires_grad_().sum()
    drawn = tape.replay(w, total)
    assert drawn[0].tolist() != w.tolist()
    assert drawn[1] == drawn[0].sum()


def test_a_parameter_made_on_the_tape_starts_from_its_first_value() -> None:
    with tn.Tape() as tape:
        w = tn.zeros(3, requires_grad=True)
        (w * 2.0).sum().backward()
        with tn.no_grad():
            w -= w.grad
    for _ in range(2):
        assert tape.replay(w)[0].tolist() == w.tolist() == [-2.0, -2.0, -2.0]
    (box,) = (box for box in tn.viz.graph(tape).boxes if box.role == "parameter")
    assert box.members[0] in tape.constants
