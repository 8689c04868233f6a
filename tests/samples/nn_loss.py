"""Samples of ``tinygrad_notes.nn.functional``: classes, loss and distance."""

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
    *samples(
        "nn.functional.soft_margin_loss",
        *(
            (
                lambda m, x, t, r=r: m.nn.functional.soft_margin_loss(x, (t * 2 - 1).to(x.dtype), reduction=r),
                floats(6),
                ints(6, high=2),
            )
            for r in ("none", "sum", "mean")
        ),
    ),
    *samples(
        "nn.functional.kl_div",
        *(
            (_f("kl_div", reduction=r, log_target=log), floats(2, 3), floats(2, 3, **UNIT))
            for r in ("batchmean", "sum", "none")
            for log in (False, True)
        ),
    ),
    *samples("nn.functional.kl_div", (_f("kl_div"), floats(2, 3), floats(2, 3, **UNIT)), torch=False, differs="does not warn"),
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
    *samples(
        "nn.functional.hinge_embedding_loss",
        *(
            (
                lambda m, x, t, given=given: m.nn.functional.hinge_embedding_loss(x, t * 2 - 1, **given),
                floats(6),
                ints(6, high=2),
            )
            for given in ({}, {"margin": 0.3}, {"margin": 2.5, "reduction": "none"}, {"reduction": "sum"})
        ),
    ),
    *_losses(
        "margin_ranking_loss",
        floats(5),
        floats(5),
        floats(5),
        settings=({"margin": 0.7}, {"margin": 4.0, "reduction": "none"}),
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
