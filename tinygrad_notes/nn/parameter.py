"""Parameters: Tensors that a module trains."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor

__all__ = ["Parameter", "convert"]


class Parameter(Tensor):
    """A Tensor that a module trains: it requires a gradient, and modules find it among their attributes.

    data           its first values, shared, not copied
    requires_grad  False freezes it
    """

    def __init__(self, data: Tensor, requires_grad: bool = True) -> None:
        if not isinstance(data, Tensor):
            raise TypeError(f"Parameter: needs a Tensor, got {type(data).__name__}; make one with tn.tensor(...)")
        self._array = data._array
        self._grad = self._node = self._view = None
        self.requires_grad_(requires_grad)

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        copied = super().__deepcopy__(memo)
        copied.grad = None  # as in PyTorch: the copy of a model starts without gradients
        assert isinstance(copied, Parameter)
        return copied

    def __repr__(self) -> str:
        return f"Parameter {super().__repr__()}"


def convert(tensor: Tensor, dtype: Any) -> None:
    """The same Tensor object, its values (and gradient) of another dtype."""
    requires_grad, tensor._array = tensor.requires_grad, tensor.detach().to(dtype)._array
    tensor._node = tensor._view = None
    if tensor._grad is not None:
        tensor._grad = tensor._grad.detach().to(dtype)
    if requires_grad:
        tensor.requires_grad_()
