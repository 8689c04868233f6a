"""Functions of two numbers that optimizers are watched on: a bowl, a saddle, Rosenbrock's valley, Beale's plain; and the walks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..optim import Newton, Optimizer
from ..tensor import Tensor, from_array

__all__ = ["BEALE", "ROSENBROCK", "SADDLE", "Landscape", "bowl", "descend"]

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Landscape:
    """A function of the plane.

    name    for titles
    height  the function, of points ``(..., 2)``: one value for each
    start   where walks begin
    lowest  where it is lowest, None for one without a minimum
    window  (left, right, bottom, top) of the part that is drawn
    """

    name: str
    height: Callable[[Tensor], Tensor]
    start: tuple[float, float]
    lowest: tuple[float, float] | None
    window: tuple[float, float, float, float]

    def __call__(self, x: Tensor) -> Tensor:
        return self.height(x)

    def grid(self, points: int = 151) -> tuple[Array, Array, Array]:
        """Coordinates and heights of the window, for matplotlib."""
        left, right, bottom, top = self.window
        x, y = np.linspace(left, right, points), np.linspace(bottom, top, points)
        return x, y, self.height(from_array(np.stack(np.meshgrid(x, y), -1))).numpy()

    def draw(self, axes: Any, paths: Mapping[str, Array] | None = None, *, color: Any = None, marker: str = ".") -> None:
        """Contours, the lowest point, and ``paths`` of ``descend``, each with its name for a legend."""
        from matplotlib.colors import BoundaryNorm

        x, y, z = self.grid()
        levels = np.unique(np.quantile(z, np.linspace(0, 1, 15) ** 1.6))  # by area: heights differ by powers of ten
        # not smoothed: the overlap of two bands is the line between them, and the picture takes half of the bytes
        axes.contourf(x, y, z, levels, cmap="bone", alpha=0.4, norm=BoundaryNorm(levels - 1e-9, 256), antialiased=False)
        for name, path in (paths or {}).items():
            axes.plot(path[:, 0], path[:, 1], color=color, marker=marker, markersize=3, linewidth=1, label=name)
        if self.lowest is not None:
            axes.plot(*self.lowest, "*", color="black", markersize=9)
        axes.set(xlim=self.window[:2], ylim=self.window[2:], title=self.name)


def bowl(*curvatures: float, start: tuple[float, float] = (1.0, 1.0)) -> Landscape:
    """``½ Σ λ x²`` with the curvatures λ: gradient descent multiplies each x by ``1 - lr λ``."""
    weights = from_array(np.array(curvatures) / 2)
    high, wide = 1.4 * abs(start[1]), 1.4 * abs(start[0])
    return Landscape("bowl", lambda x: (weights * x * x).sum(-1), start, (0.0, 0.0), (-wide, wide, -high, high))


def _saddle(x: Tensor) -> Tensor:
    return x[..., 0] ** 2 - x[..., 1] ** 2


def _rosenbrock(x: Tensor) -> Tensor:
    return (1 - x[..., 0]) ** 2 + 100 * (x[..., 1] - x[..., 0] ** 2) ** 2


def _beale(x: Tensor) -> Tensor:
    a, b = x[..., 0], x[..., 1]
    return (1.5 - a + a * b) ** 2 + (2.25 - a + a * b**2) ** 2 + (2.625 - a + a * b**3) ** 2


SADDLE = Landscape("saddle", _saddle, (-1.0, 0.001), None, (-1.25, 1.25, -1.25, 1.25))
"""``x² - y²``: flat at 0, where it is no minimum."""
ROSENBROCK = Landscape("Rosenbrock", _rosenbrock, (-1.2, 1.0), (1.0, 1.0), (-1.6, 1.6, -0.7, 1.7))
"""``(1 - x)² + 100 (y - x²)²``: a steep valley with a flat, bent floor (Rosenbrock 1960)."""
BEALE = Landscape("Beale", _beale, (1.0, 1.5), (3.0, 0.5), (-0.5, 4.5, -1.0, 2.0))
"""``(1.5 - x + xy)² + (2.25 - x + xy²)² + (2.625 - x + xy³)²``: walls around a plain that hardly slopes."""


def descend(
    function: Callable[[Tensor], Tensor], start: Any, make: Callable[[Iterable[Tensor]], Optimizer], steps: int
) -> Array:
    """The points that an optimizer visits, the first included: ``(steps + 1, *start.shape)``, in float64.

    function  of points ``(..., n)``, one value for each
    start     a point ``(n,)``, or many at once: each goes its own way, where the optimizer treats numbers one by one
    make      the optimizer of parameters: ``lambda params: optim.SGD(params, lr=0.1)``
    """
    x = from_array(np.array(start, np.float64)).requires_grad_()
    optimizer = make([x])

    def loss() -> Tensor:
        return function(x).sum()

    path = np.empty((steps + 1, *x.shape))
    path[0] = x.detach().numpy()
    for k in range(steps):
        if isinstance(optimizer, Newton):
            optimizer.step(loss)
        else:
            optimizer.zero_grad()
            loss().backward()
            optimizer.step()
        path[k + 1] = x.detach().numpy()
    return path
