"""Random programs, run here and in torch, line by line: the same errors, values, flags and gradients.

A program is a list of lines of Python in which ``m`` is ``tn`` or ``torch`` and ``v0, v1, ...`` are Tensors::

    v0 = leaf(7, (2, 3))
    v1 = v0[0]
    v2 = m.tanh(v0)
    v2[:, 1] = v1.sum()
    v2.sum().backward()

What is known to differ, and how it is kept out of the comparison:

* which residuals a rule keeps (``div`` keeps its result here, its operands in torch), so which writes make a backward raise:
  a program ends at a backward that complains of a write on one side only;
* a second backward through a freed graph always raises here: programs retain their graphs;
* several views from one call (``split``, ``unbind``) cannot be written in torch: samples return clones;
* whether ``reshape`` copies depends on memory layouts that elementwise results need not share: only what is contiguous on both
  sides is reshaped, and ``view`` is no sample;
* views that are made under ``no_grad`` cannot be written in torch: only values and writes stand there;
* torch refuses operands that overlap what is written; here they are read first: such operands are cloned;
* a hook on a view is forgotten in torch when the base is written under ``no_grad``: hooks, and ``retain_grad``, stand on
  what is no view;
* the gradient of what a write wiped out is a constant 0 in torch, here a 0 that was computed: ``create_graph`` adds ``0 * leaf``;
* a mask that selects nothing writes nothing, which torch refuses on a leaf all the same: masks select something;
* ``autograd.grad`` touches no ``.grad`` here, in torch those of ``retain_grad``: a program has the one or the other;
* what ``expand`` made stays read-only here, even a part of it whose elements do not overlap: it is not written;
* torch makes the ``grad_fn`` of a view whose base was written when it is asked for, and takes the view for a leaf until then:
  it is asked after every line;
* an index out of range that selects from no elements passes in torch: what is wrong, is so on some elements;
* ``x[...] = x`` on a view of a leaf changes nothing, which torch refuses: nothing is written to itself;
* at a discontinuity the last bit decides: a program whose result in torch jumps when its leaves move by 1e-13 says nothing.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from functioncheck import SAMPLES, parts
from samples import Sample

import tinygrad_notes as tn

KEPT = Path(__file__).parent / "kept"
TOLERANCE = 1e-9
ENDS = (".backward(", "autograd.grad(")
"""A line with one of these ends the program when it raises: gradients may be committed in part."""
STALE = ("wrote to that memory since", "modified by an inplace operation")


STEPS = ("ceil", "fix", "floor", "floor_divide", "frac", "heaviside", "round", "sgn", "sign", "trunc")
"""What a last bit turns into 1: where terms cancel to 0 on one side only, no shift of the leaves would show it."""


def usable(sample: Sample) -> bool:
    """Whether a sample can be a line: differentiable, the same in torch, of the same shape whatever the values are."""
    if sample.name.removeprefix("Tensor.").rstrip("_") in STEPS:
        return False
    return bool(
        sample.torch and sample.replays and sample.orders and not sample.differs and sample.inputs and "view" not in sample.name
    )


CALLS: dict[str, list[Sample]] = {}
for _sample in SAMPLES:
    if usable(_sample):
        CALLS.setdefault(_sample.name, []).append(_sample)


class Side:
    """One of the two: its module, the helpers that programs call, the Tensors made so far."""

    def __init__(self, module: Any, make: Callable[[Any], Any], nudge: float = 0.0) -> None:
        self.make, self.nudge = make, nudge
        self.names: dict[str, Any] = {
            "m": module, "leaf": self.leaf, "mask": self.mask, "index": self.index, "sample": self.sample, "double": self.double,
        }  # fmt: skip

    def step(self, line: str) -> Exception | None:
        """Run one line; the error that it raised."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                exec(line, self.names)
        except Exception as error:
            return error
        if self.names["m"] is torch:
            for tensor in self.tensors().values():
                tensor.grad_fn  # noqa: B018 (torch makes a view's node anew when it is read)
        return None

    def tensors(self) -> dict[str, Any]:
        return {name: value for name, value in self.names.items() if re.fullmatch(r"v\d+", name)}

    # ---- what programs call ----

    def leaf(self, seed: int, shape: tuple[int, ...], grad: bool = True) -> Any:
        rng = np.random.default_rng(seed)
        values = rng.uniform(-1.5, 1.5, shape)
        values = values * (1 + self.nudge * np.random.default_rng(seed + 1).choice([-1.0, 1.0], shape))
        found = self.make(np.asarray(values))
        return found.requires_grad_() if grad else found

    def mask(self, seed: int, shape: tuple[int, ...]) -> Any:
        found = np.asarray(np.random.default_rng(seed).random(shape) < 0.5)
        found.reshape(-1)[:1] = True
        return self.make(found)

    def index(self, seed: int, shape: tuple[int, ...], high: int) -> Any:
        return self.make(np.asarray(np.random.default_rng(seed).integers(0, high, shape)))

    def sample(self, name: str, number: int, *floats: Any) -> Any:
        """The first differentiable result of a sample's call, on the given Tensors brought into the sample's domain."""
        call, given, inputs = CALLS[name][number], list(floats), []
        for seed, wanted in enumerate(call.inputs):
            if wanted.kind == "f":
                x = given.pop(0).contiguous()
                wide = wanted.low <= -1.5 and wanted.high >= 1.5
                inputs.append(x * 1 if wide else self.names["m"].sigmoid(x) * (wanted.high - wanted.low) + wanted.low)
            else:
                inputs.append(self.make(wanted.array(np.float64, seed)))
        results = parts(call.call(self.names["m"], *inputs))
        return next(r for r in results if r.detach().numpy().dtype.kind == "f").clone()

    @staticmethod
    def double(g: Any) -> Any:
        return g * 2


def ours() -> Side:
    return Side(tn, lambda array: tn.tensor(array))


def theirs(nudge: float = 0.0) -> Side:
    return Side(torch, lambda array: torch.from_numpy(array.copy()), nudge)


class Pair:
    """Both sides in lockstep. ``difference`` is the first thing in which they disagree; ``ended`` where no more can be said."""

    def __init__(self, lines: Sequence[str] = (), nudged: bool = False) -> None:
        self.ours, self.theirs = theirs(1e-13) if nudged else ours(), theirs()
        self.difference, self.ended = "", False
        self.lines: list[str] = []
        for line in lines:
            self.step(line)

    def step(self, line: str) -> bool:
        """Run one line on both sides; whether it went through on both."""
        if self.ended or self.difference:
            return False
        self.lines.append(line)
        errors = self.ours.step(line), self.theirs.step(line)
        texts = [str(error) for error in errors]
        if (errors[0] is None) != (errors[1] is None):
            if any(part in text for part in STALE for text in texts) and any(part in line for part in ENDS):
                self.ended = True
            else:
                shown = ["nothing" if e is None else f"{type(e).__name__}: {e}".splitlines()[0] for e in errors]
                self.difference = f"{line!r} raises {shown[0]} here, {shown[1]} in torch"
            return False
        if errors[0] is not None:
            self.ended = any(part in line for part in ENDS)
            return False
        return True

    def compare(self) -> str:
        """In what values, flags and gradients disagree, if nothing did before."""
        if self.difference:
            return self.difference
        mine, yours = self.ours.tensors(), self.theirs.tensors()
        grads = [
            g.detach().abs().nan_to_num(0).max().item() for t in yours.values() if (g := _grad(t)) is not None and g.numel()
        ]
        scale = max(1.0, *grads, 0.0)
        both = [name for name in mine if name in yours]  # where a program ends, one side may have gone a line further
        for name in both:
            found = _unlike(name, mine[name], yours[name], 1.0)
            if found:
                return found
        for name in () if self.ended else both:  # torch commits the gradients that it found before an error
            found = _unlike(f"{name}.grad", _grad(mine[name]), _grad(yours[name]), scale)
            if found:
                return found
        return ""


def _grad(tensor: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's, of Tensors that keep no gradient
        return tensor.grad


def _array(tensor: Any) -> np.ndarray[Any, Any]:
    """The values; torch keeps some zeros without memory, which become an array only by force."""
    found: np.ndarray[Any, Any] = tensor.numpy(force=True) if isinstance(tensor, torch.Tensor) else tensor.detach().numpy()
    return found


def _unlike(name: str, a: Any, b: Any, scale: float) -> str:
    if (a is None) != (b is None):
        return f"{name} is {'None' if a is None else 'a Tensor'} here, {'None' if b is None else 'a Tensor'} in torch"
    if a is None:
        return ""
    x, y = _array(a), _array(b)
    if (x.dtype, x.shape) != (y.dtype, y.shape):
        return f"{name} is {x.dtype}{list(x.shape)} here, {y.dtype}{list(y.shape)} in torch"
    for flag in ("requires_grad", "is_leaf"):
        if getattr(a, flag) != getattr(b, flag):
            return f"{name}.{flag} is {getattr(a, flag)} here, {getattr(b, flag)} in torch"
    if x.dtype.kind != "f":
        return "" if np.array_equal(x, y) else f"{name} is {x.tolist()} here, {y.tolist()} in torch"
    bound = max(scale, float(np.abs(np.nan_to_num(y)).max(initial=0)))
    if not np.allclose(x, y, rtol=TOLERANCE, atol=TOLERANCE * bound, equal_nan=True):
        return f"{name} is {x.tolist()} here, {y.tolist()} in torch"
    return ""


def disagreement(lines: Sequence[str]) -> str:
    """In what a program differs from torch, unless torch itself differs as much when the leaves move by 1e-13."""
    found = Pair(lines).compare()
    return "" if found and Pair(lines, nudged=True).compare() else found


def shrunk(lines: Sequence[str], fails: Callable[[Sequence[str]], Any] = disagreement) -> list[str]:
    """The program with every line taken away without which it still fails."""
    best, length = list(lines), len(lines) // 2
    while length:
        at = len(best)
        while at > 0:
            at = min(at - length, len(best))
            shorter = _without(best, range(max(at, 0), at + length))
            if len(shorter) < len(best) and fails(shorter):
                best = shorter
        length //= 2
    return best


def _without(lines: Sequence[str], numbers: range) -> list[str]:
    """The lines but for some of them, and but for those that read what is no longer made."""
    made: set[str] = set()
    left = []
    for number, line in enumerate(lines):
        target, _, body = line.partition(" = ") if re.match(r"v\d+ = ", line) else ("", "", line)
        if number in numbers or not set(re.findall(r"\bv\d+\b", body)) <= made:
            continue
        left.append(line)
        made |= {target} if target else set()
    return left


def keep(lines: Sequence[str], why: str, name: str) -> Path:
    """Write a program to the folder that the tests run again."""
    path = KEPT / f"{name}.txt"
    path.write_text(f"# {why}\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def kept() -> dict[str, list[str]]:
    """The programs that once failed."""
    return {
        path.stem: [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
        for path in sorted(KEPT.glob("*.txt"))
    }
