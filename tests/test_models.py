"""The networks of the notes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn
from tinygrad_notes.models.lstm_cell import LSTMcell
from tinygrad_notes.models.networks import MLP, LeNet, ResidualBlock
from tinygrad_notes.models.perceptron import Perceptron
from tinygrad_notes.models.stacked import Stacked

TABLE = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]


@pytest.mark.parametrize(
    "labels", [[0, 0, 0, 1], [0, 1, 1, 1], [1, 1, 1, 0], [0, 0, 1, 0]], ids=["and", "or", "nand", "x and not y"]
)
@pytest.mark.parametrize("learning_rate", [1.0, 0.25])
def test_the_perceptron_learns_what_a_line_divides(labels: list[int], learning_rate: float) -> None:
    model = Perceptron(2)
    mistakes = model.fit(TABLE, labels, learning_rate)
    assert mistakes[-1] == 0
    assert mistakes[0] > 0
    np.testing.assert_array_equal(model(tn.tensor(TABLE)).numpy(), labels)


@pytest.mark.parametrize("labels", [[0, 1, 1, 0], [1, 0, 0, 1]], ids=["xor", "equal"])
def test_the_perceptron_provably_never_learns_xor(labels: list[int]) -> None:
    """The rule has no memory but the weights: once they come back to where they were after an earlier epoch, everything repeats,
    and no epoch in between was free of mistakes."""
    model, seen = Perceptron(2), []
    for _ in range(100):
        state = (*model.weight.tolist(), model.bias.item())
        if state in seen:
            break
        seen.append(state)
        assert model.fit(TABLE, labels, epochs=1)[0] > 0
    else:
        pytest.fail("the weights did not come back")
    tn.manual_seed(1)
    hidden = MLP([2, 4, 1], nn.Tanh)  # a hidden layer can
    optimizer = tn.optim.Adam(hidden.parameters(), lr=0.1)
    x, y = tn.tensor(TABLE), tn.tensor(labels).float()
    for _ in range(200):
        optimizer.zero_grad()
        nn.functional.binary_cross_entropy_with_logits(hidden(x)[:, 0], y).backward()
        optimizer.step()
    np.testing.assert_array_equal((hidden(x)[:, 0] > 0).numpy(), np.array(labels) > 0)


def test_a_part_of_a_network_runs() -> None:
    model, x = MLP([2, 4, 3, 1], nn.Tanh), tn.tensor(TABLE)
    assert [type(part) for part in model[:2]] == [nn.Linear, nn.Tanh]
    np.testing.assert_array_equal(model[2:](model[:2](x)).detach().numpy(), model(x).detach().numpy())


def _cell() -> LSTMcell:
    tn.manual_seed(0)
    return LSTMcell(4, 5, dtype="float64")


def test_the_cell_is_an_lstm() -> None:
    cell, x = _cell(), [2, 0, 3, 3]
    lstm = nn.LSTM(4, 5, dtype="float64")
    w = {name: value.detach() for name, value in cell.weights.items()}
    lstm.load_state_dict({
        "weight_ih_l0": tn.cat([w[f"wx{g}"] for g in "ifao"]), "weight_hh_l0": tn.cat([w[f"wh{g}"] for g in "ifao"]),
        "bias_ih_l0": tn.cat([w[f"b{g}"] for g in "ifao"]), "bias_hh_l0": tn.zeros(20, dtype="float64"),
    })  # fmt: skip
    states = cell.forward(x)
    out, (_, c) = lstm(nn.functional.one_hot(tn.tensor(x), 4).double())
    np.testing.assert_allclose(states.h.detach().numpy(), out.detach().numpy(), atol=1e-14)
    np.testing.assert_allclose(states.c[-1].detach().numpy(), c[0].detach().numpy(), atol=1e-14)
    np.testing.assert_allclose(states.y.detach().numpy().sum(-1), 1)
    assert (states.a.detach().numpy() < 0).any()  # tanh, not sigmoid
    assert cell.predict(x).shape == (4,)


def test_bptt_is_the_gradient() -> None:
    cell, x, y = _cell(), [1, 2, 3], [2, 3, 1]
    found = cell.bptt(x, y)
    assert set(found) == set(cell.weights)
    for name in ("whf", "wxa", "bo", "wy"):
        weight, at = cell.weights[name], (0,) if cell.weights[name].ndim == 1 else (1, 2)
        sides = []
        for way in (1e-6, -1e-6):
            with tn.no_grad():
                weight[at] += way
                sides.append(3 * cell.loss([x], [y]))
                weight[at] -= way
        assert (sides[0] - sides[1]) / 2e-6 == pytest.approx(found[name][at].item(), rel=1e-5, abs=1e-9)


def test_the_cell_learns_to_continue_and_halves_its_rate() -> None:
    cell = _cell()
    xs = [[0, 1, 2, 3], [1, 2, 3, 0], [2, 3, 0, 1]]
    ys = [[*x[1:], (x[-1] + 1) % 4] for x in xs]
    before = cell.loss(xs, ys)
    losses = cell.train(xs, ys, learning_rate=0.3, n_epoch=40)
    assert len(losses) == 40
    assert losses[-1] < 0.1 < before
    assert [cell.predict(x).tolist() for x in xs] == ys
    steps: list[float] = []
    cell.sgd_step = lambda x, y, rate: steps.append(rate)  # type: ignore[method-assign]
    risen = iter([1.0, 2.0, 3.0, 1.0, 1.0])
    cell.loss = lambda x, y: next(risen)  # type: ignore[method-assign]
    cell.train(xs[:1], ys[:1], learning_rate=0.8, n_epoch=5)
    assert steps == [0.8, 0.8, 0.4, 0.2, 0.2]


def test_lenet_and_residual_blocks_learn() -> None:
    tn.manual_seed(0)
    net = nn.Sequential(ResidualBlock(1, 2), ResidualBlock(2, 2), LeNet(3, channels=2, size=12))
    x, y = tn.randn(6, 1, 12, 12), tn.tensor([0, 1, 2, 0, 1, 2])
    optimizer = tn.optim.Adam(net.parameters(), lr=0.01)
    losses = []
    for _ in range(30):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.1 < losses[0]
    assert LeNet()(tn.randn(2, 1, 28, 28)).shape == (2, 10)
    assert ResidualBlock(3, 5, stride=2)(tn.randn(1, 3, 7, 6)).shape == (1, 5, 4, 3)


def test_a_residual_block_whose_branch_is_shut_passes_what_is_positive() -> None:
    block = ResidualBlock(2)
    nn.init.zeros_(block.bn2.weight)
    x = tn.randn(2, 2, 3, 3)
    np.testing.assert_array_equal(block(x).detach().numpy(), np.maximum(x.numpy(), 0))


@pytest.mark.parametrize("make", [lambda: LeNet(3, size=12), lambda: ResidualBlock(1, 2, 2)], ids=["LeNet", "ResidualBlock"])
def test_a_training_step_replays(make: Any) -> None:
    tn.manual_seed(0)
    twins = [make(), make()]
    twins[1].load_state_dict(twins[0].state_dict())
    batches = [tn.randn(2, 1, 12, 12) for _ in range(3)]
    x = batches[0].clone()
    optimizers = [tn.optim.SGD(net.parameters(), lr=0.1, momentum=0.9) for net in twins]

    def step(net: Any, optimizer: Any, x: tn.Tensor) -> None:
        optimizer.zero_grad()
        net(x).square().mean().backward()
        optimizer.step()

    for net, optimizer in zip(twins, optimizers, strict=True):
        step(net, optimizer, batches[0])
    with tn.Tape() as tape:
        step(twins[0], optimizers[0], x)
    step(twins[1], optimizers[1], batches[0])
    for batch in batches[1:]:
        x.numpy()[...] = batch.numpy()
        tape.replay()
        step(twins[1], optimizers[1], batch)
    for a, b in zip(twins[0].state_dict().values(), twins[1].state_dict().values(), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-6, atol=1e-7)


def test_networks_side_by_side_train_as_if_alone() -> None:
    tn.manual_seed(0)
    nets = [MLP([2, 5, 3], nn.Tanh) for _ in range(4)]
    together = Stacked(nets)
    x, y = tn.randn(6, 2), tn.tensor([0, 2, 1, 1, 0, 2])
    before = [net(x).tolist() for net in nets]
    assert len(together) == 4
    np.testing.assert_allclose(together(x).tolist(), before, rtol=1e-5, atol=1e-6)
    optimizer = tn.optim.Adam(together.parameters(), lr=0.1)
    for _ in range(5):
        optimizer.zero_grad()
        logits = together(x)
        (nn.functional.cross_entropy(logits.reshape(24, 3), tn.cat([y] * 4)) * 4).backward()
        optimizer.step()
    for i, net in enumerate(nets):
        assert net(x).tolist() == before[i], "the members are left as they were"
        alone = tn.optim.Adam(net.parameters(), lr=0.1)
        for _ in range(5):
            alone.zero_grad()
            nn.functional.cross_entropy(net(x), y).backward()
            alone.step()
        np.testing.assert_allclose(together(x)[i].tolist(), net(x).tolist(), rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(together[i](x).tolist(), together(x)[i].tolist(), rtol=1e-5, atol=1e-6)


def test_networks_side_by_side_may_read_inputs_of_their_own() -> None:
    tn.manual_seed(0)
    nets, x = [MLP([2, 5, 3]) for _ in range(3)], tn.randn(3, 4, 2)
    found = Stacked(nets, shared=False)(x)
    np.testing.assert_allclose(found.tolist(), [net(x[i]).tolist() for i, net in enumerate(nets)], rtol=1e-5, atol=1e-6)


def test_side_by_side_dropout_draws_for_each_and_not_in_evaluation() -> None:
    together = Stacked([MLP([1, 64, 1], dropout=0.5)] * 2)
    x = tn.ones(1, 1)
    assert not np.allclose(*together(x).detach().numpy())
    np.testing.assert_allclose(*together.eval()(x).detach().numpy())


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: Stacked([]), ValueError, "at least one module"),
        (lambda: Stacked([nn.BatchNorm1d(2)]), ValueError, "buffers are not supported, the members have running_mean"),
        (lambda: Perceptron(2)(tn.ones(3, 4)), RuntimeError, r"Perceptron: needs \(N, 2\)"),
        (lambda: Perceptron(2).fit(TABLE, [0, 1, 2, 1]), ValueError, "one label, 0 or 1"),
        (lambda: Perceptron(2).fit(TABLE, [0, 1, 1, 1], learning_rate=0.0), ValueError, "must be positive"),
        (lambda: MLP([3]), ValueError, "widths are at least"),
        (lambda: LeNet(size=8), ValueError, "at least 12 x 12"),
        (lambda: ResidualBlock(2)(tn.ones(1, 3, 4, 4)), RuntimeError, r"ResidualBlock: needs \(N, 2, H, W\)"),
        (lambda: _cell().forward([0, 4]), IndexError, r"symbols lie in \[0, 4\)"),
        (lambda: _cell().predict([]), ValueError, "at least one"),
        (lambda: _cell().bptt([0, 1], [0]), ValueError, "as many labels"),
        (lambda: _cell().sgd_step([0], [0], 0.0), ValueError, "must be positive"),
        (lambda: _cell().train([[0]], []), ValueError, "as many sequences"),
    ],
)
def test_errors(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()
