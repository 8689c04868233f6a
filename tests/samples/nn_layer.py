"""Samples of ``tinygrad_notes.nn.functional``: layer, dropping, normalization and attention."""

from __future__ import annotations

from typing import Any

from . import Sample, bools, floats, ints, samples


def _f(name: str, *more: Any, **settings: Any) -> Any:
    return lambda m, *args: getattr(m.nn.functional, name)(*args, *more, **settings)


def _norm(name: str, shape: tuple[int, ...], **settings: Any) -> Any:
    return lambda m, x, *parts: getattr(m.nn.functional, name)(x, shape, *parts, **settings)


def _running(m: Any, x: Any, *parts: Any, name: str = "batch_norm", **settings: Any) -> Any:
    """The result, and the running statistics after it."""
    mean, var = (m.tensor(values, dtype=x.dtype) for values in ([0.5, -1.0, 0.25], [0.5, 2.0, 1.0]))
    return getattr(m.nn.functional, name)(x, mean, var, *parts, **settings), mean, var


SAMPLES: list[Sample] = [
    *samples(
        "nn.functional.linear",
        (_f("linear"), floats(2, 3), floats(4, 3), floats(4)),
        (_f("linear"), floats(2, 2, 3), floats(4, 3)),
        (_f("linear"), floats(3), floats(4, 3), floats(4)),
        (_f("linear"), floats(0, 3), floats(4, 3)),
    ),
    *samples(
        "nn.functional.bilinear",
        (_f("bilinear"), floats(2, 3), floats(2, 4), floats(5, 3, 4), floats(5)),
        (_f("bilinear"), floats(2, 2, 3), floats(2, 2, 1), floats(2, 3, 1)),
        (_f("bilinear"), floats(3), floats(4), floats(2, 3, 4)),
    ),
    *samples(
        "nn.functional.embedding",
        (_f("embedding"), ints(2, 3, high=4), floats(4, 2)),
        (_f("embedding"), ints(high=4), floats(4, 2)),
        (lambda m, i, w: m.nn.functional.embedding(i, w, 3), ints(2, 3, high=3), floats(4, 2)),
        (lambda m, i, w: m.nn.functional.embedding(i, w, padding_idx=-1), ints(2, 3, high=3), floats(4, 2)),
        (_f("embedding"), ints(0, high=4), floats(4, 2)),
    ),
    *samples(
        "nn.functional.dropout",
        (lambda m, x: m.nn.functional.dropout(x * 2, 0.5, False), floats(2, 3)),
        (lambda m, x: m.nn.functional.dropout(x * 2, p=0.0, inplace=True), floats(2, 3)),
        (lambda m, x: m.nn.functional.dropout(x * 2, 1.0), floats(2, 3)),
    ),
    *(
        sample
        for name, shapes in {
            "dropout1d": ((2, 3), (2, 3, 4)),
            "dropout2d": ((2, 3, 1, 2),),
            "dropout3d": ((2, 1, 2, 3),),
        }.items()
        for shape in shapes
        for sample in samples(
            f"nn.functional.{name}",
            *(
                (lambda m, x, name=name, given=given: _f(name, **given)(m, x * 2), floats(*shape))
                for given in ({"training": False}, {"p": 0.0}, {"p": 1.0}, {"p": 1.0, "inplace": True})
            ),
        )
    ),
    *samples(
        "nn.functional.alpha_dropout",
        (lambda m, x: m.nn.functional.alpha_dropout(x * 2), floats(2, 3)),
        (lambda m, x: m.nn.functional.alpha_dropout(x * 2, 1.0, True), floats(2, 3)),
    ),
    *samples(
        "nn.functional.layer_norm",
        (_norm("layer_norm", (3,)), floats(2, 3)),
        (_norm("layer_norm", (3,), eps=0.1), floats(2, 3), floats(3), floats(3)),
        (_norm("layer_norm", (2, 3)), floats(2, 2, 3), floats(2, 3)),
        (lambda m, x, b: m.nn.functional.layer_norm(x, [3], None, b), floats(2, 3), floats(3)),
        (_norm("layer_norm", (3,)), floats(0, 3)),
        (_norm("layer_norm", (1,)), floats(2, 1)),
    ),
    *samples(
        "nn.functional.rms_norm",
        (_norm("rms_norm", (3,)), floats(2, 3)),
        (_norm("rms_norm", (2, 3), eps=0.1), floats(2, 2, 3), floats(2, 3)),
    ),
    *samples(
        "nn.functional.batch_norm",
        (lambda m, *a: _running(m, *a, training=True), floats(4, 3)),
        (
            lambda m, *a: _running(m, *a, training=True, momentum=0.3, eps=0.1),
            floats(2, 3, 2),
            floats(3),
            floats(3),
        ),
        (lambda m, *a: _running(m, *a), floats(4, 3), floats(3), floats(3)),
        (lambda m, *a: _running(m, *a), floats(1, 3, 1, 2)),
        (lambda m, x: m.nn.functional.batch_norm(x, None, None, training=True), floats(2, 3, 2, 2)),
    ),
    *samples(
        "nn.functional.group_norm",
        (lambda m, x: m.nn.functional.group_norm(x, 2), floats(2, 4)),
        (lambda m, x, w, b: m.nn.functional.group_norm(x, 2, w, b, 0.1), floats(2, 4, 3), floats(4), floats(4)),
        (lambda m, x, w: m.nn.functional.group_norm(x, 1, weight=w), floats(2, 3, 2, 2), floats(3)),
        (lambda m, x: m.nn.functional.group_norm(x, 3), floats(2, 3, 2)),
    ),
    *samples(
        "nn.functional.instance_norm",
        (_f("instance_norm"), floats(2, 3, 4)),
        (lambda m, *a: _running(m, *a, name="instance_norm"), floats(2, 3, 4), floats(3), floats(3)),
        (lambda m, *a: _running(m, *a, name="instance_norm", momentum=0.4, eps=0.1), floats(2, 3, 2, 2)),
        (lambda m, *a: _running(m, *a, name="instance_norm", use_input_stats=False), floats(2, 3, 4)),
    ),
    *samples(
        "nn.functional.scaled_dot_product_attention",
        (_f("scaled_dot_product_attention"), floats(3, 2), floats(4, 2), floats(4, 3)),
        (_f("scaled_dot_product_attention", scale=0.3), floats(2, 3, 2), floats(2, 4, 2), floats(2, 4, 2)),
        (_f("scaled_dot_product_attention", is_causal=True), floats(1, 2, 3, 2), floats(1, 2, 3, 2), floats(1, 2, 3, 2)),
        (_f("scaled_dot_product_attention", is_causal=True), floats(2, 2), floats(4, 2), floats(4, 2)),
        (_f("scaled_dot_product_attention", is_causal=True), floats(4, 2), floats(2, 2), floats(2, 2)),
        (_f("scaled_dot_product_attention"), floats(2, 3, 2), floats(2, 4, 2), floats(2, 4, 2), floats(3, 4)),
        (_f("scaled_dot_product_attention"), floats(2, 3, 2), floats(2, 4, 2), floats(2, 4, 2), bools(3, 4)),
        (_f("scaled_dot_product_attention"), floats(3, 2), floats(1, 2), floats(1, 2), bools(3, 1)),
        orders=1,  # PyTorch has no second derivative of some of these
    ),
    *samples(
        "nn.functional.scaled_dot_product_attention",
        (_f("scaled_dot_product_attention"), floats(3, 2), floats(4, 2), floats(4, 3)),
        (_f("scaled_dot_product_attention", scale=0.3), floats(2, 3, 2), floats(2, 4, 2), floats(2, 4, 2)),
        (_f("scaled_dot_product_attention", is_causal=True), floats(1, 2, 3, 2), floats(1, 2, 3, 2), floats(1, 2, 3, 2)),
        (_f("scaled_dot_product_attention", is_causal=True), floats(2, 2), floats(4, 2), floats(4, 2)),
        (_f("scaled_dot_product_attention", is_causal=True), floats(4, 2), floats(2, 2), floats(2, 2)),
        (_f("scaled_dot_product_attention"), floats(2, 3, 2), floats(2, 4, 2), floats(2, 4, 2), floats(3, 4)),
        (_f("scaled_dot_product_attention"), floats(2, 3, 2), floats(2, 4, 2), floats(2, 4, 2), bools(3, 4)),
        (_f("scaled_dot_product_attention"), floats(3, 2), floats(1, 2), floats(1, 2), bools(3, 1)),
        torch=False,
        differs="has second derivatives throughout, which PyTorch implements in part",
    ),
]
