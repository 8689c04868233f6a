"""Samples of ``tinygrad_notes.nn.functional``: classes, loss, margin and distance."""

from __future__ import annotations

from typing import Any

from . import Input, Sample, floats, ints, samples

UNIT = {"low": 0.05, "high": 0.95}


def _f(name: str, **settings: Any) -> Any:
    return lambda m, *args: getattr(m.nn.functional, name)(*args, **settings)


def _losses(name: str, *inputs: Input, settings: tuple[dict[str, Any], ...] = (), reduced: bool = True) -> list[Sample]:
    """Every reduction, and each of the settings."""
    every = [{"reduction": r} for r in ("none", "sum", "mean")] if reduced else []
    return samples(f"nn.functional.{name}", *((_f(name, **given), *inputs) for given in ({}, *every, *settings)))


def _weights(m: Any, x: Any) -> Any:
    """One per class of three; a constant, since PyTorch has no gradient for it."""
    return m.tensor([0.5, 1.25, 2.0], dtype=x.dtype)


def _weighted(name: str, which: str = "weight", **settings: Any) -> Any:
    return lambda m, x, y: getattr(m.nn.functional, name)(x, y, **{which: _weights(m, x)}, **settings)


def _labels(name: str, m: Any, x: Any, labels: Any, weighted: bool, **settings: Any) -> Any:
    """Scores become log-probabilities where the loss wants them."""
    scores = m.log_softmax(x, 1 if x.ndim > 1 else 0) if name == "nll_loss" else x
    return getattr(m.nn.functional, name)(scores, labels, _weights(m, x) if weighted else None, **settings)


def _of_classes(name: str) -> list[Sample]:
    def call(**settings: Any) -> Any:
        return lambda m, x, labels: _labels(name, m, x, labels, False, **settings)

    def heavy(**settings: Any) -> Any:
        return lambda m, x, labels: _labels(name, m, x, labels, True, **settings)

    labels = ints(4, high=3)
    return samples(
        f"nn.functional.{name}",
        (call(), floats(4, 3), labels),
        (heavy(), floats(4, 3), labels),
        (heavy(reduction="sum"), floats(4, 3), labels),
        (heavy(reduction="none"), floats(4, 3), labels),
        (call(ignore_index=1), floats(4, 3), labels),
        (heavy(ignore_index=1, reduction="none"), floats(4, 3), labels),
        (heavy(ignore_index=2), floats(4, 3), labels),
        (call(), floats(2, 3, 2), ints(2, 2, high=3)),
        (heavy(ignore_index=0), floats(2, 3, 2, 2), ints(2, 2, 2, high=3)),
        (heavy(reduction="none"), floats(2, 3, 2), ints(2, 2, high=3)),
        (call(), floats(3), ints(high=3)),
        (heavy(reduction="none"), floats(3), ints(high=3)),
        (call(reduction="sum"), floats(0, 3), ints(0, high=3)),
    )


def _smoothed(**settings: Any) -> Any:
    return lambda m, x, target: m.nn.functional.cross_entropy(x, target, **settings)


def _heavy(**settings: Any) -> Any:
    return lambda m, x, target: m.nn.functional.cross_entropy(x, target, weight=_weights(m, x), **settings)


def _signed(name: str, *settings: dict[str, Any], torch: bool = True, differs: str = "") -> list[Sample]:
    """Labels of 1 and -1, every reduction, and each of the settings."""
    every = ({}, *({"reduction": r} for r in ("none", "sum", "mean")), *settings)
    calls = (
        lambda m, x, t, given=given: getattr(m.nn.functional, name)(x, (t * 2 - 1).to(x.dtype), **given) for given in every
    )
    return samples(f"nn.functional.{name}", *((c, floats(6), ints(6, high=2)) for c in calls), torch=torch, differs=differs)


def _multi_margin(torch: bool, orders: int, differs: str = "") -> list[Sample]:
    call = _f("multi_margin_loss")
    return samples(
        "nn.functional.multi_margin_loss",
        (call, floats(4, 3), ints(4, high=3)),
        (call, floats(3), ints(high=3)),
        (_f("multi_margin_loss", p=2, margin=0.5), floats(4, 3), ints(4, high=3)),
        (_f("multi_margin_loss", reduction="none"), floats(4, 3), ints(4, high=3)),
        (_weighted("multi_margin_loss", p=2, reduction="sum"), floats(4, 3), ints(4, high=3)),
        (lambda m, x, t: m.nn.functional.multi_margin_loss(x, t, 1, 1.9, _weights(m, x)), floats(4, 3), ints(4, high=3)),
        torch=torch,
        orders=orders,
        differs=differs,
    )


SHARES = floats(4, 3, low=0.1, high=1.0)

SAMPLES: list[Sample] = [
    *_of_classes("nll_loss"),
    *_of_classes("cross_entropy"),
    *samples(
        "nn.functional.cross_entropy",
        (_smoothed(label_smoothing=0.2), floats(4, 3), ints(4, high=3)),
        (_heavy(label_smoothing=0.2, ignore_index=1), floats(4, 3), ints(4, high=3)),
        (_heavy(label_smoothing=0.2, reduction="none"), floats(2, 3, 2), ints(2, 2, high=3)),
        (_heavy(label_smoothing=0.2, reduction="sum"), floats(2, 3, 2), ints(2, 2, high=3)),
        (_smoothed(), floats(4, 3), SHARES),
        (_heavy(), floats(4, 3), SHARES),
        (_heavy(reduction="none"), floats(4, 3), SHARES),
        (_heavy(reduction="sum", label_smoothing=0.3), floats(4, 3), SHARES),
        (_smoothed(label_smoothing=0.3), floats(2, 3, 2), floats(2, 3, 2, low=0.1, high=1.0)),
        (_smoothed(), floats(3), floats(3, low=0.1, high=1.0)),
        (_smoothed(reduction="sum"), floats(0, 3), floats(0, 3)),
    ),
    *_losses("mse_loss", floats(2, 3), floats(2, 3)),
    *samples("nn.functional.mse_loss", (_f("mse_loss", reduction="sum"), floats(0, 3), floats(0, 3))),
    *_losses("mse_loss", floats(), floats(), reduced=False),
    *_losses("l1_loss", floats(2, 3), floats(2, 3)),
    *_losses("huber_loss", floats(2, 3), floats(2, 3), settings=({"delta": 0.7}, {"delta": 2.5, "reduction": "none"})),
    *_losses("smooth_l1_loss", floats(2, 3), floats(2, 3), settings=({"beta": 0.7}, {"beta": 0.0}, {"beta": 3.0})),
    *samples(
        "nn.functional.mse_loss",
        *(
            (
                lambda m, x, y, w, r=r: m.nn.functional.mse_loss(x, y, weight=w, reduction=r),
                floats(2, 3),
                floats(2, 3),
                floats(2, 3, low=0.5),
            )
            for r in ("none", "sum", "mean")
        ),
    ),
    *samples(
        "nn.functional.l1_loss",
        (
            lambda m, x, y, w: m.nn.functional.l1_loss(x, y, weight=w),
            floats(2, 3),
            floats(2, 3),
            floats(2, 3, low=0.5),
        ),
    ),
    *samples(
        "nn.functional.huber_loss",
        (
            lambda m, x, y, w: m.nn.functional.huber_loss(x, y, weight=w),
            floats(2, 3),
            floats(2, 3),
            floats(2, 3, low=0.5),
        ),
    ),
    *samples(
        "nn.functional.gaussian_nll_loss",
        (_f("gaussian_nll_loss"), floats(2, 3), floats(2, 3), floats(2, 3, low=0.3)),
        (_f("gaussian_nll_loss", full=True, reduction="sum"), floats(2, 3), floats(2, 3), floats(2, 1, low=0.3)),
        (_f("gaussian_nll_loss", reduction="none"), floats(2, 3), floats(2, 3), floats(2, low=0.3)),
        (lambda m, x, y: m.nn.functional.gaussian_nll_loss(x, y, 0.5), floats(2, 3), floats(2, 3)),
    ),
    *samples(
        "nn.functional.quantile_loss",
        (_f("quantile_loss"), floats(2, 3), floats(2, 3)),
        (_f("quantile_loss", q=0.9, reduction="sum"), floats(2, 3), floats(2, 3)),
        (lambda m, x, t: m.nn.functional.quantile_loss(x, t, 0.2, reduction="none"), floats(), floats()),
        torch=False,
        differs="PyTorch has none",
    ),
    *_losses(
        "poisson_nll_loss",
        floats(2, 3),
        floats(2, 3, low=0.1, high=4.0),
        settings=({"full": True}, {"full": True, "reduction": "none"}, {"log_input": True, "full": False}),
    ),
    *samples(
        "nn.functional.poisson_nll_loss",
        (_f("poisson_nll_loss", log_input=False, eps=0.1), floats(2, 3, low=0.1), floats(2, 3, low=0.1, high=4.0)),
        (_f("poisson_nll_loss"), floats(6), ints(6, high=4)),
        (lambda m, x, t: m.nn.functional.poisson_nll_loss(x, t, False, True), floats(6, low=0.1), ints(6, high=4)),
    ),
    *_losses("binary_cross_entropy", floats(2, 3, **UNIT), floats(2, 3, **UNIT)),
    *samples(
        "nn.functional.binary_cross_entropy",
        (_weighted("binary_cross_entropy"), floats(2, 3, **UNIT), floats(2, 3, **UNIT)),
        (_weighted("binary_cross_entropy", reduction="none"), floats(3, **UNIT), floats(3, **UNIT)),
    ),
    *_losses("binary_cross_entropy_with_logits", floats(2, 3, low=-30, high=30), floats(2, 3, **UNIT)),
    *samples(
        "nn.functional.binary_cross_entropy_with_logits",
        (_weighted("binary_cross_entropy_with_logits"), floats(2, 3), floats(2, 3, **UNIT)),
        (_weighted("binary_cross_entropy_with_logits", "pos_weight"), floats(2, 3), floats(2, 3, **UNIT)),
        (_weighted("binary_cross_entropy_with_logits", "pos_weight", reduction="none"), floats(3), floats(3, **UNIT)),
    ),
    *_signed("soft_margin_loss"),
    *_signed("hinge_loss", {"margin": 0.3}, torch=False, differs="PyTorch has none"),
    *_signed("exponential_loss", torch=False, differs="PyTorch has none"),
    *samples(
        "nn.functional.zero_one_loss",
        (lambda m, x, t: m.nn.functional.zero_one_loss(x, t * 2 - 1), floats(6), ints(6, high=2)),
        (_f("zero_one_loss"), floats(4, 3), ints(4, high=3)),
        (_f("zero_one_loss", reduction="none"), floats(2, 3, 2), ints(2, 2, high=3)),
        (_f("zero_one_loss", reduction="sum"), floats(3), ints(high=3)),
        orders=0,
        torch=False,
        differs="PyTorch has none",
    ),
    *_multi_margin(torch=True, orders=1),
    *_multi_margin(
        torch=False,
        orders=2,
        differs="has second derivatives; labels out of range raise IndexError, as elsewhere",
    ),
    *samples(
        "nn.functional.kl_div",
        *(
            (_f("kl_div", reduction=r, log_target=log), floats(2, 3), floats(2, 3, **UNIT))
            for r in ("batchmean", "sum", "none")
            for log in (False, True)
        ),
    ),
    *samples(
        "nn.functional.kl_div",
        (_f("kl_div"), floats(2, 3), floats(2, 3, **UNIT)),
        torch=False,
        differs="does not warn of the mean",
    ),
    *samples(
        "nn.functional.cosine_embedding_loss",
        *(
            (
                lambda m, x, y, t, given=given: m.nn.functional.cosine_embedding_loss(x, y, t * 2 - 1, **given),
                floats(4, 3),
                floats(4, 3),
                ints(4, high=2),
            )
            for given in ({}, {"margin": 0.3}, {"margin": -0.9, "reduction": "none"}, {"reduction": "sum"})
        ),
        (
            lambda m, x, y, t: m.nn.functional.cosine_embedding_loss(x, y, t * 2 - 1, -0.9),
            floats(3),
            floats(3),
            ints(high=2),
        ),
    ),
    *_signed("hinge_embedding_loss", {"margin": 0.3}, {"margin": 2.5, "reduction": "none"}),
    *samples(
        "nn.functional.margin_ranking_loss",
        *(
            (
                lambda m, x, y, t, given=given: m.nn.functional.margin_ranking_loss(x, y, t * 2 - 1, **given),
                floats(5),
                floats(5),
                ints(5, high=2),
            )
            for given in ({}, {"margin": 0.7}, {"margin": 4.0, "reduction": "none"}, {"reduction": "sum"})
        ),
    ),
    *_losses(
        "triplet_margin_loss",
        floats(3, 4),
        floats(3, 4),
        floats(3, 4),
        settings=({"margin": 3.0, "p": 1.0}, {"swap": True, "margin": 4.0}, {"p": 3.0, "margin": 4.0, "reduction": "none"}),
    ),
    *samples(
        "nn.functional.cosine_similarity",
        (_f("cosine_similarity"), floats(2, 3), floats(2, 3)),
        (_f("cosine_similarity", dim=-1), floats(2, 1, 3), floats(2, 3)),
        (_f("cosine_similarity", dim=0, eps=0.1), floats(3), floats(3)),
    ),
    *samples(
        "nn.functional.pairwise_distance",
        (_f("pairwise_distance"), floats(2, 3), floats(2, 3)),
        (_f("pairwise_distance", p=1.0, keepdim=True), floats(2, 3), floats(2, 3)),
        (_f("pairwise_distance", p=3.0, eps=0.01), floats(3), floats(3)),
    ),
    *samples(
        "nn.functional.normalize",
        (_f("normalize"), floats(2, 3)),
        (_f("normalize", p=1.0, dim=0), floats(2, 3)),
        (_f("normalize", dim=(1, 2)), floats(2, 3, 2)),
        (_f("normalize", eps=9.0), floats(2, 3)),
        (_f("normalize", dim=-1), floats(0, 3)),
    ),
]
