"""Gradients as functions of functions: ``grad``, ``vjp``, ``jvp`` and their kin, with torch.func's signatures.

They compose with one another, with ``vmap`` and with ``backward``. What a function closes over is constant, unless it
requires a gradient; arguments are not marked, ``.grad`` is not touched; where the output does not depend on an input, the
derivative is 0. Forward mode is the derivative of the VJP by its cotangent, in which it is linear (Townsend 2017,
https://j-towns.github.io/2017/06/12/A-new-trick.html): no primitive needs a second rule.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import GraphError, ShapeError
from ..tensor import Tensor
from .pytree import unflatten
from .tracing import Traced, matching, trace

__all__ = ["Argnums", "grad", "grad_and_value", "hvp", "jvp", "linearize", "trace_argnums", "vjp"]

Argnums = int | tuple[int, ...]


def grad(func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """The gradient of ``func``, which returns one number (0-d), by the arguments ``argnums``: a function of the same arguments.

    argnums  one position, or several: then a tuple of gradients; arguments may be nested tuples, lists, dicts of Tensors
    has_aux  ``func`` returns (output, aux), the result (gradient, aux)
    Raises GraphError where the output is no 0-d Tensor.
    """

    @functools.wraps(func)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        run = _scalar("grad", func, argnums, has_aux, args, kwargs)
        found = _gradient_of(run)
        return (found, run.aux) if has_aux else found

    return gradient


def grad_and_value(func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """As ``grad``; the result is (gradient, value), with has_aux (gradient, (value, aux))."""

    @functools.wraps(func)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        run = _scalar("grad_and_value", func, argnums, has_aux, args, kwargs)
        return _gradient_of(run), ((run.value(), run.aux) if has_aux else run.value())

    return gradient


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """The value of ``func(*primals)`` and its VJP function: cotangents like the output in, a tuple of gradients out.

    Returns (output, vjp_fn), with has_aux (output, vjp_fn, aux). ``vjp_fn`` can be called again, and under ``vmap``.
    """
    run = trace("vjp", func, primals, lambda given: func(*given), has_aux)

    def vjp_fn(cotangents: Any) -> Any:
        """The gradients of the primals, for cotangents nested like the output."""
        given = matching("vjp", "cotangents", cotangents, run.outputs, run.returned)
        return unflatten(run.structure, run.pull(given))

    return (run.value(), vjp_fn, run.aux) if has_aux else (run.value(), vjp_fn)


def jvp(
    func: Callable[..., Any],
    primals: tuple[Any, ...],
    tangents: tuple[Any, ...],
    *,
    strict: bool = False,
    has_aux: bool = False,
) -> tuple[Any, ...]:
    """The value of ``func(*primals)`` and its derivative along ``tangents``: (output, tangent of the output[, aux]).

    strict: raise GraphError where the output does not depend on the primals, instead of 0.
    """
    _check_tuples("jvp", primals, tangents)
    run = trace("jvp", func, primals, lambda given: func(*given), has_aux)
    if strict and not any(x.requires_grad for x in run.outputs):
        raise GraphError("jvp: the output does not depend on the primals (strict=True)")
    out = _push(run, "jvp")(tangents)
    return (run.value(), out, run.aux) if has_aux else (run.value(), out)


def linearize(func: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """The value of ``func(*primals)`` and ``jvp_fn(*tangents)``, the derivative there, without calling ``func`` again."""
    run = trace("linearize", func, primals, lambda given: func(*given), False)
    push = _push(run, "linearize")
    return run.value(), lambda *tangents: push(tangents)


def hvp(func: Callable[..., Any], primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
    """The value of ``func``, which returns one number, and its Hessian times ``tangents``: (value, products).

    Two backward passes (Pearlmutter 1994), never the Hessian itself. ``products`` is a tuple like the primals. As ``jvp``
    takes and returns them; ``torch.autograd.functional.hvp`` has the same result.
    """
    _check_tuples("hvp", primals, tangents)
    run = trace("hvp", func, primals, lambda given: func(*given), False)
    _check_scalar("hvp", run)
    given = matching("hvp", "tangents", tangents, run.primals, run.structure)
    first = run.pulled([_one(run)], create_graph=True)
    return run.value(), unflatten(run.structure, run.pull(given, first))


# ---- the parts ----


def trace_argnums(
    name: str, func: Callable[..., Any], argnums: Argnums, has_aux: bool, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Traced:
    """Call ``func`` with the arguments ``argnums`` fresh; the primals are that argument, or a tuple of several."""
    chosen = argnums if isinstance(argnums, tuple) else (argnums,)
    if not all(isinstance(i, int) for i in chosen) or not chosen:
        raise GraphError(f"{name}: argnums is a position or a tuple of positions, got {argnums!r}")
    if any(not -len(args) <= i < len(args) for i in chosen):
        raise GraphError(f"{name}: argnums={argnums} but the function was called with {len(args)} positional arguments")
    places = [i % len(args) for i in chosen]
    if len(set(places)) != len(places):
        raise GraphError(f"{name}: argnums={argnums} names an argument twice")

    def call(given: Any) -> Any:
        full = list(args)
        for i, value in zip(places, given if isinstance(argnums, tuple) else (given,), strict=True):
            full[i] = value
        return func(*full, **kwargs)

    primals = tuple(args[i] for i in places)
    return trace(name, func, primals if isinstance(argnums, tuple) else primals[0], call, has_aux)


def _scalar(
    name: str, func: Callable[..., Any], argnums: Argnums, has_aux: bool, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Traced:
    run = trace_argnums(name, func, argnums, has_aux, args, kwargs)
    _check_scalar(name, run)
    return run


def _check_scalar(name: str, run: Traced) -> None:
    if isinstance(run.returned, tuple) or run.outputs[0].ndim != 0 or run.outputs[0].dtype.kind != "f":
        got = "several" if isinstance(run.returned, tuple) else run.outputs[0]._type()
        raise GraphError(
            f"{name}: the function must return one number, a 0-d Tensor of floats; it returned {got}. Reduce it (.sum(), .mean()), "
            "use has_aux=True for more outputs, or vjp or jacrev"
        )


def _one(run: Traced) -> Tensor:
    return Tensor(np.ones((), run.outputs[0].dtype))


def _gradient_of(run: Traced) -> Any:
    return unflatten(run.structure, run.pull([_one(run)]))


def _check_tuples(name: str, primals: Any, tangents: Any) -> None:
    if not isinstance(primals, tuple) or not isinstance(tangents, tuple):
        raise GraphError(f"{name}: primals and tangents are tuples, one entry per argument: {name}(f, (x,), (v,))")
    if len(primals) != len(tangents):
        raise ShapeError(f"{name}: {len(primals)} primals but {len(tangents)} tangents; give one each")


def _push(run: Traced, name: str) -> Callable[[Any], Any]:
    """Tangents of the primals in, tangents of the outputs out, nested like these."""
    push = run.pusher()

    def along(tangents: Any) -> Any:
        return unflatten(run.returned, push(matching(name, "tangents", tangents, run.primals, run.structure)))

    return along
