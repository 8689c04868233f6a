"""Penalties and norms of parameters, and what they do: weight decay, ridge, lasso, condition numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn, optim
from tinygrad_notes.nn.regularization import joint_norm, lq_penalty

F = nn.functional


def _weights() -> list[tn.Tensor]:
    rng = np.random.default_rng(0)
    return [tn.tensor(rng.normal(size=shape), requires_grad=True) for shape in ((2, 3), (3,), ())]


def _flat(tensors: list[Any]) -> np.ndarray:
    return np.concatenate([np.ravel(t.detach().numpy()) for t in tensors])


# ---- values and slopes ----


@pytest.mark.parametrize("q", [0.5, 1, 1.0, 1.5, 2, 3.0, 4])
def test_penalties_of_any_power(q: float) -> None:
    weights = _weights()
    assert lq_penalty(weights, q).item() == pytest.approx((np.abs(_flat(weights)) ** q).sum(), rel=1e-14)
    assert lq_penalty(iter(weights), q).item() == lq_penalty(weights, q).item()
    assert lq_penalty(weights[0], q).item() == pytest.approx((np.abs(weights[0].detach().numpy()) ** q).sum(), rel=1e-14)
    assert tn.autograd.gradcheck(lambda *w: lq_penalty(w, q), weights)
    assert tn.autograd.gradgradcheck(lambda *w: lq_penalty(w, q), weights)
    zero = tn.zeros(2, dtype=tn.float64, requires_grad=True)
    lq_penalty(zero, q).backward()
    assert zero.grad.tolist() == [0, 0]


@pytest.mark.parametrize("p", [0, 1, 1.5, 2, 3.0, float("inf")])
def test_norms_of_all_parameters_together(p: float) -> None:
    weights = _weights()
    with tn.no_grad():
        weights[0][0, 0] = 0.0
    assert joint_norm(weights, p).item() == pytest.approx(np.linalg.norm(_flat(weights), p), rel=1e-14)
    assert joint_norm(weights[1], p).item() == pytest.approx(np.linalg.norm(_flat(weights[1:2]), p), rel=1e-14)
    if p:
        assert tn.autograd.gradcheck(lambda *w: joint_norm(w, p), _weights())


@pytest.mark.torch
def test_norms_and_penalties_like_torch() -> None:
    torch = pytest.importorskip("torch")
    ours = _weights()
    theirs = [torch.tensor(w.tolist(), dtype=torch.float64, requires_grad=True) for w in ours]
    for p in (1.0, 2.0, 3.0):
        (joint_norm(ours, p) + lq_penalty(ours, p)).backward()
        norm = torch.linalg.vector_norm(torch.cat([w.flatten() for w in theirs]), p)
        (norm + sum((w.abs() ** p).sum() for w in theirs)).backward()
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-10)


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: lq_penalty(_weights(), 0), RuntimeError, "q must be positive and finite, got 0"),
        (lambda: lq_penalty(_weights(), float("inf")), RuntimeError, "q must be positive and finite, got inf"),
        (lambda: lq_penalty([]), ValueError, "there are no parameters"),
        (lambda: joint_norm(iter(())), ValueError, "joint_norm: there are no parameters"),
        (lambda: joint_norm(_weights(), "fro"), RuntimeError, "no norm 'fro'"),
    ],
)
def test_bad_input(call: Callable[[], Any], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        call()


# ---- what they do ----


def test_half_the_square_penalty_is_weight_decay() -> None:
    states = []
    for decay in (0.0, 0.3):
        tn.manual_seed(0)
        net = nn.Sequential(nn.Linear(3, 4, dtype="float64"), nn.Tanh(), nn.Linear(4, 1, dtype="float64"))
        optimizer = optim.SGD(net.parameters(), lr=0.1, momentum=0.5, weight_decay=decay)
        x = tn.randn(8, 3, dtype="float64")
        for _ in range(5):
            optimizer.zero_grad()
            loss = F.mse_loss(net(x), x.sum(1, keepdim=True))
            (loss if decay else loss + 0.15 * lq_penalty(net.parameters())).backward()
            optimizer.step()
        states.append(_flat(list(net.parameters())))
    np.testing.assert_allclose(states[0], states[1], rtol=1e-12)


def _regression(condition: float = 10.0) -> tuple[np.ndarray, np.ndarray]:
    """60 examples of 5 features whose matrix has the given condition number."""
    rng = np.random.default_rng(0)
    u, _ = np.linalg.qr(rng.normal(size=(60, 5)))
    v, _ = np.linalg.qr(rng.normal(size=(5, 5)))
    x = u * np.geomspace(1.0, 1 / condition, 5) @ v.T
    return x, x @ np.array([2.0, -1.0, 0.0, 0.0, 3.0]) + 0.05 * rng.normal(size=60)


def _descend(loss: Callable[[tn.Tensor], tn.Tensor], rate: float, steps: int) -> np.ndarray:
    w = tn.zeros(5, dtype=tn.float64, requires_grad=True)
    for _ in range(steps):
        (g,) = tn.autograd.grad(loss(w), w)
        with tn.no_grad():
            w.sub_(g * rate)
    return w.detach().numpy()


@pytest.mark.parametrize("alpha", [0.1, 1.0])
def test_descent_reaches_the_closed_form_of_ridge(alpha: float) -> None:
    linear_model = pytest.importorskip("sklearn.linear_model")
    x, y = _regression()
    features, target = tn.tensor(x), tn.tensor(y)
    found = _descend(
        lambda w: F.mse_loss(features @ w, target, reduction="sum") + alpha * lq_penalty(w), 1 / (2 * (1 + alpha)), 400
    )
    np.testing.assert_allclose(found, np.linalg.solve(x.T @ x + alpha * np.eye(5), x.T @ y), rtol=1e-10)
    np.testing.assert_allclose(found, linear_model.Ridge(alpha, fit_intercept=False).fit(x, y).coef_, rtol=1e-10)
    padded = np.vstack([x, np.sqrt(alpha) * np.eye(5)]), np.append(y, np.zeros(5))  # Tikhonov: as five more examples
    np.testing.assert_allclose(found, np.linalg.lstsq(*padded)[0], rtol=1e-10)


def test_shrinking_steps_reach_the_lasso_and_its_zeros() -> None:
    linear_model = pytest.importorskip("sklearn.linear_model")
    x, y = _regression(3.0)
    features, target, alpha = tn.tensor(x), tn.tensor(y), 0.002
    w = tn.zeros(5, dtype=tn.float64)
    rate = 60.0  # 1 / the largest curvature of the mean square
    for _ in range(1200):
        leaf = w.clone().requires_grad_()
        (g,) = tn.autograd.grad(F.mse_loss(features @ leaf, target) / 2, leaf)
        w = F.softshrink(w - rate * g, rate * alpha)  # proximal step of the penalty (Daubechies et al. 2004)
    lasso = linear_model.Lasso(alpha, fit_intercept=False, tol=1e-14, max_iter=100_000).fit(x, y).coef_
    np.testing.assert_allclose(w.numpy(), lasso, atol=1e-9)
    assert 0 < joint_norm(w, 0).item() < 5, "some weights are exactly 0"
    slope = features.T @ (target - features @ w) / 60  # at the least: alpha * sign(w), or within alpha where w is 0
    at_zero = w.numpy() == 0
    np.testing.assert_allclose(slope.numpy()[~at_zero], alpha * np.sign(w.numpy()[~at_zero]), atol=1e-10)
    assert (np.abs(slope.numpy()[at_zero]) < alpha).all()


def test_the_penalty_mends_an_ill_conditioned_system() -> None:
    x, y = _regression(1e6)
    features, target = tn.tensor(x), tn.tensor(y)
    curvatures = {}
    for alpha in (0.0, 1e-3):
        hessian = tn.func.hessian(
            lambda w, alpha=alpha: F.mse_loss(features @ w, target, reduction="sum") + alpha * lq_penalty(w)
        )
        curvatures[alpha] = np.linalg.cond(hessian(tn.zeros(5, dtype=tn.float64)).numpy())
    assert curvatures[0.0] > 1e11
    assert curvatures[1e-3] == pytest.approx((1 + 1e-3) / (1e-12 + 1e-3), rel=1e-6)
    disturbed = y + 1e-3 * np.sin(np.arange(60))
    moved = {
        alpha: np.linalg.norm(np.linalg.solve(x.T @ x + alpha * np.eye(5), x.T @ (disturbed - y))) for alpha in (1e-13, 1e-3)
    }
    assert moved[1e-13] > 100 > 0.1 > moved[1e-3], "without the penalty, a disturbance of 0.001 moves the solution by hundreds"


def test_a_truncated_svd_leaves_out_what_is_ill_conditioned() -> None:
    decomposition = pytest.importorskip("sklearn.decomposition")
    x, y = _regression(1e6)
    svd = decomposition.TruncatedSVD(3, algorithm="arpack", random_state=0).fit(x)
    reduced = tn.tensor(svd.transform(x))
    assert np.linalg.cond(reduced.numpy()) < 1.1e3 < 1e5 < np.linalg.cond(x)
    u, s, vt = np.linalg.svd(x, full_matrices=False)
    truncated = vt[:3].T @ ((u.T @ y)[:3] / s[:3])
    w, *_ = np.linalg.lstsq(reduced.numpy(), y)
    np.testing.assert_allclose(svd.components_.T @ w, truncated, rtol=1e-6)
    centered = x - x.mean(0)  # principal components are the singular vectors of centred data, nothing else
    pca = decomposition.PCA(3, svd_solver="full").fit(x).components_
    again = decomposition.TruncatedSVD(3, algorithm="arpack", random_state=0).fit(centered).components_
    np.testing.assert_allclose(np.abs((pca * again).sum(1)), 1, rtol=1e-8)
    assert (np.abs((decomposition.PCA(3, svd_solver="full").fit(x + 5).components_ * _top(x + 5)).sum(1)) < 0.99).any()


def _top(x: np.ndarray) -> np.ndarray:
    return np.linalg.svd(x, full_matrices=False)[2][:3]


def test_dropout_of_inputs_is_ridge_on_average() -> None:
    """Of a linear model: ``E mse = mse + p / (1 - p) sum_j w_j² mean x_j²`` (Srivastava et al. 2014, 9.1); inputs keep 0.8."""
    tn.manual_seed(0)
    x, y = (tn.tensor(a) for a in _regression())
    w = tn.tensor([2.0, -1.0, 0.5, 1.0, 3.0], dtype=tn.float64, requires_grad=True)
    p = 0.2
    measured = F.mse_loss(F.dropout(x.expand(4000, 60, 5), p) @ w, y.expand(4000, 60))
    penalty = p / (1 - p) * ((w * w) * (x * x).mean(0)).sum()
    expected = F.mse_loss(x @ w, y) + penalty
    assert measured.item() == pytest.approx(expected.item(), rel=0.02)
    found, wanted = (tn.autograd.grad(loss, w)[0].numpy() for loss in (measured, expected))
    np.testing.assert_allclose(found, wanted, atol=0.03 * np.abs(wanted).max())
