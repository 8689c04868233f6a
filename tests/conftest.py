"""What all tests share: the soak tests run only when asked for, every test starts from the same modes and random stream."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.modes import local


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Soak tests take minutes: only ``-m soak`` (any expression that names it) runs them."""
    if "soak" in (config.getoption("-m") or ""):
        return
    for item in items:
        if item.get_closest_marker("soak"):
            item.add_marker(pytest.mark.skip(reason="minutes long: run with -m soak"))


@pytest.fixture(autouse=True)
def same_start() -> Iterator[None]:
    """Seeded before; and no test leaves a mode, a tape or a scope switched behind it."""
    tn.manual_seed(0)
    mode = local.mode
    before = mode.grad, mode.tape, mode.scope
    yield
    after = mode.grad, mode.tape, mode.scope
    mode.grad, mode.tape, mode.scope = before
    assert after == before, "the test left a mode switched"


@pytest.fixture
def rng() -> np.random.Generator:
    """Numbers that are the same in every run."""
    return np.random.default_rng(0)
