"""Landscapes: their minima and curvatures; walks against closed forms, many at once against one by one; pictures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import optim
from tinygrad_notes.train.landscapes import BEALE, ROSENBROCK, SADDLE, Landscape, bowl, descend

BOWL = bowl(1.0, 20.0, start=(2.0, 1.0))


@pytest.mark.parametrize("landscape", [BOWL, ROSENBROCK, BEALE], ids=lambda landscape: landscape.name)
def test_the_lowest_point_is_a_minimum(landscape: Landscape) -> None:
    point = tn.tensor(landscape.lowest, dtype=tn.float64)
    assert landscape(point).item() == 0
    assert not tn.func.grad(landscape)(point).numpy().any()
    assert np.linalg.eigvalsh(tn.func.hessian(landscape)(point).numpy()).min() > 0


def test_known_values() -> None:
    assert ROSENBROCK(tn.tensor(ROSENBROCK.start, dtype=tn.float64)).item() == pytest.approx(24.2)
    assert BEALE(tn.zeros(2, dtype=tn.float64)).item() == pytest.approx(14.203125)
    assert np.linalg.eigvalsh(tn.func.hessian(SADDLE)(tn.zeros(2)).numpy()).tolist() == [-2, 2]
    assert tn.func.hessian(BOWL)(tn.ones(2, dtype=tn.float64)).tolist() == [[1, 0], [0, 20]]


def test_gradient_descent_on_a_bowl_has_its_closed_form() -> None:
    path = descend(BOWL, BOWL.start, lambda params: optim.SGD(params, lr=0.09), 30)
    expected = np.array(BOWL.start) * (1 - 0.09 * np.array([1.0, 20.0])) ** np.arange(31)[:, None]
    np.testing.assert_allclose(path, expected, rtol=1e-10)


@pytest.mark.parametrize("make", [lambda p: optim.SGD(p, lr=1e-3, momentum=0.9), lambda p: optim.Adam(p, lr=0.1)])
def test_many_walks_at_once_are_those_of_each(make: Any) -> None:
    starts = np.random.default_rng(0).uniform(-1, 1, (4, 3, 2))
    together = descend(ROSENBROCK, starts, make, 20)
    assert together.shape == (21, 4, 3, 2)
    np.testing.assert_allclose(together[:, 1, 2], descend(ROSENBROCK, starts[1, 2], make, 20), rtol=1e-12)


@pytest.mark.parametrize("method", ["hessian", "cg"])
def test_newton_walks_too(method: str) -> None:
    path = descend(ROSENBROCK, ROSENBROCK.start, lambda params: optim.Newton(params, method=method), 12)
    np.testing.assert_allclose(path[-1], ROSENBROCK.lowest, atol=1e-10)


@pytest.mark.parametrize("landscape", [BOWL, SADDLE, ROSENBROCK, BEALE], ids=lambda landscape: landscape.name)
def test_pictures(landscape: Landscape) -> None:
    from matplotlib.figure import Figure

    axes = Figure().add_subplot()
    path = np.array([landscape.start, (100.0, 100.0), (np.inf, np.nan)])  # a walk may leave
    landscape.draw(axes, {"walk": path})
    assert axes.get_xlim() == landscape.window[:2]
    assert axes.get_legend_handles_labels()[1] == ["walk"]
    axes.figure.draw_without_rendering()
