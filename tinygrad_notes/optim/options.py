"""Options of parameter groups: hyper-parameters are 0-d float64 Tensors that are written, never replaced.

``group["lr"] = 0.01`` and ``group["betas"] = (0.8, 0.99)`` write into the Tensors, so that a recorded step that is replayed reads
the new values. What an option switches on is decided when a step is recorded: one that is 0 then is left out of the tape.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..inplace import write
from ..modes import no_grad
from ..tensor import Tensor, from_array

__all__ = ["ParamGroup", "Ranges", "check_options", "number_of", "plain", "scalar"]

Ranges = Mapping[str, tuple[float, float]]
"""Per option the interval [low, below) that it must lie in; every one of several numbers."""


def scalar(value: float) -> Tensor:
    """A 0-d float64 Tensor: a counter or hyper-parameter that recorded steps read."""
    return from_array(np.array(float(value)))


def number_of(owner: str, key: str, value: Any) -> float:
    """``value``, a number or a Tensor of one element, as a float. Raises TypeError, or ValueError for several elements."""
    if isinstance(value, Tensor | np.ndarray):
        if value.shape not in ((), (1,)):
            raise ValueError(f"{owner}: {key} must be one number, got one of shape {tuple(value.shape)}")
        return float(value.item())
    if not isinstance(value, int | float | np.number):
        raise TypeError(f"{owner}: {key} must be a number, got {value!r}, a {type(value).__name__}")
    return float(value)


def plain(value: Any) -> Any:
    """Tensors as the numbers that they hold, in tuples too."""
    if isinstance(value, tuple):
        return tuple(plain(part) for part in value)
    return value.item() if isinstance(value, Tensor) else value


def check_options(owner: str, ranges: Ranges, options: Mapping[str, Any]) -> None:
    """Raise ValueError for an option outside its range, TypeError for one that is no number."""
    for key, (low, below) in ranges.items():
        if key not in options:
            continue
        value = options[key]
        for i, part in enumerate(parts := value if isinstance(value, tuple | list) else (value,)):
            name = key if len(parts) == 1 else f"{key}[{i}]"
            found = number_of(owner, name, part)
            if not low <= found < below:
                raise ValueError(f"{owner}: {name} must lie in [{low}, {below}), got {found}")


class ParamGroup(dict[str, Any]):
    """The options of some parameters. Writing a number where a Tensor stands writes into the Tensor.

    owner   the optimizer's name, for messages
    ranges  what may be written
    """

    def __init__(self, owner: str, ranges: Ranges) -> None:
        super().__init__()
        self.owner, self.ranges = owner, ranges

    def __setitem__(self, key: str, value: Any) -> None:
        known = self.get(key)
        if known is value and known is not None:
            return
        if isinstance(known, Tensor):
            check_options(self.owner, self.ranges, {key: value})
            with no_grad():
                write(known, value if isinstance(value, Tensor) else number_of(self.owner, key, value), f'group["{key}"] =')
        elif isinstance(known, tuple) and any(isinstance(part, Tensor) for part in known):
            check_options(self.owner, self.ranges, {key: value})
            if not isinstance(value, tuple | list) or len(value) != len(known):
                raise ValueError(f"{self.owner}: {key} are {len(known)} numbers, got {value!r}")
            with no_grad():
                for part, new in zip(known, value, strict=True):
                    if part is not new:
                        write(part, new if isinstance(new, Tensor) else number_of(self.owner, key, new), f'group["{key}"] =')
        else:
            super().__setitem__(key, value)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """As assigning each."""
        for key, value in dict(*args, **kwargs).items():
            self[key] = value

    def __ior__(self, other: Any) -> ParamGroup:  # type: ignore[override, misc]
        self.update(other)
        return self

    def on(self, key: str) -> bool:
        """Whether the option is given and not 0."""
        return key in self and bool(plain(self[key]))

    def make_live(self, key: str) -> None:
        """From now on the number, or the numbers, of this option are Tensors."""
        value = self[key]
        if isinstance(value, tuple | list):
            super().__setitem__(key, tuple(scalar(number_of(self.owner, key, part)) for part in value))
        else:
            super().__setitem__(key, scalar(number_of(self.owner, key, value)))
