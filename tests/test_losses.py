"""Losses, normalisation and attention where formulas have special points; bad input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_notes as tn

F = tn.nn.functional
INF, NAN = float("inf"), float("nan")


def _f64(values: Any) -> tn.Tensor:
    return tn.tensor(values, dtype=tn.float64)


# ---- classes ----


@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])
def test_the_mean_over_no_label_is_nan(name: str) -> None:
    loss = getattr(F, name)
    assert np.isnan(loss(tn.ones(2, 3), tn.tensor([-100, -100])).item())
    assert np.isnan(loss(tn.ones(2, 3), tn.tensor([1, 1]), ignore_index=1).item())
    assert np.isnan(loss(tn.ones(0, 3), tn.zeros(0, dtype=tn.int64)).item())
    assert np.isnan(loss(tn.ones(1, 3), tn.tensor([1]), tn.tensor([1.0, 0.0, 1.0])).item())
    assert loss(tn.ones(2, 3), tn.tensor([-100, -100]), reduction="sum").item() == 0
    assert loss(tn.ones(2, 3), tn.tensor([-100, -100]), reduction="none").tolist() == [0, 0]
    assert np.isnan(F.cross_entropy(tn.ones(0, 3), tn.ones(0, 3)).item())


def test_cross_entropy_of_impossible_classes() -> None:
    x = tn.tensor([[0.0, -INF, 0.0], [1.0, -INF, 0.0]], dtype=tn.float64, requires_grad=True)
    F.cross_entropy(x, tn.tensor([0, 2])).backward()
    assert np.isfinite(x.grad.numpy()).all()
    assert x.grad.numpy()[:, 1].tolist() == [0, 0]
    assert F.cross_entropy(x, tn.tensor([1, 2]), reduction="none").tolist()[0] == INF
    x.grad = None
    shares = _f64([[0.5, 0.0, 0.5], [1.0, 0.0, 0.0]])  # 0 * log 0 is 0; PyTorch has NaN
    loss = F.cross_entropy(x, shares)
    loss.backward()
    expected = (np.log(2) + np.log(1 + np.exp(-1))) / 2
    assert loss.item() == pytest.approx(expected)
    soft = np.exp(x.detach().numpy())
    np.testing.assert_allclose(x.grad.numpy(), (soft / soft.sum(1, keepdims=True) - shares.numpy()) / 2, atol=1e-15)


# ---- probabilities ----


def test_binary_cross_entropy_with_logits_far_out() -> None:
    x = tn.tensor([0.0, 1e4, -1e4, 1e4, -1e4, INF, -INF, INF, -INF], dtype=tn.float64, requires_grad=True)
    t = _f64([0.5, 1, 0, 0, 1, 1, 0, 0, 1])
    loss = F.binary_cross_entropy_with_logits(x, t, reduction="none")
    np.testing.assert_allclose(loss.detach().numpy(), [np.log(2), 0, 0, 1e4, 1e4, 0, 0, INF, INF], rtol=1e-15)
    (first,) = tn.autograd.grad(loss.sum(), x, create_graph=True)
    np.testing.assert_allclose(first.detach().numpy(), [0, 0, 0, 1, -1, 0, 0, 1, -1], atol=1e-15)
    (second,) = tn.autograd.grad(first.sum(), x)
    np.testing.assert_allclose(second.numpy(), [0.25, 0, 0, 0, 0, 0, 0, 0, 0], atol=1e-15)


def test_binary_cross_entropy_is_accurate_where_the_loss_is_small() -> None:
    x = _f64([40.0, -40.0])
    loss = F.binary_cross_entropy_with_logits(x, _f64([1.0, 0.0]), reduction="none")
    np.testing.assert_allclose(loss.numpy(), np.log1p(np.exp(-40.0)), rtol=1e-12)


@pytest.mark.torch
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_logarithms_of_binary_cross_entropy_stop_at_minus_100(dtype: str) -> None:
    torch = pytest.importorskip("torch")
    x, t = np.array([0, 0, 1, 1, 1e-50, 1e-10], dtype), np.array([0, 1, 0, 1, 1, 1], dtype)
    ours = F.binary_cross_entropy(tn.tensor(x), tn.tensor(t), reduction="none")
    theirs = torch.nn.functional.binary_cross_entropy(torch.tensor(x), torch.tensor(t), reduction="none")
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-6)
    given = tn.tensor(x, requires_grad=True)
    F.binary_cross_entropy(given, tn.tensor(t), reduction="sum").backward()
    np.testing.assert_allclose(given.grad.numpy(), [1, 0, 0, -1, 0, -1e10], rtol=1e-6)  # at the stop the loss is flat


def test_kl_div_where_nothing_is_expected() -> None:
    x = tn.tensor([-INF, -1.0, -2.0], dtype=tn.float64, requires_grad=True)
    for target, log in ((_f64([0.0, 0.5, 0.5]), False), (_f64([-INF, np.log(0.5), np.log(0.5)]), True)):
        x.grad = None
        target.requires_grad_()
        loss = F.kl_div(x, target, reduction="sum", log_target=log)
        loss.backward()
        assert loss.item() == pytest.approx(0.5 * (np.log(0.5) + 1) + 0.5 * (np.log(0.5) + 2))
        np.testing.assert_allclose(x.grad.numpy(), [0, -0.5, -0.5])
        assert np.isfinite(target.grad.numpy()).all()


# ---- numbers ----


@pytest.mark.parametrize(("call", "curvature"), [(F.mse_loss, 2.0), (F.huber_loss, 1.0), (F.smooth_l1_loss, 1.0)])
def test_second_derivative_at_no_error(call: Callable[..., tn.Tensor], curvature: float) -> None:
    x = tn.tensor([0.0], dtype=tn.float64, requires_grad=True)
    (first,) = tn.autograd.grad(call(x, _f64([0.0])), x, create_graph=True)
    assert first.item() == 0
    assert tn.autograd.grad(first, x)[0].item() == curvature


def test_an_infinite_error_has_a_finite_slope() -> None:
    x = tn.tensor([INF, -INF], dtype=tn.float64, requires_grad=True)
    loss = F.huber_loss(x, _f64([0.0, 0.0]), reduction="sum", delta=2.0)
    loss.backward()
    assert loss.item() == INF
    assert x.grad.tolist() == [2, -2]


def test_means_over_nothing_are_nan() -> None:
    for call in (F.mse_loss, F.l1_loss, F.huber_loss, F.smooth_l1_loss, F.binary_cross_entropy):
        assert np.isnan(call(tn.ones(0, 2), tn.ones(0, 2)).item())


BROADCASTING = {  # each would broadcast (3, 1) and (3,) to (3, 3)
    **{
        name: lambda m, a, b, name=name: getattr(m, name)(a, b)
        for name in (
            "mse_loss", "l1_loss", "huber_loss", "smooth_l1_loss", "quantile_loss", "poisson_nll_loss", "binary_cross_entropy",
            "binary_cross_entropy_with_logits", "kl_div", "soft_margin_loss", "hinge_loss", "exponential_loss",
            "hinge_embedding_loss",
        )
    },
    "gaussian_nll_loss": lambda m, a, b: m.gaussian_nll_loss(a, b, 1.0),
    "margin_ranking_loss": lambda m, a, b: m.margin_ranking_loss(a, a, b),
    "triplet_margin_loss": lambda m, a, b: m.triplet_margin_loss(a, b, b),
}  # fmt: skip


@pytest.mark.parametrize("name", BROADCASTING)
def test_shapes_that_would_be_broadcast_are_refused(name: str) -> None:
    call = BROADCASTING[name]
    with pytest.raises(RuntimeError, match=rf"{name}: .*f32\[3,1\] and .*f32\[3\].* must have the same shape"):
        call(F, tn.ones(3, 1), tn.ones(3))
    assert call(F, tn.ones(3, 1), tn.ones(3, 1)).shape == ()


@pytest.mark.parametrize("bad", [-0.25, 1.25, NAN])
def test_probabilities_outside_0_and_1_are_refused(bad: float) -> None:
    good, wrong = tn.full((2, 3), 0.5), tn.full((2, 3), bad)
    for call in (
        lambda: F.binary_cross_entropy(wrong, good),
        lambda: F.binary_cross_entropy(good, wrong),
        lambda: F.binary_cross_entropy_with_logits(good, wrong),
        lambda: F.cross_entropy(good, wrong),
        lambda: F.kl_div(good.log(), wrong),
    ):
        with pytest.raises(RuntimeError, match=r"f32\[2,3\] must hold probabilities, between 0 and 1"):
            call()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rounding_makes_no_probability_wrong(dtype: str) -> None:
    eps = float(np.finfo(dtype).eps)
    target = tn.tensor([[1 + 2 * eps, -2 * eps]], dtype=dtype)  # as mixed labels may be: 0.7 + 0.3 of one class
    x = tn.tensor([[0.4, -0.2]], dtype=dtype)
    near = F.cross_entropy(x, tn.tensor([0])).item()
    assert F.cross_entropy(x, target).item() == pytest.approx(near, rel=1e-5)
    assert np.isfinite(F.binary_cross_entropy(target, target).item())
    assert np.isfinite(F.binary_cross_entropy_with_logits(x, target).item())
    assert np.isfinite(F.kl_div(x, target, reduction="batchmean").item())


@pytest.mark.parametrize(
    "name",
    ["soft_margin_loss", "hinge_loss", "exponential_loss", "hinge_embedding_loss", "margin_ranking_loss", "zero_one_loss"],
)
def test_labels_that_are_no_signs_are_refused(name: str) -> None:
    given = (tn.ones(2), tn.ones(2), tn.tensor([0, 1])) if name == "margin_ranking_loss" else (tn.ones(2), tn.tensor([0, 1]))
    with pytest.raises(
        RuntimeError, match=rf"{name}: labels are 1 or -1, got 0 in Tensor i64\[2\]; of 0 and 1 make 2 \* t - 1"
    ):
        getattr(F, name)(*given)
    with pytest.raises(RuntimeError, match="labels are 1 or -1, got nan"):
        getattr(F, name)(*given[:-1], tn.tensor([NAN, 1.0]))


# ---- decisions ----


def test_every_margin_loss_lies_above_the_0_1_loss() -> None:
    x = tn.linspace(-3, 3, 61, dtype=tn.float64)
    for sign in (1.0, -1.0):
        t = tn.full_like(x, sign)
        wrong = F.zero_one_loss(x, t, reduction="none").numpy()
        np.testing.assert_array_equal(wrong, x.numpy() * sign <= 0)
        for loss, scale in ((F.hinge_loss, 1.0), (F.exponential_loss, 1.0), (F.soft_margin_loss, 1 / np.log(2))):
            assert (loss(x, t, reduction="none").numpy() * scale >= wrong - 1e-12).all()


def test_zero_one_loss_counts_wrong_classes() -> None:
    scores = tn.tensor([[3.0, 1.0, 2.0], [0.0, 5.0, 1.0], [1.0, 2.0, 0.0]], requires_grad=True)
    loss = F.zero_one_loss(scores, tn.tensor([0, 1, 2]))
    assert loss.item() == pytest.approx(1 / 3)
    assert not loss.requires_grad
    assert F.zero_one_loss(scores, tn.tensor([2, 1, 1]), reduction="none").tolist() == [1, 0, 0]


def test_margin_losses_at_the_margin_and_far_out() -> None:
    x = tn.tensor([1.0, 1e4, -1e4, INF, -INF], dtype=tn.float64, requires_grad=True)
    t = tn.ones_like(x)
    F.hinge_loss(x, t, reduction="sum").backward()
    assert x.grad.tolist() == [-1, 0, -1, 0, -1]  # at the margin as ``clamp``: the slope passes
    assert F.hinge_loss(x, t, reduction="none").tolist() == [0, 0, 1e4 + 1, 0, INF]
    assert F.exponential_loss(x, t, reduction="none").tolist()[1:] == [0, INF, 0, INF]
    assert F.soft_margin_loss(x, t, reduction="none").tolist()[1:] == [0, 1e4, 0, INF]


@pytest.mark.parametrize("q", [0.1, 0.5, 0.9])
def test_the_least_quantile_loss_is_at_the_quantile(q: float) -> None:
    y = _f64(np.random.default_rng(0).normal(size=2001))
    x = tn.tensor(0.0, dtype=tn.float64, requires_grad=True)
    for step in range(400):
        (g,) = tn.autograd.grad(F.quantile_loss(x.expand(2001), y, q), x)
        with tn.no_grad():
            x.sub_(g * (4.0 / (1 + 0.1 * step)))
    assert x.item() == pytest.approx(np.quantile(y.numpy(), q), abs=0.02)
    np.testing.assert_allclose(F.quantile_loss(y, y * 0 + 1).item(), F.l1_loss(y, y * 0 + 1).item() / 2)


@pytest.mark.parametrize(("call", "slope"), [(F.quantile_loss, 0.0), (F.l1_loss, 0.0), (F.hinge_loss, -1.0)])
def test_slopes_at_ties(call: Callable[..., tn.Tensor], slope: float) -> None:
    x = tn.tensor([1.0], dtype=tn.float64, requires_grad=True)
    call(x, _f64([1.0])).backward()
    assert x.grad.item() == slope


# ---- normalisation, attention ----


def test_running_statistics_are_written_in_place_and_replay() -> None:
    mean, var = tn.zeros(2), tn.ones(2)
    held = mean.numpy(), var.numpy()
    x = tn.tensor([[1.0, 2.0], [3.0, 6.0]], requires_grad=True)
    with tn.Tape() as tape:
        y = F.batch_norm(x, mean, var, training=True, momentum=0.5)
    np.testing.assert_allclose(held[0], [1, 2])
    np.testing.assert_allclose(held[1], [1.5, 4.5])
    assert not mean.requires_grad
    y.sum().backward()
    tape.replay(y)
    np.testing.assert_allclose(held[0], [1.5, 3])


def test_a_constant_is_normalised_to_0() -> None:
    x = tn.full((2, 3), 5.0, dtype=tn.float64, requires_grad=True)
    y = F.layer_norm(x, (3,))
    assert y.tolist() == [[0] * 3] * 2
    (y * _f64([1.0, 2.0, 4.0])).sum().backward()
    assert np.isfinite(x.grad.numpy()).all()
    zero = tn.zeros(2, 3, requires_grad=True)
    F.normalize(zero).sum().backward()
    assert np.isfinite(zero.grad.numpy()).all()
    assert F.cosine_similarity(zero, tn.ones(2, 3)).tolist() == [0, 0]


@pytest.mark.parametrize("kind", ["bool", "float"])
def test_a_query_that_may_look_nowhere_gets_0_and_gives_no_gradient(kind: str) -> None:
    rng = np.random.default_rng(0)
    q, k, v = (tn.tensor(rng.normal(size=(2, 2)), requires_grad=True) for _ in range(3))
    allowed = tn.tensor([[True, False], [False, False]])
    mask = allowed if kind == "bool" else tn.where(allowed, 0.0, -INF).double()
    out = F.scaled_dot_product_attention(q, k, v, mask)
    np.testing.assert_allclose(out.detach().numpy(), [v.tolist()[0], [0, 0]])
    out.sum().backward()
    assert q.grad.tolist() == [[0, 0], [0, 0]]
    np.testing.assert_allclose(v.grad.numpy(), [[1, 1], [0, 0]])


def test_attention_drops_weights() -> None:
    tn.manual_seed(0)
    x, v = tn.zeros(1, 2), tn.ones(1000, 1)
    out = F.scaled_dot_product_attention(x, tn.zeros(1000, 2), v, dropout_p=0.5)
    assert out.item() != 1
    assert abs(out.item() - 1) < 0.2
    assert F.scaled_dot_product_attention(x, tn.zeros(1000, 2), v).item() == pytest.approx(1)


def test_alpha_dropout_keeps_mean_and_variance() -> None:
    tn.manual_seed(0)
    x = tn.randn(200_000)
    y = F.alpha_dropout(x, 0.2, training=True)
    assert abs(y.mean().item()) < 0.01
    assert abs(y.var().item() - 1) < 0.02
    assert len(np.unique(np.round(y.numpy(), 6))) < 170_000, "a fifth of the values is one and the same"
    assert F.alpha_dropout(x, 0.2) is x


LOGITS, LABELS = tn.ones(2, 3), tn.tensor([0, 1])


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: F.nll_loss(LOGITS, tn.tensor([0, 3])), IndexError, "nll_loss: 3 is out of range for 3 classes"),
        (lambda: F.nll_loss(LOGITS, LABELS, tn.ones(2)), RuntimeError, r"nll_loss: weight Tensor f32\[2\] must hold one"),
        (lambda: F.cross_entropy(LOGITS, tn.ones(2, 3), ignore_index=1), RuntimeError, "ignore_index is for labels"),
        (lambda: F.cross_entropy(LOGITS, LABELS, label_smoothing=1.5), ValueError, r"must lie in \[0, 1\], got 1.5"),
        (lambda: F.mse_loss(tn.ones(2), tn.ones(2), reduction="average"), ValueError, "'mean', 'sum' or 'none', got 'average'"),
        (lambda: F.mse_loss(tn.ones(2), tn.ones(2), "sum"), TypeError, "positional"),
        (lambda: F.mse_loss(tn.ones(2), tn.ones(2), weight=tn.ones(1)), ValueError, r"weight: .*f32\[1\] and .*f32\[2\]"),
        (lambda: F.huber_loss(tn.ones(2), tn.ones(2), delta=0.0), RuntimeError, "delta must be positive, got 0.0"),
        (lambda: F.smooth_l1_loss(tn.ones(2), tn.ones(2), beta=-1.0), RuntimeError, "beta must not be negative"),
        (lambda: F.gaussian_nll_loss(tn.ones(2), tn.ones(2), -1.0), ValueError, "variance cannot be negative"),
        (lambda: F.gaussian_nll_loss(tn.ones(2), tn.ones(2), tn.ones(3)), ValueError, r"var Tensor f32\[3\] does not fit"),
        (
            lambda: F.binary_cross_entropy(tn.ones(2), tn.ones(3)),
            ValueError,
            r"f32\[2\] and Tensor f32\[3\] must have the same",
        ),
        (lambda: F.binary_cross_entropy(tn.ones(2) * 2, tn.ones(2)), RuntimeError, "between 0 and 1"),
        (lambda: F.binary_cross_entropy(tn.tensor([NAN]), tn.ones(1)), RuntimeError, "between 0 and 1"),
        (lambda: F.binary_cross_entropy_with_logits(tn.ones(2), tn.ones(2, 1)), ValueError, "must have the same shape"),
        (lambda: F.cosine_embedding_loss(LOGITS, LOGITS, LOGITS), RuntimeError, r"needs inputs \(N, D\) and targets \(N,\)"),
        (lambda: F.cosine_embedding_loss(LOGITS, LOGITS, tn.tensor([1, 0])), RuntimeError, "labels are 1 or -1, got 0"),
        (lambda: F.cosine_embedding_loss(LOGITS, tn.ones(1, 3), tn.tensor([1, 1])), RuntimeError, r"got .*f32\[1,3\]"),
        (lambda: F.mse_loss(tn.ones(2), 1.0), TypeError, "mse_loss: needs a Tensor, got float"),
        (lambda: F.quantile_loss(tn.ones(2), tn.ones(2), 1.0), RuntimeError, "q must lie between 0 and 1, got 1.0"),
        (lambda: F.poisson_nll_loss(tn.ones(2), -tn.ones(2)), RuntimeError, "must hold counts, from 0 upwards"),
        (lambda: F.binary_cross_entropy(tn.ones(2), tn.ones(2), tn.ones(3, 2)), RuntimeError, r"weight .*f32\[3,2\] does not"),
        (
            lambda: F.binary_cross_entropy_with_logits(tn.ones(2), tn.ones(2), pos_weight=tn.ones(3)),
            RuntimeError,
            r"weight Tensor f32\[3\] does not broadcast to the losses Tensor f32\[2\]",
        ),
        (lambda: F.multi_margin_loss(LOGITS, LABELS, p=3), ValueError, "p must be 1 or 2, got 3"),
        (lambda: F.multi_margin_loss(LOGITS, tn.tensor([0, 3])), IndexError, "3 is out of range for 3 classes"),
        (lambda: F.multi_margin_loss(LOGITS, tn.tensor([0])), ValueError, r"f32\[2,3\] and Tensor i64\[1\]"),
        (lambda: F.multi_margin_loss(LOGITS, LABELS, weight=tn.ones(2)), RuntimeError, "one number per class, 3 in all"),
        (lambda: F.zero_one_loss(LOGITS, tn.tensor([0, 3])), IndexError, "3 is out of range for 3 classes"),
        (lambda: F.zero_one_loss(LOGITS, tn.tensor([0])), RuntimeError, r"needs scores \(N, C, ...\)"),
        (lambda: F.layer_norm(LOGITS, (2,)), RuntimeError, r"last axes of Tensor f32\[2,3\] are not normalized_shape=\[2\]"),
        (lambda: F.layer_norm(LABELS, (2,)), RuntimeError, r"layer_norm: Tensor i64\[2\] is not floating-point"),
        (lambda: F.rms_norm(LOGITS, (4, 2, 3)), RuntimeError, r"normalized_shape=\[4, 2, 3\]"),
        (lambda: F.batch_norm(tn.ones(1, 3), None, None, training=True), ValueError, "more than one value per channel"),
        (lambda: F.batch_norm(LOGITS, None, None), RuntimeError, "needs running_mean and running_var"),
        (lambda: F.batch_norm(tn.ones(3), None, None), RuntimeError, r"needs \(N, C, ...\), got Tensor f32\[3\]"),
        (lambda: F.batch_norm(LOGITS, tn.ones(2), tn.ones(3)), RuntimeError, r"running_mean must .* 3 in all, got .*f32\[2\]"),
        (lambda: F.group_norm(LOGITS, 2), RuntimeError, r"f32\[2,3\] do not divide into 2 groups"),
        (lambda: F.instance_norm(tn.ones(2, 3, 1)), ValueError, "more than one place per channel"),
        (lambda: F.instance_norm(LOGITS), RuntimeError, r"needs \(N, C, d1, ...\)"),
        (
            lambda: F.scaled_dot_product_attention(LOGITS, LOGITS, LOGITS, tn.ones(2, 2), is_causal=True),
            RuntimeError,
            "not both",
        ),
        (lambda: F.scaled_dot_product_attention(LOGITS, tn.ones(2, 2), LOGITS), RuntimeError, r"\(\*, L, E\), .*f32\[2,2\]"),
        (lambda: F.scaled_dot_product_attention(LOGITS, LOGITS, LOGITS.double()), RuntimeError, "one dtype"),
        (lambda: F.scaled_dot_product_attention(LOGITS, LOGITS, LOGITS, LABELS), RuntimeError, "bools or floats"),
        (lambda: F.bilinear(LOGITS, LOGITS, tn.ones(1, 3, 2)), RuntimeError, r"weight \(K, N, M\), got .*f32\[1,3,2\]"),
        (lambda: F.alpha_dropout(LOGITS, -0.1), ValueError, r"alpha_dropout: the probability must lie in \[0, 1\]"),
    ],
)
def test_bad_input(call: Callable[[], Any], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        call()


REFUSED = [
    lambda m, F: F.nll_loss(m.ones(2, 3), m.tensor([0, 3])),
    lambda m, F: F.nll_loss(m.ones(2, 3), m.tensor([0, 1, 1])),
    lambda m, F: F.cross_entropy(m.ones(2, 3), m.tensor([0, 3])),
    lambda m, F: F.cross_entropy(m.ones(2, 3), m.tensor([0, 1]), m.ones(2)),
    lambda m, F: F.cross_entropy(m.ones(2, 3), m.ones(2, 3), ignore_index=1),
    lambda m, F: F.cross_entropy(m.ones(2, 3), m.tensor([0, 1]), reduction="avg"),
    lambda m, F: F.mse_loss(m.ones(2), m.ones(2), reduction="avg"),
    lambda m, F: F.mse_loss(m.ones(2), m.ones(2), weight=m.ones(3)),
    lambda m, F: F.huber_loss(m.ones(2), m.ones(2), delta=0.0),
    lambda m, F: F.smooth_l1_loss(m.ones(2), m.ones(2), beta=-1.0),
    lambda m, F: F.gaussian_nll_loss(m.ones(2), m.ones(2), m.ones(3)),
    lambda m, F: F.gaussian_nll_loss(m.ones(2), m.ones(2), -1.0),
    lambda m, F: F.binary_cross_entropy(m.ones(2), m.ones(3)),
    lambda m, F: F.binary_cross_entropy(m.ones(2) * 2, m.ones(2)),
    lambda m, F: F.binary_cross_entropy_with_logits(m.ones(2), m.ones(3)),
    lambda m, F: F.binary_cross_entropy(m.ones(2), m.ones(2) * 2),
    lambda m, F: F.mse_loss(m.ones(2), m.ones(3)),
    lambda m, F: F.kl_div(m.ones(2), m.ones(3)),
    lambda m, F: F.soft_margin_loss(m.ones(2), m.ones(3)),
    lambda m, F: F.multi_margin_loss(m.ones(2, 3), m.tensor([0, 1]), p=3),
    lambda m, F: F.multi_margin_loss(m.ones(2, 3), m.tensor([0])),
    lambda m, F: F.multi_margin_loss(m.ones(2, 3), m.tensor([0, 1]), weight=m.ones(2)),
    lambda m, F: F.rrelu(m.ones(2), 0.5, 0.25),
    lambda m, F: F.cosine_embedding_loss(m.ones(2, 3), m.ones(2, 3), m.ones(2, 3)),
    lambda m, F: F.triplet_margin_loss(m.ones(2), m.ones(2), m.ones(2), reduction="avg"),
    lambda m, F: F.layer_norm(m.ones(2, 3), (2,)),
    lambda m, F: F.batch_norm(m.ones(1, 3), None, None, training=True),
    lambda m, F: F.batch_norm(m.ones(2, 3), None, None),
    lambda m, F: F.group_norm(m.ones(2, 3), 2),
    lambda m, F: F.instance_norm(m.ones(2, 3, 1)),
    lambda m, F: F.scaled_dot_product_attention(*[m.ones(2, 3)] * 3, m.ones(2, 2), is_causal=True),
    lambda m, F: F.linear(m.ones(2, 3), m.ones(2, 2)),
    lambda m, F: F.bilinear(m.ones(2, 3), m.ones(2, 3), m.ones(1, 3, 2)),
    lambda m, F: F.embedding(m.tensor([3]), m.ones(3, 2)),
    lambda m, F: F.embedding(m.tensor([0.5]), m.ones(3, 2)),
    lambda m, F: F.dropout(m.ones(3), 1.5),
    lambda m, F: F.alpha_dropout(m.ones(3), -0.5),
    lambda m, F: F.gelu(m.ones(3), approximate="erf"),
    lambda m, F: F.glu(m.ones(3)),
    lambda m, F: F.celu(m.ones(3), 0.0),
    lambda m, F: F.hardtanh(m.ones(3), 1.0, -1.0),
    lambda m, F: F.softshrink(m.ones(3), -1.0),
    lambda m, F: F.softmax(m.ones(3), 1),
    lambda m, F: F.cross_entropy(m.ones(2, 3, 2), m.tensor([0, 1])),
    lambda m, F: F.cross_entropy(m.ones(2, 3), m.tensor([1])),
    lambda m, F: F.prelu(m.ones(2, 3), m.ones(2)),
    lambda m, F: F.relu(m.tensor([True])),
    lambda m, F: m.nn.BatchNorm1d(3)(m.ones(3)),
    lambda m, F: m.nn.BatchNorm2d(3)(m.ones(2, 3)),
    lambda m, F: m.nn.GroupNorm(2, 3),
    lambda m, F: m.nn.Dropout(2.0),
    lambda m, F: m.nn.LeakyReLU(slope=1.0),
    lambda m, F: m.nn.Linear(2, 2).get_submodule("x"),
    lambda m, F: m.nn.Linear(2, 2).get_parameter("x"),
    lambda m, F: m.nn.Module().add_module("a.b", m.nn.ReLU()),
    lambda m, F: m.nn.Module().add_module("a", 3),
    lambda m, F: m.nn.Module().register_buffer("a", 3),
    lambda m, F: m.nn.Module().register_buffer("forward", m.ones(1)),
    lambda m, F: m.nn.Module().register_parameter("a", m.ones(1)),
    lambda m, F: m.nn.ModuleDict({"a": 3}),
    lambda m, F: m.nn.Sequential(m.nn.ReLU())[2],
    lambda m, F: m.nn.init.calculate_gain("what"),
    lambda m, F: m.nn.init.kaiming_normal_(m.ones(2, 2), mode="fan"),
    lambda m, F: m.nn.init.xavier_uniform_(m.ones(2)),
    lambda m, F: m.nn.init.eye_(m.ones(2)),
    lambda m, F: m.nn.init.orthogonal_(m.ones(2)),
    lambda m, F: m.nn.init.dirac_(m.ones(2, 2)),
    lambda m, F: m.nn.init.dirac_(m.ones(3, 2, 2), 2),
    lambda m, F: m.nn.init.sparse_(m.ones(2), 0.5),
    lambda m, F: F.dropout1d(m.ones(2)),
    lambda m, F: F.dropout2d(m.ones(2, 2, 2, 2), -1.0),
]


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("call", REFUSED)
def test_errors_have_torch_s_class(call: Callable[..., Any]) -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(Exception) as theirs:  # noqa: PT011 (torch chooses the class)
        call(torch, torch.nn.functional)
    with pytest.raises(theirs.type):
        call(tn, F)
