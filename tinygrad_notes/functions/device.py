"""Where a Tensor lives: the CPU, and nothing else. Programs that name a device run; one that names another is told so."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from ..errors import RangeError

__all__ = ["device", "on_cpu"]

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class device:
    """``device("cpu")``, also ``device("cpu", 0)`` and ``device("cpu:0")``. Raises RangeError for what is not the CPU."""

    type: str
    index: int | None = None

    def __init__(self, type: Any, index: int | None = None) -> None:
        name = str(type) if index is None else f"{type}:{index}"
        if name not in ("cpu", "cpu:0"):
            raise RangeError(f"there is no device {name!r} here; every Tensor lives on the CPU")
        object.__setattr__(self, "type", "cpu")
        object.__setattr__(self, "index", 0 if name == "cpu:0" else None)

    def __repr__(self) -> str:
        return f"device(type={self.type!r}{'' if self.index is None else f', index={self.index}'})"

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"


def on_cpu(function: Function) -> Function:
    """Let a function that makes a Tensor check its argument ``device``. Raises RangeError for what is not the CPU."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if kwargs.get("device") is not None:
            device(kwargs["device"])
        return function(*args, **kwargs)

    return call  # type: ignore[return-value]
