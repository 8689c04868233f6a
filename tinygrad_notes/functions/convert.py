"""Copies, casts, and how a Tensor lies in memory, under PyTorch's names."""

from __future__ import annotations

from typing import Any

from ..dtypes import canonical_dtype
from ..errors import GraphError
from ..optable import p
from ..tensor import Tensor
from .device import device as Device
from .names import numpy_names

__all__ = ["clone", "detach", "is_floating_point", "is_nonzero", "is_tensor", "numel"]

METHODS = (
    "clone contiguous cpu detach detach_ element_size is_contiguous is_floating_point is_nonzero is_same_size ndimension nelement "
    "stride to type type_as"
)
PROPERTIES = "device itemsize nbytes"
"""Attached as properties of Tensor."""


def clone(input: Tensor) -> Tensor:
    """A copy; gradients flow through it."""
    result: Tensor = p.clone(input)
    return result


def copy_for(input: Tensor, *written: Any) -> Tensor:
    """A copy of ``input`` that ``written`` go into: under ``vmap`` one for each example, where they are."""
    out = clone(input)
    for x in written:
        if isinstance(x, Tensor) and not x._plain:
            nothing = p.slice(p.reshape(x, shape=(x.numel(),)), index=(slice(0, 0, None),))
            out = p.where(p.eq(p.sum(nothing, dim=(0,), keepdim=False), 0), out, out)  # a choice in every example
    return out


def detach(input: Tensor) -> Tensor:
    """The same memory, out of the graph: no gradient flows through it."""
    result: Tensor = p.detach(input)
    return result


def detach_(input: Tensor) -> Tensor:
    """Take this very Tensor out of the graph: it is a leaf from now on. Raises GraphError for a view."""
    if input._view is not None and input._view.path:
        raise GraphError(f"detach_: {input._type()} is a view and stays in the graph with its base; use detach()")
    input._set_node(detach(input)._node)
    return input


def contiguous(input: Tensor) -> Tensor:
    """Itself if its memory is in order, else a copy that is."""
    return input if input._plain and input._array.flags.c_contiguous else clone(input)


def asked(args: tuple[Any, ...], dtype: Any, device: Any) -> Any:
    """The dtype that the arguments of ``to`` ask for, or None. Raises RangeError for a device that is not the CPU."""
    for given in args:
        if isinstance(given, Tensor):
            dtype = given.dtype
        elif isinstance(given, Device) or (isinstance(given, str) and given.partition(":")[0] in _DEVICES):
            device = given
        elif given is not None and not isinstance(given, bool):
            dtype = given
    if device is not None:
        Device(device)
    return None if dtype is None else canonical_dtype(dtype)


_DEVICES = ("cpu", "cuda", "mps", "xpu", "meta")


def to(
    input: Tensor, *args: Any, dtype: Any = None, device: Any = None, non_blocking: bool = False, copy: bool = False
) -> Tensor:
    """``to(dtype)``, ``to(other)``, ``to("cpu")``: as another dtype (itself if it has it); gradients flow back through the cast.

    copy: a copy in any case. Raises RangeError for a device that is not the CPU.
    """
    flags = [given for given in args if isinstance(given, bool)]  # non_blocking, copy
    wanted = asked(args, dtype, device)
    if wanted is not None and input.dtype != wanted:
        cast: Tensor = p.cast(input, dtype=wanted)
        return cast
    return clone(input) if copy or flags[1:] == [True] else input


def cpu(input: Tensor) -> Tensor:
    """Itself: every Tensor lives on the CPU."""
    return input


def type_as(input: Tensor, other: Tensor) -> Tensor:
    """In the dtype of ``other``."""
    return to(input, other.dtype)


def type(input: Tensor, dtype: Any) -> Tensor:
    """In another dtype."""
    return to(input, dtype)


# ---- what it is ----


def is_tensor(obj: Any) -> bool:
    """Whether it is a Tensor."""
    return isinstance(obj, Tensor)


def numel(input: Tensor) -> int:
    """The number of elements."""
    return input.numel()


def ndimension(input: Tensor) -> int:
    """The number of axes."""
    return input.ndim


def is_nonzero(input: Tensor) -> bool:
    """Whether its one element is not 0. Raises ShapeError unless it has one element."""
    return bool(input)


def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Whether both have one shape."""
    return input.shape == other.shape


def device(input: Tensor) -> Device:
    """Where it lives: the CPU."""
    return Device("cpu")


# ---- in memory ----


def is_floating_point(input: Tensor) -> bool:
    """Whether it holds floats, and so can require a gradient."""
    return input.dtype.kind == "f"


def is_contiguous(input: Tensor) -> bool:
    """Whether its elements lie one after the other, the last axis fastest."""
    return input._array.flags.c_contiguous


@numpy_names
def stride(input: Tensor, dim: int | None = None) -> Any:
    """How many elements further in memory the next along each axis (or along ``dim``) lies; negative where it runs backward."""
    steps = tuple(n // input._array.itemsize for n in input._array.strides)
    return steps if dim is None else steps[dim]


def nelement(input: Tensor) -> int:
    """The number of elements."""
    return input.numel()


def element_size(input: Tensor) -> int:
    """The bytes of one element."""
    return input._array.itemsize


def itemsize(input: Tensor) -> int:
    """The bytes of one element."""
    return input._array.itemsize


def nbytes(input: Tensor) -> int:
    """The bytes of all elements."""
    return input._array.nbytes
