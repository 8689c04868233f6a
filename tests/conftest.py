"""What all tests share: long tests run only when asked for, every test starts from the same modes and random stream."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.modes import local


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests that take minutes run only where the expression of ``-m`` names their marker."""
    for marker in ("long", "soak"):
        if marker not in (config.getoption("-m") or ""):
            for item in items:
                if item.get_closest_marker(marker):
                    item.add_marker(pytest.mark.skip(reason=f"minutes long: run with -m {marker}"))


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
