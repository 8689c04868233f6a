"""einops works on Tensors: ``einops.rearrange(t, "b h w -> b (h w)")`` and the rest, recorded and differentiable.

einops chooses a backend among the subclasses of its ``AbstractBackend``, the only way in that it has. Ours is declared when
einops is there: at once if it was imported before us, else at the end of its own import, by a finder on ``sys.meta_path`` that
steps aside when it has served. einops is never imported from here.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import numpy as np

from .functions.einsum import einsum
from .functions.moving import cat, stack
from .tensor import Tensor

__all__ = ["announce"]

_MODULE = "einops._backends"
_declared: list[type] = []  # a class does not hold on to its subclasses


def announce() -> None:
    """Let einops find our backend, whether it is imported already or will be."""
    if _MODULE in sys.modules:
        _declare(sys.modules[_MODULE])
    else:
        sys.meta_path.insert(0, _Finder())


class _Finder:
    """Sees the import of einops' backends, lets it run as ever, and adds ours."""

    def find_spec(self, name: str, _path: Any = None, _target: Any = None) -> ModuleSpec | None:
        if name != _MODULE:
            return None
        sys.meta_path.remove(self)
        spec = find_spec(name)
        if spec is not None and spec.loader is not None:
            run = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                run(module)
                _declare(module)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def _declare(backends: ModuleType) -> None:
    class TensorBackend(backends.AbstractBackend):  # type: ignore[name-defined,misc]
        framework_name = __package__

        def is_appropriate_type(self, tensor: Any) -> bool:
            return isinstance(tensor, Tensor)

        def to_numpy(self, x: Tensor) -> np.ndarray[Any, Any]:
            return x.detach().numpy()

        def transpose(self, x: Tensor, axes: Sequence[int]) -> Tensor:
            return x.permute(*axes)

        def reduce(self, x: Any, operation: str, axes: Sequence[int]) -> Any:
            if operation == "prod":  # along one axis at a time
                for axis in sorted(axes, reverse=True):
                    x = x.prod(axis)
                return x
            return getattr(x, {"max": "amax", "min": "amin"}.get(operation, operation))(tuple(axes))

        def stack_on_zeroth_dimension(self, tensors: Sequence[Tensor]) -> Tensor:
            return stack(tensors)

        def add_axis(self, x: Tensor, new_position: int) -> Tensor:
            return x.unsqueeze(new_position)

        def add_axes(self, x: Tensor, n_axes: int, pos2len: dict[int, int]) -> Tensor:
            lengths = [-1] * n_axes
            for position, length in pos2len.items():
                x = self.add_axis(x, position)
                lengths[position] = length
            return x.expand(*lengths)

        def concat(self, tensors: Sequence[Tensor], axis: int) -> Tensor:
            return cat(tensors, axis)

        def einsum(self, pattern: str, *x: Tensor) -> Tensor:
            return einsum(pattern, *x)

        def is_float_type(self, x: Tensor) -> bool:
            return x.dtype.kind == "f"

    _declared.append(TensorBackend)
