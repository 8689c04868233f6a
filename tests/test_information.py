"""Entropy, cross-entropy and divergence: their values, their identities, bad input; maximum likelihood is least loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.information import cross_entropy, entropy, kl_divergence

F = tn.nn.functional


def _distributions(*shape: int) -> tuple[tn.Tensor, tn.Tensor]:
    rng = np.random.default_rng(len(shape))
    p, q = (rng.dirichlet(np.full(shape[-1], 0.7), shape[:-1]) for _ in range(2))
    return tn.tensor(p, requires_grad=True), tn.tensor(q, requires_grad=True)


def _f64(values: Any) -> tn.Tensor:
    return tn.tensor(values, dtype=tn.float64)


# ---- values ----


@pytest.mark.parametrize(("base", "unit"), [(2, 1.0), (None, np.log(2)), (10, np.log10(2)), (0.5, -1.0)])
def test_a_fair_coin_tells_one_bit(base: float | None, unit: float) -> None:
    coin, sure = _f64([0.5, 0.5]), _f64([1.0, 0.0])
    assert entropy(coin, base=base).item() == pytest.approx(unit)
    assert entropy(sure, base=base).item() == 0
    assert cross_entropy(sure, coin, base=base).item() == pytest.approx(unit)
    assert kl_divergence(sure, coin, base=base).item() == pytest.approx(unit)


def test_the_divergence_is_what_cross_entropy_adds_to_entropy() -> None:
    p, q = _distributions(4, 6)
    for base in (None, 2, 10.0):
        h, hpq, kl = entropy(p, base=base), cross_entropy(p, q, base=base), kl_divergence(p, q, base=base)
        np.testing.assert_allclose(kl.tolist(), (hpq - h).tolist(), rtol=1e-12)
        assert (kl.detach().numpy() > 0).all()
        np.testing.assert_allclose(kl_divergence(p, p, base=base).tolist(), 0, atol=1e-15)
        np.testing.assert_allclose(cross_entropy(p, p, base=base).tolist(), h.tolist(), rtol=1e-14)
        found = tn.autograd.grad(kl.sum(), q)[0], tn.autograd.grad(hpq.sum(), q)[0]
        np.testing.assert_allclose(found[0].numpy(), found[1].numpy(), rtol=1e-12)
    even = tn.full((6,), 1 / 6, dtype=tn.float64)
    assert (entropy(p).detach().numpy() < entropy(even).item()).all(), "the even distribution tells most"
    np.testing.assert_allclose(kl_divergence(p[0], even).item(), np.log(6) - entropy(p[0]).item(), rtol=1e-12)


@pytest.mark.torch
def test_like_torch_s_distributions() -> None:
    torch = pytest.importorskip("torch")
    p, q = _distributions(4, 6)
    a, b = (torch.distributions.Categorical(probs=torch.tensor(x.tolist(), dtype=torch.float64)) for x in (p, q))
    np.testing.assert_allclose(entropy(p).tolist(), a.entropy().numpy(), rtol=1e-10)
    np.testing.assert_allclose(kl_divergence(p, q).tolist(), torch.distributions.kl_divergence(a, b).numpy(), rtol=1e-10)


def test_they_are_what_the_losses_of_scores_measure() -> None:
    p, q = _distributions(4, 6)
    np.testing.assert_allclose(cross_entropy(p, q).mean().item(), F.cross_entropy(q.log(), p).item(), rtol=1e-12)
    np.testing.assert_allclose(
        kl_divergence(p, q).mean().item(), F.kl_div(q.log(), p, reduction="batchmean").item(), rtol=1e-12
    )


# ---- zeros ----


def test_what_never_happens_counts_nothing() -> None:
    p = tn.tensor([0.5, 0.5, 0.0], dtype=tn.float64, requires_grad=True)
    q = tn.tensor([0.25, 0.75, 0.0], dtype=tn.float64, requires_grad=True)
    for call in (lambda: entropy(p), lambda: cross_entropy(p, q), lambda: kl_divergence(p, q)):
        p.grad = q.grad = None
        loss = call()
        loss.backward()
        assert np.isfinite(loss.item())
        assert p.grad.numpy()[2] == 0
        assert np.isfinite(p.grad.numpy()).all()
        assert q.grad is None or q.grad.tolist() == pytest.approx([-2, -2 / 3, 0])
    rounded = _f64([0.5, 0.5, -1e-16])
    assert entropy(rounded).item() == pytest.approx(np.log(2))
    assert kl_divergence(rounded, rounded).item() == 0
    impossible = _f64([1.0, 0.0, 0.0])
    assert cross_entropy(p, impossible).item() == kl_divergence(p, impossible).item() == np.inf
    assert kl_divergence(impossible, p).item() == pytest.approx(np.log(2))


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: entropy(_f64([0.5, 0.6])), RuntimeError, r"along dim=-1 must add up to 1, got 1.1; divide by the sum"),
        (
            lambda: entropy(_f64([1.5, -0.5])),
            RuntimeError,
            r"entropy: the distribution Tensor f64\[2\] must hold probabilities",
        ),
        (lambda: entropy(_f64([[0.5, 0.5]]), dim=0), RuntimeError, "along dim=0 must add up to 1, got 0.5"),
        (lambda: entropy(_f64([1.0]), base=1), RuntimeError, "positive and not 1, got 1"),
        (lambda: entropy(_f64([1.0]), base=-2.0), RuntimeError, "positive and not 1, got -2.0"),
        (lambda: entropy(tn.tensor([1, 0])), RuntimeError, r"i64\[2\] is not floating-point"),
        (lambda: entropy(_f64([1.0]), dim=1), IndexError, "dim=1 is out of range"),
        (lambda: entropy([0.5, 0.5]), TypeError, "entropy: needs a Tensor, got list"),
        (lambda: cross_entropy(_f64([[1.0]]), _f64([1.0])), RuntimeError, r"f64\[1,1\] and Tensor f64\[1\] must have the same"),
        (lambda: kl_divergence(_f64([1.0]), _f64([0.9])), RuntimeError, "kl_divergence: .* got 0.9"),
    ],
)
def test_bad_input(call: Callable[[], Any], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        call()


def test_for_every_example_of_a_batch() -> None:
    p, q = _distributions(4, 3)
    found = tn.vmap(lambda a, b: kl_divergence(a, b, dim=0))(p, q)
    np.testing.assert_allclose(found.tolist(), kl_divergence(p, q).tolist(), rtol=1e-14)


# ---- maximum likelihood ----


def _minimize(loss: Callable[[tn.Tensor], tn.Tensor], start: tn.Tensor, rate: float, steps: int = 300) -> np.ndarray:
    x = start.clone().requires_grad_()
    for _ in range(steps):
        (g,) = tn.autograd.grad(loss(x), x)
        with tn.no_grad():
            x.sub_(g * rate)
    return x.detach().numpy()


def test_the_likeliest_line_under_gaussian_noise_is_that_of_least_squares() -> None:
    rng = np.random.default_rng(0)
    features = np.column_stack([rng.normal(size=(50, 2)), np.ones(50)])
    y = features @ [1.5, -2.0, 0.5] + 0.3 * rng.normal(size=50)
    x, target, var = tn.tensor(features), tn.tensor(y), 0.3**2

    def unlikelihood(w: tn.Tensor) -> tn.Tensor:
        return F.gaussian_nll_loss(x @ w, target, var, full=True)

    w = tn.zeros(3, dtype=tn.float64)
    density = np.exp(-((y - 0.0) ** 2) / (2 * var)) / np.sqrt(2 * np.pi * var)
    assert unlikelihood(w).item() == pytest.approx(-np.log(density).mean(), rel=1e-12)
    squares = F.mse_loss(x @ w, target).item() / (2 * var)
    assert unlikelihood(w).item() == pytest.approx(squares + 0.5 * np.log(2 * np.pi * var), rel=1e-12)
    found = _minimize(unlikelihood, w, rate=0.5 * var)
    np.testing.assert_allclose(found, np.linalg.lstsq(features, y)[0], rtol=1e-10)
    np.testing.assert_allclose(found, _minimize(lambda w: F.mse_loss(x @ w, target), w, rate=0.25), rtol=1e-10)


def test_the_likeliest_coin_is_that_of_least_binary_cross_entropy() -> None:
    tosses = _f64([1, 0, 1, 1, 0, 1, 1, 0, 1, 1])
    logit = tn.tensor([0.3], dtype=tn.float64)
    p = 1 / (1 + np.exp(-0.3))
    likelihood = np.prod(np.where(tosses.numpy() == 1, p, 1 - p))
    loss = F.binary_cross_entropy_with_logits(logit.expand(10), tosses, reduction="sum")
    assert loss.item() == pytest.approx(-np.log(likelihood), rel=1e-12)
    assert F.binary_cross_entropy(logit.sigmoid().expand(10), tosses, reduction="sum").item() == pytest.approx(loss.item())
    found = _minimize(lambda x: F.binary_cross_entropy_with_logits(x.expand(10), tosses), logit, rate=4.0)
    assert 1 / (1 + np.exp(-found[0])) == pytest.approx(0.7, rel=1e-10), "the share of heads"


def test_the_likeliest_die_is_that_of_least_cross_entropy() -> None:
    rolls = tn.tensor([0, 2, 2, 1, 2, 0, 2, 2, 1, 2])
    logits = _f64([0.1, -0.4, 0.7])
    p = np.exp(logits.numpy()) / np.exp(logits.numpy()).sum()
    loss = F.cross_entropy(logits.expand(10, 3), rolls, reduction="sum")
    assert loss.item() == pytest.approx(-np.log(np.prod(p[rolls.numpy()])), rel=1e-12)
    found = _minimize(lambda x: F.cross_entropy(x.expand(10, 3), rolls), logits, rate=2.0)
    shares = _f64([0.2, 0.2, 0.6])
    np.testing.assert_allclose(F.softmax(tn.tensor(found), 0).numpy(), shares.numpy(), rtol=1e-10)
    least = F.cross_entropy(tn.tensor(found).expand(10, 3), rolls).item()
    assert least == pytest.approx(entropy(shares).item(), rel=1e-12), "what remains is the entropy of the rolls"
