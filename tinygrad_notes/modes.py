"""What the current thread records, and where in the model it is: modes (gradients on or off, the active tape) and scopes."""

from __future__ import annotations

import copy
import functools
import inspect
import threading
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Self, TypeVar

from .kernels.quiet import quiet_runner

if TYPE_CHECKING:
    from .tape import Tape

__all__ = [
    "Mode",
    "ModeSwitch",
    "Scope",
    "enable_grad",
    "inference_mode",
    "innermost",
    "is_grad_enabled",
    "local",
    "no_grad",
    "scope",
    "set_grad_enabled",
]

F = TypeVar("F", bound=Callable[..., Any])

# ---- scopes ----


class Scope:
    """Where in the model a node was made: ``lstm/step 3``. Equal names with running indices are the roll-up of pictures."""

    __slots__ = ("_mirror", "index", "name", "parent")

    def __init__(self, parent: Scope | None, name: str, index: int | None = None) -> None:
        self.parent, self.name, self.index = parent, name, index
        self._mirror: Scope | None = None

    def chain(self) -> tuple[Scope, ...]:
        """From the outermost scope to this one, the nameless root left out."""
        found: list[Scope] = []
        here: Scope | None = self
        while here is not None and here.parent is not None:
            found.append(here)
            here = here.parent
        return tuple(reversed(found))

    @property
    def label(self) -> str:
        return self.name if self.index is None else f"{self.name} {self.index}"

    @property
    def path(self) -> str:
        return "/".join(s.label for s in self.chain())

    @property
    def in_backward(self) -> bool:
        """Whether this is the scope of a gradient's own computation."""
        return self is _BACKWARD or (self.parent is not None and self.parent.in_backward)

    @property
    def mirrored(self) -> int:
        """How many of the outermost scopes are the engine's own ``backward``: two where a gradient's gradient was recorded."""
        depth, mine = 0, _BACKWARD
        for one in self.chain():
            if one is not mine:
                break
            depth, mine = depth + 1, mine.mirror()
        return depth

    def mirror(self) -> Scope:
        """The scope of the gradient of what was made here: ``backward/lstm/step 3``."""
        if self._mirror is None:
            root = _BACKWARD if self.parent is None else self.parent.mirror()
            self._mirror = root if self.parent is None else Scope(root, self.name, self.index)
        return self._mirror


_ROOT = Scope(None, "")
_BACKWARD = Scope(_ROOT, "backward")


# ---- modes: what this thread records ----


class Mode:
    """What the current thread records: gradients or not, onto which tape, in which scope; the ``vmap`` levels it is in; and
    how it runs numpy quietly."""

    __slots__ = ("grad", "levels", "quietly", "scope", "tape")

    def __init__(self) -> None:
        self.grad = True
        self.tape: Tape | None = None
        self.scope = _ROOT
        self.levels: tuple[Any, ...] = ()  # outermost first
        self.quietly = quiet_runner()


class _Local(threading.local):
    def __init__(self) -> None:
        self.mode = Mode()


local = _Local()


def innermost(operands: Iterable[Any]) -> Any:
    """Of the operands that are no plain arrays, the one of the innermost level: it knows how to run a row on them."""
    return max((x for x in operands if not x._plain), key=attrgetter("_level.depth"))


class ModeSwitch:
    """A context manager and decorator that sets one slot of the thread's Mode and puts the old value back."""

    def __init__(self) -> None:
        self._before: list[Any] = []

    def _set(self, mode: Mode) -> Any:
        raise AssertionError("a subclass says what it sets")  # pragma: no cover

    def _reset(self, mode: Mode, before: Any) -> None:
        mode.grad = before

    def __enter__(self) -> Self:
        self._before.append(self._set(local.mode))
        return self

    def __exit__(self, *_error: object) -> None:
        self._reset(local.mode, self._before.pop())

    def __call__(self, function: F) -> F:
        if inspect.isgeneratorfunction(function):
            raise TypeError(
                f"{type(self).__name__} cannot decorate the generator {function.__name__!r}: its body runs later, piece by "
                f"piece. Write `with tn.{type(self).__name__}():` inside it."
            )

        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            switch = copy.copy(self)  # of this call alone: threads and recursion do not share it
            switch._before = []
            with switch:
                return function(*args, **kwargs)

        return wrapped  # type: ignore[return-value]


class _GradSwitch(ModeSwitch):
    enabled = False

    def _set(self, mode: Mode) -> bool:
        before, mode.grad = mode.grad, self.enabled
        return before


class _PlainSwitch(_GradSwitch):
    """A switch that needs no arguments: ``@no_grad`` decorates as ``@no_grad()`` does."""

    def __new__(cls, orig_func: Callable[..., Any] | None = None) -> Any:
        return super().__new__(cls) if orig_func is None else cls()(orig_func)


class no_grad(_PlainSwitch):
    """Inside, nothing requires a gradient. Context manager and decorator; of the current thread only."""


class enable_grad(_PlainSwitch):
    """Inside, gradients are recorded again, even within ``no_grad``."""

    enabled = True


class inference_mode(_GradSwitch):
    """``no_grad`` under its other name: PyTorch's saves version counting, which costs nothing here.

    mode: False switches it off, as in PyTorch.
    """

    def __init__(self, mode: bool = True) -> None:
        super().__init__()
        self.enabled = not mode


class set_grad_enabled(_GradSwitch):
    """Switch recording on or off at once; as a context manager, until its end."""

    def __init__(self, mode: bool) -> None:
        super().__init__()
        self.enabled = bool(mode)
        self._before.append(super()._set(local.mode))
        self._entered = False

    def _set(self, mode: Mode) -> bool:
        if not self._entered:  # the constructor has already switched
            self._entered = True
            return bool(self._before.pop())
        return super()._set(mode)

    def __call__(self, function: F) -> F:
        if not self._entered:  # used as a decorator: the constructor's switch was not meant
            self._entered = True
            local.mode.grad = self._before.pop()
        return super().__call__(function)


def is_grad_enabled() -> bool:
    """Whether the current thread records gradients."""
    return local.mode.grad


class scope(ModeSwitch):
    """``with tn.scope("step", 3):`` names what is recorded inside. Scopes nest; modules open their own."""

    def __init__(self, name: str, index: int | None = None) -> None:
        super().__init__()
        self._name, self._index = name, index

    def _set(self, mode: Mode) -> Scope:
        before = mode.scope
        mode.scope = Scope(before, self._name, self._index)
        return before

    def _reset(self, mode: Mode, before: Scope) -> None:
        mode.scope = before
