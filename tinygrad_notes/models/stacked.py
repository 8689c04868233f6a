"""Networks of one shape, side by side: an experiment over many seeds at little more than the price of one."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any, Self

from .. import nn
from ..func import functional_call, stack_module_state, vmap
from ..tensor import Tensor

__all__ = ["Stacked"]


class Stacked(nn.Module):
    """Equal modules, each with parameters of its own, that never hear of each other.

    members  the modules; their parameters are copied, stacked along a new first axis: ``(M, ...)``
    shared   whether all members read the same input; False: inputs are ``(M, ...)``, one for each

    The gradient of a loss that is summed over members is, for each of them, that of its own loss; so the optimizers that work
    element by element (all but ``Newton``) train each as if it were alone. Random numbers (dropout) differ between them.
    Raises ValueError for modules with buffers.
    """

    def __init__(self, members: Sequence[nn.Module], shared: bool = True) -> None:
        parameters, buffers = stack_module_state(members)
        if buffers:
            raise ValueError(f"Stacked: buffers are not supported, the members have {', '.join(buffers)}")
        self.shared = shared
        self._names = tuple(parameters)
        self.stacked = nn.ParameterList(parameters.values())
        self._like = (deepcopy(members[0]),)  # in a tuple: its parameters are not ours

    def forward(self, *inputs: Any) -> Any:
        """What each member gives, ``(M, *)``."""
        (like,) = self._like

        def run(values: list[Tensor], *inputs: Any) -> Any:
            return functional_call(like, dict(zip(self._names, values, strict=True)), inputs)

        axes = (0, *(None if self.shared else 0 for _ in inputs))
        return vmap(run, axes, randomness="different")(list(self.stacked), *inputs)

    def train(self, mode: bool = True) -> Self:
        """Training behaviour of all members; False for evaluation."""
        self._like[0].train(mode)
        return super().train(mode)

    def __len__(self) -> int:
        return len(self.stacked[0])

    def __getitem__(self, index: int) -> nn.Module:
        """A copy of one member, with the parameters that it has now."""
        member = deepcopy(self._like[0])
        member.load_state_dict({name: p.detach()[index] for name, p in zip(self._names, self.stacked, strict=True)})
        return member
