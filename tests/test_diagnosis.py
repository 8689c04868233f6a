"""Bias, variance and noise; underfitting and overfitting; layer-wise pre-training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn, optim
from tinygrad_notes.train.diagnosis import BiasVariance, bias_variance, diagnose
from tinygrad_notes.train.pretraining import pretrain

F = nn.functional


class Polynomial:
    """Least squares with powers of x up to ``degree``."""

    def __init__(self, degree: int) -> None:
        self.degree = degree

    def fit(self, x: np.ndarray, y: np.ndarray) -> None:
        self.weights, *_ = np.linalg.lstsq(np.vander(x, self.degree + 1), y)

    def predict(self, x: np.ndarray) -> np.ndarray:
        return np.vander(x, self.degree + 1) @ self.weights


POINTS = np.linspace(-0.9, 0.9, 19)


def _measured(degree: int, sets: int = 200, seed: int = 0, n: int = 25) -> BiasVariance:
    return bias_variance(
        lambda: Polynomial(degree),
        lambda rng: rng.uniform(-1, 1, n),
        lambda x: np.sin(3 * x),
        POINTS,
        noise=0.3,
        sets=sets,
        seed=seed,
    )


# ---- bias and variance ----


def test_square_error_is_bias_variance_and_noise() -> None:
    stiff, good, loose = (_measured(degree) for degree in (1, 3, 7))
    for found in (stiff, good, loose):
        parts = found.bias2 + found.variance
        assert parts == pytest.approx(np.mean((found.predictions - found.truth) ** 2), rel=1e-12), "without noise exactly"
        assert found.error == pytest.approx(parts + found.noise, rel=0.08)
        assert found.noise == pytest.approx(0.09)
    assert stiff.bias2 > 10 * good.bias2
    assert loose.variance > 3 * good.variance
    assert max(good.bias2, loose.bias2) < 0.02
    assert good.error < min(stiff.error, loose.error)


def test_variance_of_least_squares_is_that_of_its_formula() -> None:
    """On fixed inputs, the variance of a fit of k weights to n targets is ``k / n`` of the noise, and its bias is 0 if it can be."""
    x = np.linspace(-1, 1, 40)
    for degree in (2, 5):
        found = bias_variance(
            lambda degree=degree: Polynomial(degree), lambda _: x, lambda x: 1 - 2 * x + x**2, x, noise=0.5, sets=2000
        )
        assert found.variance == pytest.approx(0.25 * (degree + 1) / 40, rel=0.05)
        assert found.bias2 < 2 * found.variance / 2000


def test_a_seed_repeats_it() -> None:
    first, again, other = _measured(2, 5), _measured(2, 5), _measured(2, 5, seed=1)
    np.testing.assert_array_equal(first.predictions, again.predictions)
    assert first.error == again.error != other.error


def test_scikit_learn_s_regressors_are_models() -> None:
    tree = pytest.importorskip("sklearn.tree")
    found = {
        depth: bias_variance(
            lambda depth=depth: tree.DecisionTreeRegressor(max_depth=depth),
            lambda rng: rng.uniform(-1, 1, (30, 1)),
            lambda x: np.sin(3 * x[:, 0]),
            POINTS[:, None],
            noise=0.3,
            sets=40,
        )
        for depth in (1, 8)
    }
    assert found[1].bias2 > found[8].bias2
    assert found[1].variance < found[8].variance


# ---- curves ----


def test_curves_of_real_fits_are_diagnosed() -> None:
    verdicts = []
    for degree in (1, 3, 15):
        training, validation = [], []
        for n in (20, 30, 40):
            rng = np.random.default_rng(1)
            x, held_out = rng.uniform(-1, 1, n), rng.uniform(-1, 1, 200)
            y, wanted = np.sin(3 * x) + 0.1 * rng.normal(size=n), np.sin(3 * held_out) + 0.1 * rng.normal(size=200)
            model = Polynomial(degree)
            model.fit(x, y)
            training.append(np.mean((model.predict(x) - y) ** 2))
            validation.append(np.mean((model.predict(held_out) - wanted) ** 2))
        verdicts.append(diagnose(training, validation, acceptable=0.02, tolerance=0.03).verdict)
    assert verdicts == ["underfitting", "fits", "overfitting"]


@pytest.mark.parametrize(
    ("training", "validation", "expected"),
    [
        ([1.0, 0.5], [1.0, 0.55], ("underfitting", 0.4, 0.05, 1, 0.0)),
        ([1.0, 0.1], [1.0, 0.15], ("fits", 0.0, 0.05, 1, 0.0)),
        ([1.0, 0.1, 0.05], [1.0, 0.15, 0.4], ("overfitting", -0.05, 0.35, 1, 0.25)),
        ([1.0, 0.4], [0.9, 0.8], ("underfitting and overfitting", 0.3, 0.4, 1, 0.0)),
        ([0.2, 0.1], [0.02, 0.18], ("overfitting", 0.0, 0.08, 0, 0.16)),
    ],
)
def test_verdicts(training: list[float], validation: list[float], expected: tuple[Any, ...]) -> None:
    found = diagnose(training, validation, acceptable=0.1, tolerance=0.1)
    assert found.verdict == expected[0]
    assert (found.bias, found.gap, found.best, found.rise) == pytest.approx(expected[1:])


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: _measured(1, sets=1), "two sets or more"),
        (lambda: bias_variance(lambda: Polynomial(1), np.ones, np.sin, POINTS, noise=-1.0), "noise=-1.0"),
        (
            lambda: bias_variance(lambda: Polynomial(1), lambda _: POINTS, lambda x: x[:, None], POINTS, noise=0.1),
            r"predictions \[19, 1\] do not fit the truth \[19, 1\], \(M,\)",
        ),
        (lambda: diagnose([1.0], [1.0, 2.0], acceptable=0, tolerance=0), "one length, got 1 and 2"),
        (lambda: diagnose([], [], acceptable=0, tolerance=0), "got 0 and 0"),
        (lambda: diagnose([float("nan")], [1.0], acceptable=0, tolerance=0), "must be finite"),
        (lambda: diagnose([1.0], [1.0], acceptable=0, tolerance=-1), "tolerance 0 or more"),
        (lambda: pretrain(nn.Sequential(nn.Linear(2, 2)), tn.ones(2, 2)), "another one as its head"),
        (lambda: pretrain(nn.Sequential(nn.ReLU(), nn.Linear(2, 2), nn.Linear(2, 2)), tn.ones(2, 2)), "begins with a Linear"),
        (lambda: pretrain(nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)), tn.ones(0, 2)), r"got Tensor f32\[0,2\], 10"),
        (lambda: pretrain(nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)), tn.ones(2, 2), epochs=0), "0 and 32"),
    ],
)
def test_bad_input(call: Callable[[], Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        call()


# ---- layer-wise pre-training ----


def test_a_linear_layer_learns_the_principal_components() -> None:
    """Of linear autoencoders the least loss is known: what the left-out singular values carry (Baldi & Hornik 1989)."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(64, 2)) @ rng.normal(size=(2, 5)) + 0.2 * rng.normal(size=(64, 5))
    centered = x - x.mean(0)
    least = (np.linalg.svd(centered, compute_uv=False)[2:] ** 2).sum() / x.size
    tn.manual_seed(0)
    net = nn.Sequential(nn.Linear(5, 2, dtype="float64"), nn.Linear(2, 1, dtype="float64"))
    (losses,) = pretrain(net, tn.tensor(x), epochs=600, batch=64, lr=0.02)
    assert losses[0] > 10 * least
    assert losses[-1] == pytest.approx(least, rel=1e-3)
    encoded = centered @ net[0].weight.detach().numpy().T
    back, *_ = np.linalg.lstsq(encoded, centered)
    assert np.mean((encoded @ back - centered) ** 2) == pytest.approx(least, rel=1e-3)


def _deep() -> nn.Sequential:
    tn.manual_seed(0)
    modules: list[nn.Module] = []
    for n_in, n_out in ((8, 16), (16, 16), (16, 16)):
        modules += [nn.Linear(n_in, n_out), nn.Sigmoid()]
    return nn.Sequential(*modules, nn.Linear(16, 2))


def _task() -> tuple[tn.Tensor, tn.Tensor]:
    rng = np.random.default_rng(0)
    x = (rng.random((128, 8)) < 0.5).astype(np.float32)
    return tn.tensor(x), tn.tensor((x[:, 0] != x[:, 1]).astype(np.int64))


def test_every_layer_learns_and_only_those_before_the_head() -> None:
    x, _ = _task()
    net = _deep()
    before = {name: value.numpy().copy() for name, value in net.state_dict().items()}
    history = pretrain(net, x, epochs=8, lr=0.01, corruption=0.1)
    assert [len(losses) for losses in history] == [8, 8, 8]
    assert all(losses[-1] < 0.8 * losses[0] for losses in history)
    for name, value in net.state_dict().items():
        assert (value.numpy() == before[name]).all() == name.startswith("6."), name
    assert all(q.grad is None for q in net.parameters())
    assert all(module.training for module in net.modules())


def test_the_same_seeds_give_the_same_layers() -> None:
    x, _ = _task()
    runs = []
    for _ in range(2):
        net = _deep()
        runs.append((pretrain(net, x, epochs=2, corruption=0.2, seed=4), [q.tolist() for q in net.parameters()]))
    assert runs[0] == runs[1]


def test_what_is_hidden_is_missed() -> None:
    x = tn.tensor(np.random.default_rng(0).normal(size=(64, 4)))  # nothing of a feature can be told from the others
    ends = []
    for corruption in (0.0, 0.5, 1.0):
        tn.manual_seed(0)
        net = nn.Sequential(nn.Linear(4, 8, dtype="float64"), nn.Linear(8, 1))
        ends.append(pretrain(net, x, epochs=150, batch=64, lr=0.03, corruption=corruption)[0][-1])
    variance = x.var(0, correction=0).mean().item()
    assert ends[0] < 0.01 * variance
    assert 0.2 * variance < ends[1] < 0.8 * variance
    assert ends[2] == pytest.approx(variance, rel=0.01)


def test_dropout_and_statistics_within_a_layer() -> None:
    x, _ = _task()
    net = nn.Sequential(
        nn.Linear(8, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Dropout(0.5), nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2)
    )
    net[3].eval()
    pretrain(net, x, epochs=2)
    assert net[1].num_batches_tracked.item() == 8
    assert [module.training for module in net] == [True, True, True, False, True, True, True]


def test_fine_tuning_starts_where_a_deep_net_of_sigmoids_would_not_get_to() -> None:
    x, y = _task()
    ends = []
    for prepared in (False, True):
        net = _deep()
        if prepared:
            pretrain(net, x, epochs=30, lr=0.02)
        optimizer = optim.Adam(net.parameters(), lr=0.02)
        for _ in range(80):
            optimizer.zero_grad()
            loss = F.cross_entropy(net(x), y)
            loss.backward()
            optimizer.step()
        ends.append(loss.item())
    assert ends[1] < 0.1 * ends[0]
