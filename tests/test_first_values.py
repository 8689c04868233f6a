"""Why first values, normalisation and scaling matter: measured on deep nets, each claim by its numbers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn, optim

F = nn.functional
WIDTH, DEPTH = 200, 10
Start = Callable[[tn.Tensor], tn.Tensor]


def _signals(start: Start, activation: Callable[[tn.Tensor], tn.Tensor], norm: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Root mean square of each layer's values, and of the gradient that reaches them."""
    tn.manual_seed(0)
    x = tn.randn(100, WIDTH, dtype="float64")
    found = []
    for _ in range(DEPTH):
        layer = nn.Linear(WIDTH, WIDTH, bias=False, dtype="float64")
        start(layer.weight)
        x = layer(x)
        x = activation(F.batch_norm(x, None, None, training=True) if norm else x)
        x.retain_grad()
        found.append(x)
    (x * tn.randn(100, WIDTH, dtype="float64")).sum().backward()
    return tuple(
        np.array([np.sqrt(np.mean(t.numpy() ** 2)) for t in ts])
        for ts in ([x.detach() for x in found], [x.grad for x in found])
    )  # type: ignore[return-value]


def _gaussian(std: float) -> Start:
    return lambda weight: nn.init.normal_(weight, 0.0, std)


# ---- first values ----


def test_equal_units_stay_equal_and_zeros_learn_nothing() -> None:
    tn.manual_seed(0)
    x, y = tn.randn(32, 4), tn.randn(32, 1)
    for value in (0.0, 0.3):
        net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
        for parameter in net.parameters():
            nn.init.constant_(parameter, value)
        optimizer = optim.SGD(net.parameters(), lr=0.1)
        for _ in range(20):
            optimizer.zero_grad()
            F.mse_loss(net(x), y).backward()
            optimizer.step()
        hidden, bias, out = (parameter.detach().numpy() for parameter in list(net.parameters())[:3])
        assert np.ptp(hidden, axis=0).max() < 1e-6, "all units are one unit"
        assert np.ptp(bias) < 1e-6
        assert np.ptp(out) < 1e-6
        if value == 0:
            assert not hidden.any(), "the gradient of the hidden layer is 0 where what follows is 0"
            assert net[2].bias.item() != 0, "only the last bias learns"


def test_small_values_die_and_large_ones_saturate_tanh() -> None:
    values, gradients = _signals(_gaussian(0.01), tn.tanh)
    assert values[-1] < 1e-6 * values[0]
    assert gradients[0] < 1e-6 * gradients[-1]
    values, gradients = _signals(_gaussian(1.0), tn.tanh)
    assert values[-1] > 0.95, "nearly all are 1 or -1"
    assert gradients[0] > 1e3 * gradients[-1], "the factors of weights outgrow those of slopes"


@pytest.mark.parametrize("start", [nn.init.xavier_uniform_, nn.init.xavier_normal_])
def test_xavier_keeps_values_and_gradients_of_tanh(start: Start) -> None:
    values, gradients = _signals(start, tn.tanh)
    assert values[-1] > 0.25 * values[0]
    assert 0.3 < gradients[0] / gradients[-1] < 3
    values, gradients = _signals(start, lambda x: x)  # without an activation, exactly: the variance stays
    np.testing.assert_allclose(values, 1.0, rtol=0.15)
    np.testing.assert_allclose(gradients / gradients[-1], 1.0, rtol=0.15)


@pytest.mark.parametrize("start", [nn.init.kaiming_uniform_, nn.init.kaiming_normal_])
def test_he_keeps_what_xavier_halves_behind_relu(start: Callable[..., tn.Tensor]) -> None:
    values, gradients = _signals(lambda w: start(w, nonlinearity="relu"), F.relu)
    np.testing.assert_allclose(values, 1.0, rtol=0.35)
    np.testing.assert_allclose(gradients / gradients[-1], 1.0, rtol=0.35)
    values, gradients = _signals(nn.init.xavier_normal_, F.relu)
    assert values[-1] / values[0] == pytest.approx(0.5 ** ((DEPTH - 1) / 2), rel=0.4)
    assert gradients[0] / gradients[-1] == pytest.approx(0.5 ** ((DEPTH - 1) / 2), rel=0.4)


@pytest.mark.parametrize("std", [0.01, 1.0])
def test_batch_norm_makes_the_first_values_matter_little(std: float) -> None:
    values, gradients = _signals(_gaussian(std), tn.tanh, norm=True)
    np.testing.assert_allclose(values, values[0], rtol=0.05)
    assert 0.2 < gradients[0] / gradients[-1] < 5


# ---- scales of features ----


def test_batch_norm_is_the_z_score_of_a_batch() -> None:
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    x = np.random.default_rng(0).normal(3.0, [0.1, 1.0, 50.0], (40, 3))
    norm = nn.BatchNorm1d(3, eps=0.0, affine=False, dtype="float64")
    np.testing.assert_allclose(norm(tn.tensor(x)).numpy(), preprocessing.StandardScaler().fit_transform(x), rtol=1e-10)


@pytest.mark.parametrize("name", ["StandardScaler", "MinMaxScaler"])
def test_descent_is_quick_on_scaled_features_only(name: str) -> None:
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 1, (100, 3)) * [0.01, 1.0, 100.0]
    y = tn.tensor(x @ [100.0, 1.0, 0.01])
    ends = []
    for features in (x, getattr(preprocessing, name)().fit_transform(x)):
        given = tn.tensor(np.column_stack([features, np.ones(100)]))
        rate = 1 / np.linalg.eigvalsh(given.numpy().T @ given.numpy() / 50).max()
        w = tn.zeros(4, dtype=tn.float64, requires_grad=True)
        for _ in range(300):
            (g,) = tn.autograd.grad(F.mse_loss(given @ w, y), w)
            with tn.no_grad():
                w.sub_(g * rate)
        ends.append(F.mse_loss(given @ w, y).item())
    assert ends[0] > 0.05
    assert ends[1] < 1e-3
