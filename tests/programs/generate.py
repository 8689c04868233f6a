"""Makes random programs: lines drawn from a catalogue of operations, views, writes, and requests for gradients.

Both sides run along, so that a line is drawn for shapes that are there; a line that makes values too large for comparison is
taken back, and so, mostly, is a write that makes every backward raise.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from . import CALLS, STALE, Pair, ours, theirs

SHAPES: list[tuple[int, ...]] = [(2, 3), (2, 3), (2, 3), (3,), (3, 2), (2, 3, 2), (2, 2), (1, 3), (2, 1), (), (4,), (0, 3)]
LARGE = 30.0

UNARY = (
    "m.tanh({x})", "m.sigmoid({x})", "m.sin({x})", "m.cos({x})", "m.exp(m.tanh({x}))", "m.log(m.abs({x}) + 0.5)",
    "m.sqrt({x} * {x} + 0.1)", "m.abs({x})", "-{x}", "{x} * {x}", "{x} / ({x} * {x} + 1)", "{x} * 0.7", "1.5 - {x}", "{x} + 0.25",
    "2 / ({x} * {x} + 1)", "({x} * {x} + 0.5) ** 1.5", "m.nn.functional.relu({x})", "m.nn.functional.softplus({x})",
    "m.expm1(m.tanh({x}))", "m.log1p({x} * {x})", "m.rsqrt({x} * {x} + 1)", "m.square({x})", "m.erf({x})", "m.atan({x})",
    "m.asinh({x})", "m.clamp({x}, -0.5, 0.5)", "m.round({x} * 3) + {x}",
    "{x}.clone()", "m.where({x} > 0.1, {x}, 0.5)", "{x} - {x}.mean()", "m.softmax({x}.reshape(-1), 0)", "{x}.contiguous() * 2",
)  # fmt: skip
BINARY = (
    "{x} + {y}", "{x} - {y}", "{x} * {y}", "{x} / (m.abs({y}) + 1)", "m.where({x} > {y}, {x}, {y})", "m.tanh({x}) * m.sigmoid({y})",
    "(m.abs({x}) + 0.5) ** m.tanh({y})", "m.maximum({x}, {y})", "m.minimum({x}, {y})", "m.logaddexp({x}, {y})",
    "m.atan2({x}, {y} * {y} + 1)",
    "m.hypot({x}, {y} + 3)", "m.lerp({x}, {y}, 0.3)", "m.fmod({x}, m.abs({y}) + 1)", "m.remainder({x}, m.abs({y}) + 1)",
)  # fmt: skip
REDUCTIONS = (
    "{x}.sum()", "{x}.sum({d})", "{x}.sum({d}, keepdim=True)", "{x}.mean({d})", "{x}.amax({d}, keepdim=True)", "{x}.amin({d})",
    "{x}.max({d})[0]", "{x}.min({d}, keepdim=True)[0]", "m.softmax({x}, {d})", "m.log_softmax({x}, {d})",
    "{x}.prod({d})", "{x}.std({d}, correction=0)", "{x}.var()", "{x}.logsumexp({d})", "{x}.norm(dim={d})",
    "{x}.aminmax(dim={d})[1]",
)  # fmt: skip
VIEWS = (
    "{x}[{i}]", "{x}[{i}:]", "{x}[:{i} + 1]", "{x}[::2]", "{x}[..., 0]", "{x}[..., None]", "{x}[None]", "{x}[..., 1:]",
    "{x}.transpose(0, -1)", "{x}.transpose({d}, 0)", "{x}.unsqueeze({d})", "{x}.squeeze()", "{x}.detach()", "{x}.flatten()",
    "{x}.reshape(-1)", "{x}.view(-1)", "{x}.permute({p})", "{x}.expand(2, {s})", "{x}.mT", "{x}.swapaxes(0, -1)", "{x}.contiguous()",
    "{x}.diagonal()", "{x}.movedim(0, -1)", "{x}.narrow({d}, 0, 1)", "{x}.select({d}, 0)", "{x}.unfold({d}, 1, 1)",
)  # fmt: skip
COPIES = (
    "m.flip({x}, (0,))", "m.roll({x}, 1, {d})", "m.cat([{x}, {x}], {d})", "m.stack([{x}, {x}], {d})", "{x}.repeat(2, {ones})",
    "m.tril({x})", "m.triu({x}, 1)", "{x}[{x} > -9]", "{x}[[0, 0, -1]]", "{x}[m.where({x}.detach() > 0, {x}.detach() * 0, 0.0).long()]",
    "m.gather({x}, {d}, index({n}, {shape}, 1))", "m.index_select({x}, {d}, index({n}, (3,), {length}))",
)  # fmt: skip
WRITES = (
    "{x}.mul_(0.7)", "{x}.add_(0.3)", "{x}.sub_({y})", "{x}.add_({y}, alpha=0.5)", "{x}.mul_({y})", "{x}.div_(m.abs({y}) + 1)",
    "{x}.copy_({y})", "{x}.zero_()", "{x}.fill_(0.4)", "{x}.tanh_()", "{x}.sigmoid_()", "{x}.neg_()", "{x}.sin_()", "{x} += {y}",
    "{x} *= 0.9", "{x}[...] = {y}", "{x}[0] = 0.2", "{x}[0] *= 0.5", "{x}[..., 0] = {y}[..., 0]", "{x}[..., -1] += 0.1",
    "{x}[mask({n}, {shape})] = 0.3", "{x}.masked_fill_(mask({n}, {shape}), 0.6)", "{x}[[0, -1]] = 0.5", "{x}[0] = {x}[-1].clone()",
    "{x}.T.mul_(0.8)", "{x}.detach().mul_(0.9)", "{x}.clamp_(-0.5, 0.5)", "{x}.exp_().mul_(0.1)", "{x}.abs_()",
)  # fmt: skip
WRONG = (
    "m.matmul({x}, leaf({n}, (7, 7)))", "{x} + leaf({n}, (7,))", "{x}[9]", "m.cat([{x}, leaf({n}, (7, 7, 7, 7))])", "{x}.sum(9)",
    "{x}.reshape(7, 11)", "{x}.backward(leaf({n}, (5, 5)))", "{x}.copy_(leaf({n}, (7,), False))",
    "{x}.expand(2, {s}).mul_(0.5)", "m.stack([{x}, leaf({n}, (7,))])", "{x}.squeeze(9)", "{x}.transpose(0, 9)", "{x}.zero_()",
    "{x}[m.tensor([9])]", "{x}[0, 0, 0, 0, 0]", "{x}[0] = leaf({n}, (7,), False)", "{x}.item()", "len({x})", "bool({x})",
)  # fmt: skip


class Generator:
    """One program from one seed."""

    def __init__(self, seed: int, length: int | None = None) -> None:
        self.rng = random.Random(seed)
        self.length = length or self.rng.randint(2, 60)
        self.pair = Pair()
        self.count = 0
        self.number = seed % 1000 * 1000
        self.retains = self.rng.random() < 0.5

    def program(self) -> list[str]:
        """The lines. Generating stops where the two sides disagree."""
        for _ in range(self.rng.randint(1, 3)):
            self.leaf()
        draw: Sequence[Callable[[], None]] = (
            self.unary, self.binary, self.sampled, self.reduction, self.view, self.view, self.copy, self.write, self.write,
            self.unseen, self.request, self.leaf, self.matmul, self.wrong,
        )  # fmt: skip
        weights = (4, 4, 6, 2, 4, 3, 2, 4, 3, 1, 1, 1, 1, 0.4)
        for _ in range(4 * self.length):
            if len(self.pair.lines) >= self.length or self.pair.ended or self.pair.difference:
                break
            self.rng.choices(draw, weights)[0]()
        for name in self.rng.sample(sorted(self.flowing()), min(2, len(self.flowing()))):
            self.pair.step(f"({name} * {name}).sum().backward(retain_graph=True)")
        return self.pair.lines

    # ---- what there is ----

    def tensors(self) -> dict[str, Any]:
        return {name: t for name, t in self.pair.theirs.tensors().items() if t.dtype == torch.float64}

    def flowing(self) -> list[str]:
        return [name for name, t in self.tensors().items() if t.requires_grad and t.numel()]

    def pick(self, fits: Callable[[Any], bool] = lambda t: True) -> str | None:
        found = [name for name, t in self.tensors().items() if fits(t)]
        recent = found[-6:] if self.rng.random() < 0.6 else found
        return self.rng.choice(recent) if recent else None

    def fill(self, template: str, x: str, y: str = "") -> str:
        shape = tuple(self.tensors()[x].shape)
        d = self.rng.randrange(-1, max(len(shape), 1))
        self.number += 1
        return template.format(
            x=x, y=y, d=d, i=self.rng.randrange(2), n=self.number, shape=shape, ones=", ".join("1" for _ in shape) or "1",
            p=", ".join(map(str, self.rng.sample(range(len(shape)), len(shape)))), s=", ".join(map(str, shape)) or "1",
            length=max(shape[d] if shape else 1, 1),
        )  # fmt: skip

    # ---- adding a line ----

    def new(self, expression: str, prefix: str = "") -> bool:
        self.count += 1
        name = f"v{self.count - 1}"
        if not self.pair.step(f"{prefix}{name} = {expression}"):
            return False
        return self.small()

    def small(self) -> bool:
        """Whether the values can still be compared; else the line is taken back."""
        if self.pair.difference or all(
            t.numel() == 0 or float(t.detach().abs().nan_to_num(1e9).max()) < LARGE for t in self.tensors().values()
        ):
            return True
        self.pair = Pair(self.pair.lines[:-1])
        return False

    def leaf(self) -> None:
        self.number += 1
        self.new(f"leaf({self.number}, {self.rng.choice(SHAPES)}, {self.rng.random() < 0.8})")

    def unary(self) -> None:
        x = self.pick()
        if x:
            self.new(self.fill(self.rng.choice(UNARY), x), "with m.no_grad(): " if self.rng.random() < 0.04 else "")

    def binary(self) -> None:
        x = self.pick()
        y = self.pick(lambda t: _broadcasts(t.shape, self.tensors()[x].shape)) if x else None
        if x and y:
            self.new(self.fill(self.rng.choice(BINARY), x, y))

    def matmul(self) -> None:
        x = self.pick(lambda t: t.ndim >= 2)
        if x:
            y = self.pick(lambda t: t.ndim == 2 and t.shape[0] == self.tensors()[x].shape[-1])
            self.new(f"{x} @ {y}" if y else f"{x} @ {x}.mT")

    def reduction(self) -> None:
        x = self.pick(lambda t: t.numel() > 0)
        if x:
            self.new(self.fill(self.rng.choice(REDUCTIONS), x))

    def view(self) -> None:
        x = self.pick(lambda t: t.ndim > 0 and t.ndim < 5)
        if not x:
            return
        template = self.rng.choice(VIEWS)
        layouts = [side.names[x].is_contiguous() for side in (self.pair.ours, self.pair.theirs)]
        if not all(layouts) and any(word in template for word in ("reshape", "view", "flatten", "contiguous")):
            return
        self.new(self.fill(template, x))

    def copy(self) -> None:
        x = self.pick(lambda t: t.ndim > 0 and t.numel() > 0 and t.numel() < 40)
        if x:
            self.new(self.fill(self.rng.choice(COPIES), x))

    def sampled(self) -> None:
        for _ in range(4):
            name = self.rng.choice(sorted(CALLS))
            number = self.rng.randrange(len(CALLS[name]))
            wanted = [given.shape for given in CALLS[name][number].inputs if given.kind == "f"]
            names = [self.pick(lambda t, shape=shape: tuple(t.shape) == shape) for shape in wanted]
            if wanted and all(names):
                self.new(f"sample({name!r}, {number}, {', '.join(n for n in names if n)})")
                return

    def write(self) -> None:
        x = self.pick(lambda t: not (t.is_leaf and t.requires_grad) and self.writable(t))
        if not x:
            return
        shape = self.tensors()[x].shape
        y = self.pick(lambda t: t.shape == shape and t is not self.tensors()[x])
        places = [self.tensors()[name].untyped_storage().data_ptr() for name in (x, y) if name]
        operand = f"{y}.clone()" if y and places[0] == places[1] else y
        self.written(self.rng.choice([t for t in WRITES if y or "{y}" not in t]), x, operand or "")

    def writable(self, t: torch.Tensor) -> bool:
        """Whether ``t`` has elements, each with a place of its own, on both sides."""
        name = next(name for name, other in self.pair.theirs.tensors().items() if other is t)
        return t.numel() > 0 and t.ndim > 0 and not _overlaps(t) and bool(self.pair.ours.names[name]._array.flags.writeable)

    def written(self, template: str, x: str, y: str, prefix: str = "") -> None:
        before = list(self.pair.lines)
        went = self.pair.step(prefix + self.fill(template, x, y)) and self.small()
        if went and not self.pair.difference and self.rng.random() < 0.95 and self.spoiled():
            self.pair = Pair(before)

    def spoiled(self) -> bool:
        """Whether what was just written is needed by a backward, in torch or here."""
        for make in (theirs, ours):
            side = make()
            for line in self.pair.lines:
                side.step(line)
            for name in self.flowing():
                error = side.step(f"({name} * {name}).sum().backward(retain_graph=True)")
                if error is not None and any(part in str(error) for part in STALE):
                    return True
        return False

    def unseen(self) -> None:
        """A write under ``no_grad``, as an optimizer makes them."""
        x = self.pick(self.writable)
        if x:
            self.written(
                self.rng.choice([t for t in WRITES if "{y}" not in t and not t.startswith("{x} ")]), x, "", "with m.no_grad(): "
            )

    def request(self) -> None:
        """Something of gradients: a backward, a gradient as a value, a retained one, a hook."""
        flowing = self.flowing()
        if not flowing:
            return
        x = self.rng.choice(flowing)
        leaves = [name for name in flowing if self.tensors()[name].is_leaf]
        kind = self.rng.choice(["backward", "backward", *2 * ["retain" if self.retains else "value"], "hook", "leaf"])
        if kind == "backward":
            self.pair.step(f"{x}.sum().backward(retain_graph=True)")
        elif kind == "value" and leaves:
            leaf = self.rng.choice(leaves)
            self.new(f"m.autograd.grad(m.tanh({x}).sum(), [{leaf}], create_graph=True, materialize_grads=True)[0] + 0 * {leaf}")
        elif kind == "retain" and not self.tensors()[x]._is_view():
            self.pair.step(f"{x}.retain_grad()")
        elif kind == "hook" and not self.tensors()[x]._is_view():
            self.pair.step(f"{x}.register_hook(double)")
        elif kind == "leaf":
            self.new(f"{x}.detach().clone().requires_grad_()")

    def wrong(self) -> None:
        x = self.pick(lambda t: t.numel() > 0)
        if x:
            self.pair.step(self.fill(self.rng.choice(WRONG), x))


def _broadcasts(a: Any, b: Any) -> bool:
    try:
        return len(np.broadcast_shapes(tuple(a), tuple(b))) < 5
    except ValueError:
        return False


def _overlaps(t: torch.Tensor) -> bool:
    """Whether two elements are one place in memory, which nobody can write to."""
    places = sum(
        np.arange(n).reshape(-1, *(1,) * (t.ndim - i - 1)) * s for i, (n, s) in enumerate(zip(t.shape, t.stride(), strict=True))
    )
    return bool(np.unique(places).size < t.numel())
