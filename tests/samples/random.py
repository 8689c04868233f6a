"""Samples of ``tinygrad_notes.functions.random``: distributions are tested in tests/test_random.py."""

from __future__ import annotations

from typing import Any

from . import Sample, floats, ints, samples


def seeded(m: Any) -> Any:
    """The same numbers at every call."""
    generator = m.Generator()
    generator.manual_seed(3)
    return generator


def drawn(name: str, *calls: tuple[Any, ...], orders: int = 0, differs: str = "") -> list[Sample]:
    """Samples without torch, which draws other numbers from the same seed."""
    return samples(name, *calls, orders=orders, torch=False, differs=differs or "torch draws other numbers from the same seed")


SAMPLES: list[Sample] = [
    *drawn(
        "rand",
        (lambda m: m.rand(2, 3, generator=seeded(m)),),
        (lambda m: m.rand((2,), dtype=m.float64, generator=seeded(m)),),
        (lambda m: m.rand(0),),
    ),
    *drawn(
        "randn",
        (lambda m: m.randn(2, 3, generator=seeded(m)),),
        (lambda m: m.randn([2], dtype=m.float64, generator=seeded(m)),),
    ),
    *drawn(
        "randint",
        (lambda m: m.randint(7, (2, 3), generator=seeded(m)),),
        (lambda m: m.randint(-3, 7, (4,), generator=seeded(m), dtype=m.int32),),
        (lambda m: m.randint(low=2, high=5, size=(4,), generator=seeded(m), dtype=m.float32),),
    ),
    *drawn("rand_like", (lambda m, x: m.rand_like(x, generator=seeded(m)), floats(2, 3))),
    *drawn("randn_like", (lambda m, x: m.randn_like(x, generator=seeded(m), dtype=m.float32), floats(2, 3))),
    *drawn(
        "randint_like",
        (lambda m, x: m.randint_like(x, 5, generator=seeded(m)), floats(2, 3)),
        (lambda m, x: m.randint_like(x, -2, 5, dtype=m.int64, generator=seeded(m)), floats(3)),
    ),
    *drawn("normal", (lambda m: m.normal(1.0, 2.0, (2, 3), generator=seeded(m)),)),
    *drawn(
        "normal",
        (lambda m, x, s: m.normal(x, s, generator=seeded(m)), floats(2, 3), floats(3, low=0.5)),
        (lambda m, x: m.normal(x, 2.0, generator=seeded(m)), floats(2)),
        (lambda m, s: m.normal(1.0, s, generator=seeded(m)), floats(2, low=0.5)),
        orders=1,
        differs="gradients reach mean and std along mean + std * noise; torch's are 0",
    ),
    *drawn(
        "bernoulli",
        (lambda m, x: m.bernoulli(x, generator=seeded(m)), floats(2, 3, low=0.0, high=0.7)),
        (lambda m, x: x.bernoulli(0.3, generator=seeded(m)), ints(2, 3)),
    ),
    *drawn(
        "randperm",
        (lambda m: m.randperm(7, generator=seeded(m)),),
        (lambda m: m.randperm(3, generator=seeded(m), dtype=m.int32),),
        (lambda m: m.randperm(0),),
    ),
    *drawn(
        "multinomial",
        (lambda m, x: m.multinomial(x, 3, generator=seeded(m)), floats(5, low=0.1)),
        (lambda m, x: x.multinomial(4, replacement=True, generator=seeded(m)), floats(2, 3, low=0.1)),
        (lambda m, x: x.multinomial(2, True, generator=seeded(m)), floats(4, low=0.1)),
        (lambda m, x: x.multinomial(num_samples=1, generator=seeded(m)), floats(3, 4, low=0.1)),
    ),
    *drawn("Tensor.uniform_", (lambda m, x: (x * 1).uniform_(-1, 1, generator=seeded(m)), floats(2, 3))),
    *drawn("Tensor.normal_", (lambda m, x: (x * 1).normal_(2, 0.5, generator=seeded(m)), floats(2, 3))),
    *drawn(
        "Tensor.bernoulli_",
        (lambda m, x: (x * 1).bernoulli_(generator=seeded(m)), floats(2, 3)),
        (lambda m, x, q: (x * 1).bernoulli_(q, generator=seeded(m)), ints(2, 3), floats(3, low=0.0, high=0.7)),
    ),
    *drawn(
        "Tensor.random_",
        (lambda m, x: (x * 1).random_(generator=seeded(m)), floats(2, 3)),
        (lambda m, x: (x * 1).random_(7, generator=seeded(m)), ints(2, 3)),
        (lambda m, x: (x * 1).random_(-3, 7, generator=seeded(m)), ints(2, 3)),
        (lambda m, x: (x * 1).random_(generator=seeded(m)), ints(2)),
    ),
]
