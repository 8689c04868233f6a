"""Views: each shares its base's memory, sees writes to it, and a write through it has torch's gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_notes as tn

View = Callable[[Any], Any]

VIEWS: dict[str, tuple[tuple[int, ...], View]] = {
    "reshape": ((2, 3), lambda x: x.reshape(3, 2)),
    "reshape_as": ((2, 3), lambda x: x.reshape_as(x.T)),
    "view": ((2, 3), lambda x: x.view(6)),
    "view_as": ((2, 3), lambda x: x.view_as(x)),
    "flatten": ((2, 3), lambda x: x.flatten()),
    "ravel": ((2, 3), lambda x: x.ravel()),
    "unflatten": ((6,), lambda x: x.unflatten(0, (2, 3))),
    "squeeze": ((1, 3), lambda x: x.squeeze()),
    "unsqueeze": ((3,), lambda x: x.unsqueeze(0)),
    "permute": ((2, 3, 2), lambda x: x.permute(2, 0, 1)),
    "transpose": ((2, 3), lambda x: x.transpose(0, 1)),
    "swapaxes": ((2, 3), lambda x: x.swapaxes(0, 1)),
    "t": ((2, 3), lambda x: x.t()),
    "T": ((2, 3), lambda x: x.T),
    "mT": ((2, 3, 2), lambda x: x.mT),
    "movedim": ((2, 3, 2), lambda x: x.movedim(0, 2)),
    "diagonal": ((3, 3), lambda x: x.diagonal()),
    "diagonal above": ((2, 3, 3), lambda x: x.diagonal(1, 1, 2)),
    "unfold": ((6,), lambda x: x.unfold(0, 2, 3)),
    "select": ((2, 3), lambda x: x.select(1, -1)),
    "narrow": ((4, 2), lambda x: x.narrow(0, 1, 2)),
    "split": ((5,), lambda x: x.split(2)[1]),
    "tensor_split": ((5,), lambda x: x.tensor_split(2)[0]),
    "chunk": ((5,), lambda x: x.chunk(2)[1]),
    "unbind": ((2, 3), lambda x: x.unbind()[1]),
    "slice": ((4, 3), lambda x: x[1:3, ::2]),
    "int": ((4, 3), lambda x: x[1]),
    "element": ((4, 3), lambda x: x[1, 2]),
    "new axis": ((4,), lambda x: x[None, 1:]),
    "contiguous": ((4,), lambda x: x.contiguous()),
    "view of a view of a view": ((4, 4), lambda x: x.T[1:].diagonal().unsqueeze(0)),
    "diagonal of a diagonal": ((2, 2, 2), lambda x: x.diagonal().diagonal(-1)),
}

ONE_OF_SEVERAL = {"split", "chunk", "unbind"}
"""torch refuses to write through one of several views made at once."""


def base(shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    return np.arange(1.0, np.prod(shape) + 1).reshape(shape) / 4


@pytest.mark.parametrize("name", VIEWS)
def test_memory_is_shared_both_ways(name: str) -> None:
    shape, view = VIEWS[name]
    x = tn.tensor(base(shape))
    y = view(x)
    assert np.shares_memory(x.numpy(), y.numpy())
    x.mul_(2)
    np.testing.assert_array_equal(y.numpy(), view(tn.tensor(base(shape) * 2)).numpy())
    y.fill_(-1)
    assert (x == -1).sum().item() == y.numel()


def program(m: Any, x: Any, view: View) -> tuple[Any, Any]:
    """Reads before, writes through the view, reads after: the base and the view."""
    z = x * 2
    y = view(z)
    before = (y * 3).sum()
    y.mul_(x.sum())
    w = view(z)
    w += 1
    z *= x
    return z * before, y * 1


@pytest.mark.parametrize("name", VIEWS)
def test_gradients_of_writes_through_a_view(name: str) -> None:
    shape, view = VIEWS[name]
    x = tn.tensor(base(shape), requires_grad=True)
    assert tn.autograd.gradcheck(lambda x: program(tn, x, view), x, atol=1e-5, rtol=1e-6)


@pytest.mark.torch
@pytest.mark.parametrize("name", sorted(set(VIEWS) - ONE_OF_SEVERAL))
def test_writes_through_a_view_as_in_torch(name: str) -> None:
    torch = pytest.importorskip("torch")
    shape, view = VIEWS[name]
    found = []
    for m, x in ((tn, tn.tensor(base(shape), requires_grad=True)), (torch, torch.tensor(base(shape), requires_grad=True))):
        z, y = program(m, x, view)
        (g,) = m.autograd.grad((z * z).sum() + y.sum(), [x])
        found.append([z.detach().numpy(), y.detach().numpy(), g.numpy()])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


@pytest.mark.parametrize("name", VIEWS)
def test_a_write_through_a_view_replays(name: str) -> None:
    shape, view = VIEWS[name]
    x = tn.tensor(base(shape))
    with tn.Tape() as tape:
        z, y = program(tn, x, view)
    x.numpy()[...] *= -0.5
    for value, fresh in zip(tape.replay(z, y), program(tn, x, view), strict=True):
        np.testing.assert_array_equal(value, fresh.numpy())


COPIES: dict[str, tuple[tuple[int, ...], View]] = {
    "clone": ((2, 3), lambda x: x.clone()),
    "flip": ((2, 3), lambda x: x.flip(0)),
    "flip nothing": ((2, 3), lambda x: x.flip([])),
    "fliplr": ((2, 3), lambda x: x.fliplr()),
    "flipud": ((2, 3), lambda x: x.flipud()),
    "rot90": ((2, 3), lambda x: x.rot90()),
    "rot90 by nothing": ((2, 3), lambda x: x.rot90(4)),
    "roll": ((2, 3), lambda x: x.roll(1, 0)),
    "roll by nothing": ((2, 3), lambda x: x.roll(0, 0)),
    "roll all by nothing": ((2, 3), lambda x: x.roll(0)),
    "repeat": ((2, 3), lambda x: x.repeat(1, 1)),
    "tile": ((2, 3), lambda x: x.tile(1)),
    "repeat_interleave": ((2, 3), lambda x: x.repeat_interleave(1, 0)),
    "diag": ((3, 3), lambda x: x.diag()),
    "diag_embed": ((1,), lambda x: x.diag_embed()),
    "to copy": ((3,), lambda x: x.to(x.dtype, copy=True)),
    "mask": ((3,), lambda x: x[x > -1]),
    "array": ((3,), lambda x: x[[0, 1, 2]]),
    "tril": ((2, 2), lambda x: x.tril(5)),
}


@pytest.mark.parametrize("name", COPIES)
def test_copies_share_nothing(name: str) -> None:
    shape, copy = COPIES[name]
    x = tn.tensor(base(shape))
    assert not np.shares_memory(x.numpy(), copy(x).numpy())


@pytest.mark.parametrize("pad", [(0, 0), (-1, 0), (1, 0)])
def test_padding_copies(pad: tuple[int, int]) -> None:
    x = tn.tensor(base((2, 4)))
    for mode in ("constant", "reflect", "replicate", "circular"):
        assert not np.shares_memory(x.numpy(), tn.nn.functional.pad(x, pad, mode).numpy())


def test_joined_parts_share_nothing() -> None:
    x = tn.tensor(base((2, 3)))
    for joined in (tn.cat([x]), tn.stack([x]), tn.hstack([x]), tn.vstack([x]), tn.dstack([x])):
        assert not np.shares_memory(x.numpy(), joined.numpy())


def test_overlapping_windows_are_not_written() -> None:
    windows = tn.zeros(5).unfold(0, 3, 1)
    with pytest.raises(RuntimeError, match=r"read-only.*clone\(\) it first"):
        windows.fill_(1)


def test_the_gradient_of_windows_takes_time_in_proportion_to_them() -> None:
    """Many short windows and few long ones: one addition per place or per window, whichever are fewer."""
    for n, size in ((20_000, 3), (20_000, 19_990)):
        x = tn.zeros(n, dtype=tn.float64, requires_grad=True)
        x.unfold(0, size, 1).sum().backward()
        count = n - size + 1
        expected = np.minimum(np.minimum(np.arange(1, n + 1), np.arange(n, 0, -1)), min(size, count))
        np.testing.assert_array_equal(x.grad.numpy(), expected)


# ---- what a Tensor says of its memory ----


@pytest.mark.torch
def test_memory_as_torch_tells_it() -> None:
    torch = pytest.importorskip("torch")
    for dtype in ("float32", "float64", "int64", "int16", "uint8"):
        for change in (lambda x: x, lambda x: x.T, lambda x: x[:, ::2], lambda x: x[0]):
            a = change(tn.zeros(2, 6, dtype=getattr(tn, dtype)))
            b = change(torch.zeros(2, 6, dtype=getattr(torch, dtype)))
            assert a.stride() == b.stride()
            assert a.stride(-1) == b.stride(-1)
            assert a.is_contiguous() == b.is_contiguous()
            assert a.is_floating_point() == b.is_floating_point()
            assert (a.element_size(), a.itemsize) == (b.element_size(), b.itemsize)
            assert (a.nelement(), a.nbytes) == (b.nelement(), b.nbytes)


def test_what_needs_no_copy_is_the_tensor_itself() -> None:
    x = tn.ones(2, 3)
    assert x.contiguous() is x
    assert x.to(tn.float32) is x
    assert x.to("cpu") is x
    assert x.cpu() is x
    assert x.float() is x
    assert x.type_as(x) is x
    assert x.T.contiguous().is_contiguous()
    assert not x.T.is_contiguous()


def test_there_is_only_the_cpu() -> None:
    for device in ("cuda", "cuda:0", "meta"):
        with pytest.raises(RuntimeError, match=f"there is no device '{device}' here; every Tensor lives on the CPU"):
            tn.ones(2).to(device)


def test_detach_in_place() -> None:
    x = tn.ones(2, requires_grad=True)
    y = x * 2
    y.detach_()
    assert y.is_leaf
    assert not y.requires_grad
    assert y.requires_grad_().is_leaf
    with pytest.raises(RuntimeError, match=r"detach_: Tensor f32\[1\] is a view.*use detach\(\)"):
        (x * 2)[:1].detach_()


BAD: dict[str, tuple[Callable[[Any, Any], Any], type[Exception], str]] = {
    "unflatten": (lambda m, x: x.unflatten(1, (2, 2)), RuntimeError, r"unflatten: the axis 1 of Tensor f32\[2,3\] cannot.*\[2, 2\]"),
    "unflatten twice -1": (lambda m, x: x.unflatten(1, (-1, -1)), RuntimeError, r"unflatten: .*\[-1, -1\]"),
    "unflatten dim": (lambda m, x: x.unflatten(2, (1, 2)), IndexError, "unflatten: dim=2"),
    "squeeze": (lambda m, x: x.squeeze(2), IndexError, "squeeze: dim=2 is out of range"),
    "squeeze twice": (lambda m, x: x.squeeze((0, 0)), RuntimeError, r"squeeze: \(0, 0\) names an axis of .* twice"),
    "t": (lambda m, x: x[None].t(), RuntimeError, r"t: Tensor f32\[1,2,3\] is no matrix"),
    "movedim": (lambda m, x: x.movedim((0, 1), (1,)), RuntimeError, "movedim: 2 axes of .* cannot go to 1 places"),
    "movedim twice": (lambda m, x: x.movedim((0, 0), (0, 1)), RuntimeError, r"movedim: \(0, 0\) names an axis .* twice"),
    "movedim range": (lambda m, x: x.movedim(0, 2), IndexError, "movedim: dim=2"),
    "broadcast_tensors": (lambda m, x: m.broadcast_tensors(x, x.T), RuntimeError, r"f32\[2,3\], Tensor f32\[3,2\] have no common"),
    "diagonal": (lambda m, x: x.diagonal(0, 1, 1), RuntimeError, "dim1=1 and dim2=1 are one axis"),
    "diagonal of a line": (lambda m, x: x[0].diagonal(), IndexError, "diagonal: "),
    "unfold size": (lambda m, x: x.unfold(1, 4, 1), RuntimeError, r"a window of 4 is longer than the axis 1 of Tensor f32\[2,3\]"),
    "unfold step": (lambda m, x: x.unfold(1, 2, 0), RuntimeError, "needs a step above 0 and a size from 0, got size=2, step=0"),
    "unfold dim": (lambda m, x: x.unfold(2, 2, 1), IndexError, "unfold: dim=2"),
    "select": (lambda m, x: x.select(0, 2), IndexError, r"select: index 2 is out of range for the axis 0 of Tensor f32\[2,3\]"),
    "select 0-d": (lambda m, x: x.sum().select(0, 0), IndexError, "has no axis to select from"),
    "narrow": (lambda m, x: x.narrow(1, 2, 2), RuntimeError, r"narrow: 2 slices from 2 on exceed the axis 1 of Tensor f32\[2,3\]"),
    "narrow start": (lambda m, x: x.narrow(1, 4, 0), IndexError, "narrow: start=4 is out of range for the axis 1"),
    "narrow 0-d": (lambda m, x: x.sum().narrow(0, 0, 1), RuntimeError, "narrow: .* has no axis to take apart"),
    "split_with_sizes": (lambda m, x: x.split_with_sizes([1, 1], 1), RuntimeError, r"the lengths \[1, 1\] do not add up to 3"),
    "tensor_split": (lambda m, x: x.tensor_split(0), RuntimeError, "the number of pieces must be positive, got 0"),
    "chunk": (lambda m, x: x.chunk(0), RuntimeError, "the number of pieces must be positive, got 0"),
    "stack axis": (lambda m, x: m.stack([x], 3), IndexError, "stack: dim=3"),
    "hstack": (lambda m, x: m.hstack([x, x[:1]]), RuntimeError, r"hstack: f32\[2,3\], f32\[1,3\]: axes must be equal"),
    "vstack": (lambda m, x: m.vstack([x, x.T]), RuntimeError, r"vstack: f32\[2,3\], f32\[3,2\]"),
    "dstack nothing": (lambda m, x: m.dstack([]), RuntimeError, "dstack: needs at least one"),
    "repeat": (lambda m, x: x.repeat(2), RuntimeError, r"repeat: \(2,\) has fewer counts than Tensor f32\[2,3\] has axes"),
    "repeat negative": (lambda m, x: x.repeat(2, -1), RuntimeError, r"repeat: a count cannot be negative, got \(2, -1\)"),
    "repeat_interleave": (lambda m, x: x.repeat_interleave(m.tensor([1, 2, 3]), 0), RuntimeError, "does not say how often each of the 2"),
    "repeat_interleave -1": (lambda m, x: x.repeat_interleave(-1, 0), RuntimeError, "cannot be negative, got -1"),
    "repeat_interleave floats": (lambda m, x: m.repeat_interleave(m.tensor([1.0])), RuntimeError, "must be integers .*got Tensor f32"),
    "repeat_interleave size": (lambda m, x: m.repeat_interleave(m.tensor([1, 2]), output_size=4), RuntimeError, "add up to 3, not to"),
    "flip": (lambda m, x: x.flip(0, 0), RuntimeError, r"flip: \(0, 0\) names an axis .* twice"),
    "flip range": (lambda m, x: x.flip(2), IndexError, "flip: dim=2"),
    "fliplr": (lambda m, x: x[0].fliplr(), RuntimeError, "fliplr: .* has no columns"),
    "flipud": (lambda m, x: x.sum().flipud(), RuntimeError, "flipud: .* has no rows"),
    "rot90": (lambda m, x: x.rot90(1, (0, 0)), RuntimeError, r"rot90: dims=\[0, 0\] name one axis"),
    "rot90 line": (lambda m, x: x[0].rot90(), RuntimeError, "rot90: turns in a plane of two axes"),
    "roll": (lambda m, x: x.roll((1, 2)), RuntimeError, r"roll: \(1, 2\) needs one axis each"),
    "roll count": (lambda m, x: x.roll((1, 2), 0), RuntimeError, "roll: 2 shifts for 1 axes"),
    "roll range": (lambda m, x: x.roll(1, 2), IndexError, "roll: dim=2"),
    "tril": (lambda m, x: x[0].tril(), RuntimeError, r"tril: Tensor f32\[3\] is no matrix"),
    "diag": (lambda m, x: x[None].diag(), RuntimeError, "diag: .* is neither a line nor a matrix"),
    "diag_embed": (lambda m, x: x.diag_embed(0, 1, 1), RuntimeError, "diag_embed: dim1=1 and dim2=1 are one axis"),
    "pad odd": (lambda m, x: m.nn.functional.pad(x, (1,)), RuntimeError, r"pad: \[1\] must hold two numbers"),
    "pad axes": (lambda m, x: m.nn.functional.pad(x, (1,) * 6), RuntimeError, r"last axes of Tensor f32\[2,3\]"),
    "pad cut": (lambda m, x: m.nn.functional.pad(x, (-2, -2)), RuntimeError, r"\(-2, -2\) cuts away more than the axis 1"),
    "pad reflect": (lambda m, x: m.nn.functional.pad(x, (3, 0), "reflect"), RuntimeError, r"cannot continue the axis 1 .* by \(3, 0\)"),
    "pad circular": (lambda m, x: m.nn.functional.pad(x, (4, 0), "circular"), RuntimeError, "'circular' cannot continue"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_errors(name: str) -> None:
    act, kind, message = BAD[name]
    with pytest.raises(kind, match=message) as caught:
        act(tn, tn.zeros(2, 3))
    assert type(caught.value).__module__.startswith("tinygrad_notes")


@pytest.mark.torch
@pytest.mark.parametrize("name", BAD)
def test_errors_have_torchs_class(name: str) -> None:
    torch = pytest.importorskip("torch")
    act, kind, _ = BAD[name]
    with pytest.raises(kind):
        act(torch, torch.zeros(2, 3))


@pytest.mark.torch
def test_padding_by_an_unknown_mode() -> None:
    """torch says NotImplementedError, which is a RuntimeError."""
    torch = pytest.importorskip("torch")
    for m in (tn, torch):
        with pytest.raises(RuntimeError):
            m.nn.functional.pad(m.zeros(2, 3), (1, 1), "mirror")
    with pytest.raises(RuntimeError, match="mode='mirror' is none of constant, reflect"):
        tn.nn.functional.pad(tn.zeros(2, 3), (1, 1), "mirror")
    with pytest.raises(RuntimeError, match="mode='reflect' takes no value"):
        tn.nn.functional.pad(tn.zeros(2, 3), (1, 1), "reflect", 1.0)


def test_the_listing_shows_where_a_view_was_written() -> None:
    with tn.Tape() as tape:
        x = tn.zeros(2, 3)
        x.T[2].fill_(1.0)
    assert "path=permute(dims=(1,0)).slice(index=(2)), visible=" in str(tape)
