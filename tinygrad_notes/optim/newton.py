"""Newton's method: with the whole Hessian, or Hessian-free, by conjugate gradients (Martens 2010; Nocedal & Wright, ch. 7)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from ..autograd import grad
from ..errors import BatchingError, CountError, GraphError, RangeError
from ..functions import pointwise, reduce
from ..functions.logic import logical_and
from ..functions.moving import cat, stack
from ..functions.pointwise import eq, gt, where
from ..functions.shape import flatten, reshape, unsqueeze
from ..modes import enable_grad, local, no_grad, scope
from ..tensor import Tensor, from_array
from .optimizer import INF, Optimizer
from .options import Ranges
from .running import like

__all__ = ["Newton"]


class Newton(Optimizer):
    """``p = p - lr (H + damping I)⁻¹ g``, with the gradient g and the Hessian H of all parameters together.

    It goes where the gradient vanishes: to a saddle too, unless the damping is larger than H's lowest negative curvature.

    params    what to optimize; groups may have their own lr and damping
    lr        share of the step that is made
    damping   λ of Levenberg and Marquardt: large ones make short steps along the gradient
    method    "hessian": H itself, (n, n) for n numbers, and elimination; "cg": conjugate gradients, which need products of H with
              vectors only, and stop at a direction of negative curvature
    max_iter  "cg": products in a step; None for as many as there are numbers, at most 250. A Tape records all of them
    tol       "cg": residual, as a share of the gradient's norm, that is good enough

    ``step(closure)`` needs a closure that computes and returns the loss; it must not call backward, and ``.grad`` is not used.
    """

    RANGES: ClassVar[Ranges] = {"lr": (0.0, INF), "damping": (0.0, INF)}

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1.0,
        damping: float = 0.0,
        method: str = "hessian",
        *,
        max_iter: int | None = None,
        tol: float = 1e-12,
    ) -> None:
        if method not in ("hessian", "cg"):
            raise ValueError(f"Newton: method must be 'hessian' or 'cg', got {method!r}")
        if max_iter is not None and (not isinstance(max_iter, int) or max_iter <= 0):
            raise ValueError(f"Newton: max_iter must be a positive integer or None, got {max_iter!r}")
        if not 0 <= tol < 1:
            raise ValueError(f"Newton: tol must lie in [0, 1), got {tol}")
        self.method, self.max_iter, self.tol = method, max_iter, tol
        super().__init__(params, {"lr": lr, "damping": damping})

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step; returns the loss before it.

        Raises TypeError without a closure, GraphError for a loss that does not depend on the parameters, RangeError for a
        Hessian that is singular.
        """
        if closure is None:
            raise TypeError(
                "Newton: step() needs a closure that computes the loss: optimizer.step(lambda: loss_of(model(x), y))"
            )
        self._stepped = True
        with enable_grad(), scope("newton"):
            loss = closure()
            _check_loss(loss)
            every = [(p, group) for group in self.param_groups for p in group["params"] if p.requires_grad]
            found = grad(loss, [p for p, _ in every], create_graph=True, allow_unused=True)
            used = [(p, group, g) for (p, group), g in zip(every, found, strict=True) if g is not None]
            if not used:
                raise GraphError("Newton: the loss does not depend on any of the parameters")
        with no_grad(), scope("newton"):
            for index, group in enumerate(self.param_groups):
                self._name_leaves(group, "" if index == 0 else f"group {index}.")
            space = _Space([p for p, _, _ in used], [g for _, _, g in used])
            damping = [like(p, group["damping"]) if group.on("damping") else None for p, group, _ in used]
            solve = self._eliminate if self.method == "hessian" else self._conjugate_gradients
            for (p, group, _), direction in zip(used, space.split(solve(space, damping)), strict=True):
                p -= like(p, group["lr"]) * direction
        return loss

    def _eliminate(self, space: _Space, damping: Sequence[Tensor | None]) -> Tensor:
        hessian = space.hessian()
        if any(value is not None for value in damping):
            parts = zip(space.parameters, damping, strict=True)
            diagonal = cat([from_array(np.ones(p.numel(), p.dtype)) * (0.0 if d is None else d) for p, d in parts])
            hessian = hessian + from_array(np.eye(space.size, dtype=hessian.dtype)) * diagonal
        return _solve(hessian, space.join(space.gradients))

    def _conjugate_gradients(self, space: _Space, damping: Sequence[Tensor | None]) -> Tensor:
        recorded = local.mode.tape is not None
        residual = space.join(space.gradients)
        x, direction, rr = residual * 0.0, residual, reduce.sum(residual * residual)
        enough = rr * self.tol**2
        going = gt(rr, 0.0)
        for k in range(self.max_iter or min(space.size, 250)):
            if not (recorded or going.item()):
                break
            with scope("product", k):
                v = space.split(direction)
                products = space.product(v)
                damped = [h if d is None else h + d * part for h, d, part in zip(products, damping, v, strict=True)]
                q = space.join(damped)
                curvature = reduce.sum(direction * q)
                bent = gt(curvature, 0.0)
                if k == 0:  # downhill at least
                    x = where(bent, x, residual)
                going = logical_and(going, bent)
                share = rr / curvature
                x = where(going, x + share * direction, x)
                residual = where(going, residual - share * q, residual)
                before, rr = rr, where(going, reduce.sum(residual * residual), rr)
                direction = where(going, residual + rr / before * direction, direction)
                going = logical_and(going, gt(rr, enough))
        return x


class _Space:
    """Parameters and their gradients as vectors of one space; the Hessian in it."""

    def __init__(self, parameters: list[Tensor], gradients: list[Tensor]) -> None:
        self.parameters, self.gradients = parameters, gradients
        self.places = [0]
        for p in parameters:
            self.places.append(self.places[-1] + p.numel())
        self.size = self.places[-1]

    def join(self, parts: Sequence[Tensor], lead: int = 0) -> Tensor:
        """One vector of parts in the parameters' shapes, behind ``lead`` axes."""
        return cat([flatten(part, lead) if part.ndim > lead else unsqueeze(part, lead) for part in parts], lead)

    def split(self, vector: Tensor) -> list[Tensor]:
        """The parts of a vector, or of each row of a matrix, in the parameters' shapes and dtypes."""
        lead = vector.shape[:-1]
        slices = [vector[..., a:b] for a, b in pairwise(self.places)]
        return [like(p, reshape(x, (*lead, *p.shape))) for x, p in zip(slices, self.parameters, strict=True)]

    def product(self, parts: Sequence[Tensor], batched: bool = False) -> list[Tensor]:
        """The Hessian times a vector, or times each row of a matrix, given in parts."""
        live = [(g, v) for g, v in zip(self.gradients, parts, strict=True) if g.requires_grad]
        if not live:  # a linear loss
            return [part * 0.0 for part in parts]
        gradients, vectors = zip(*live, strict=True)
        found = grad(
            gradients, self.parameters, vectors, retain_graph=True, is_grads_batched=batched, materialize_grads=True,
        )  # fmt: skip
        return [g for g in found if g is not None]

    def hessian(self) -> Tensor:
        """``(n, n)``: all rows at once, or one by one where a primitive has no batching rule."""
        basis = from_array(np.eye(self.size, dtype=np.result_type(*(p.dtype for p in self.parameters))))
        try:
            return self.join(self.product(self.split(basis), batched=True), 1)
        except BatchingError:
            return stack([self.join(self.product(self.split(row))) for row in basis])


def _check_loss(loss: Any) -> None:
    if not isinstance(loss, Tensor):
        raise TypeError(f"Newton: the closure must return the loss, a Tensor; it returned a {type(loss).__name__}")
    if loss.numel() != 1:
        raise CountError(f"Newton: the closure must return one number, it returned {loss._type()}; reduce it: .mean(), .sum()")
    if not loss.requires_grad:
        raise GraphError("Newton: the loss does not require grad: it depends on no parameter, or was computed under no_grad")


def _solve(a: Tensor, b: Tensor) -> Tensor:
    """``x`` with ``a x = b``, by Gauss-Jordan elimination with row pivots. Raises RangeError where ``a`` is singular."""
    n = len(b)
    smallest = float(reduce.amax(pointwise.abs(a)).item()) * n * float(np.finfo(a.dtype).eps)
    rows = from_array(np.arange(n))
    m = cat([a, unsqueeze(b, 1)], 1)
    for k in range(n):
        with scope("column", k):
            best = reduce.argmax(pointwise.abs(m[k:, k])) + k
            m = m[where(eq(rows, k), best, where(eq(rows, best), k, rows))]
            pivot = float(m[k, k].item())
            if math.isnan(pivot) or math.fabs(pivot) <= smallest:
                raise RangeError(
                    f"Newton: the Hessian of {n} numbers is {'not finite' if math.isnan(pivot) else 'singular'}; give damping > 0, "
                    'or method="cg"'
                )
            row = m[k : k + 1] / m[k, k]
            m = where(unsqueeze(eq(rows, k), 1), row, m - m[:, k : k + 1] * row)
    return m[:, n]
