"""What PyTorch's users write without thinking, run here and in torch: devices, questions to a Tensor, decorators, comparisons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_notes as tn


def weight(m: Any) -> Any:
    return m.tensor([[1.0, -2.0], [3.0, 0.5]], requires_grad=True)


def tracked(m: Any, decorate: Callable[[Any], Any]) -> bool:
    @decorate
    def double(x: Any) -> Any:
        return x * 2

    with m.no_grad():
        m.enable_grad()  # made, not entered: changes nothing
    return bool(double(weight(m)).requires_grad)


def penalty(m: Any) -> Any:
    x = weight(m)
    (g,) = m.autograd.grad((x**3).sum(), x, create_graph=True, only_inputs=True)
    (g.norm() - 1).square().backward()
    return x.grad


def shared_median(m: Any) -> Any:
    x = m.tensor([[2.0, 1.0], [2.0, 3.0]], requires_grad=True)
    return m.autograd.grad(x.median(), x)[0], m.autograd.grad(x.median(0).values.sum(), x)[0]


def unused(m: Any) -> Any:
    x, y = weight(m), weight(m)
    return m.autograd.grad(x.sum(), (x, y), None, False, False, True, True)[1]  # by position: only_inputs, allow_unused


def drawn_again(m: Any) -> bool:
    m.seed()
    state = m.get_rng_state()
    first = m.rand(3)
    m.set_rng_state(state)
    return bool(m.equal(first, m.rand(3)))


def named(m: Any) -> list[str]:
    found: list[str] = []
    m.nn.Sequential(m.nn.Linear(1, 1), m.nn.ReLU()).apply(fn=lambda module: found.append(type(module).__name__))
    return found


CALLS: dict[str, Callable[[Any], Any]] = {
    "device of a Tensor": lambda m: (str(weight(m).device), weight(m).device.type, weight(m).device.index),
    "devices are equal": lambda m: m.device("cpu") == weight(m).device and m.device("cpu", 0) != m.device("cpu"),
    "device as text": lambda m: (str(m.device("cpu:0")), repr(m.device("cpu")), repr(m.device("cpu", 0))),
    "device is hashable": lambda m: len({m.device("cpu"), m.device("cpu")}),
    "made on a device": lambda m: m.arange(3, dtype=m.float32, device=weight(m).device) + m.ones(3, device="cpu"),
    "like, on a device": lambda m: weight(m).new_zeros(2, device="cpu") + m.zeros_like(weight(m), device=m.device("cpu")),
    "drawn on a device": lambda m: m.randn(2, 3, device="cpu").shape[1] + m.randperm(4, device="cpu").shape[0],
    "to a device": lambda m: weight(m).to(m.device("cpu"), m.float64),
    "module to a device": lambda m: [
        p.dtype == m.float64 for p in m.nn.Linear(2, 1).to("cpu").to("cpu", m.float64).cpu().parameters()
    ],
    "is_tensor": lambda m: (m.is_tensor(weight(m)), m.is_tensor(1.0)),
    "numel": lambda m: (m.numel(weight(m)), m.numel(m.zeros(0, 3))),
    "is_floating_point": lambda m: (m.is_floating_point(weight(m)), m.is_floating_point(m.arange(2))),
    "is_nonzero": lambda m: (m.is_nonzero(m.tensor(2.0)), m.tensor([0]).is_nonzero()),
    "is_same_size": lambda m: (weight(m).is_same_size(m.zeros(2, 2)), weight(m).is_same_size(m.zeros(4))),
    "ndimension": lambda m: weight(m).ndimension(),
    "type": lambda m: weight(m).detach().type(m.int64),
    "broadcast_shapes": lambda m: tuple(m.broadcast_shapes((2, 1), (3,), ())),
    "constants": lambda m: (m.pi, m.e, m.inf, str(m.nan)),
    "finfo": lambda m: [float(getattr(m.finfo(m.float32), name)) for name in ("eps", "max", "min", "tiny")],
    "iinfo": lambda m: (m.iinfo(m.int64).max, m.iinfo(m.uint8).min),
    "dtype": lambda m: isinstance(weight(m).dtype, m.dtype),
    "Python's float": lambda m: (m.ones(2, dtype=float), m.tensor([1, 2], dtype=float), weight(m).detach().to(float)),
    "Python's int and bool": lambda m: (m.ones(2, dtype=int), m.ones(2, dtype=bool)),
    "equal to None": lambda m: (weight(m) == None, weight(m) != None, None in (weight(m), 1)),  # noqa: E711 (what is tested)
    "equal to text": lambda m: (weight(m) == "a", weight(m) != "a"),
    "equal to a number": lambda m: (weight(m) == 3, weight(m) != 3.0, m.ones(2) == m.tensor([1, 0])),
    "no_grad without brackets": lambda m: tracked(m, m.no_grad),
    "no_grad with brackets": lambda m: tracked(m, m.no_grad()),
    "enable_grad without brackets": lambda m: tracked(m, m.enable_grad),
    "median shares between equals": shared_median,
    "only_inputs": penalty,
    "allow_unused by position": unused,
    "random state": drawn_again,
    "apply": named,
}
REFUSED: dict[str, Callable[[Any], Any]] = {
    "one number of several": lambda m: int(m.ones(3)),
    "one float of several": lambda m: float(m.ones(3)),
    "one item of several": lambda m: m.ones(3).item(),
    "joining nothing": lambda m: m.cat([]),
    "stacking nothing": lambda m: m.stack([]),
    "a name as an index": lambda m: m.ones(3)["a"],
    "a name as a place": lambda m: m.ones(3).__setitem__("a", 1),
    "the bits of floats": lambda m: ~m.ones(3),
    "text is no data": lambda m: m.tensor("a"),
    "rows of two lengths": lambda m: m.tensor([[1], [1, 2]]),
    "no common shape": lambda m: m.broadcast_shapes((2,), (3,)),
    "less than None": lambda m: weight(m) < None,
    "one choice alone": lambda m: m.where(weight(m) > 0, weight(m)),
    "not one truth": lambda m: weight(m).is_nonzero(),
}


def plain(result: Any) -> Any:
    """What can be compared: arrays with their dtypes, and everything else as it is."""
    if isinstance(result, tuple | list):
        return [plain(part) for part in result]
    if hasattr(result, "detach"):
        array = result.detach().numpy()
        return str(array.dtype), array.shape, np.round(array.astype(float), 4).tolist()
    return result


@pytest.mark.torch
@pytest.mark.parametrize("name", CALLS)
def test_as_in_torch(name: str) -> None:
    torch = pytest.importorskip("torch")
    assert plain(CALLS[name](tn)) == plain(CALLS[name](torch))


@pytest.mark.torch
@pytest.mark.parametrize("name", REFUSED)
def test_refused_as_in_torch(name: str) -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(Exception) as error:  # noqa: PT011 (torch chooses the class)
        REFUSED[name](torch)
    with pytest.raises(error.type):
        REFUSED[name](tn)


@pytest.mark.parametrize(
    "call",
    [
        lambda: tn.device("cuda"), lambda: tn.device("cpu", 1), lambda: tn.zeros(2, device="cuda:0"),
        lambda: tn.tensor([1.0], device="mps"),
        lambda: tn.ones(1).to("cuda"), lambda: tn.rand(2, device="cuda"), lambda: tn.nn.Linear(1, 1).to("cuda"),
        lambda: tn.ones(1).new_zeros(2, device="xpu"), lambda: tn.arange(3, device="cuda"),
    ],
)  # fmt: skip
def test_there_is_only_the_cpu(call: Callable[[], Any]) -> None:
    with pytest.raises(RuntimeError, match=r"there is no device '(cuda|cpu:1|mps|xpu).*' here; every Tensor lives on the CPU"):
        call()


@pytest.mark.parametrize("seed", [0, -1, 2**63 + 1, 2**64 - 1])
def test_the_random_state_keeps_every_bit_of_the_seed(seed: int) -> None:
    generator = tn.Generator(seed)
    other = tn.Generator()
    other.set_state(generator.get_state())
    assert other.seed.item() == generator.seed.item() == seed % 2**64
    assert tn.equal(tn.rand(3, generator=other), tn.rand(3, generator=generator))


def test_messages() -> None:
    with pytest.raises(TypeError, match=r"tensor: 'a' is text, not numbers"):
        tn.tensor("a")
    with pytest.raises(ValueError, match=r"rows of different lengths make no array"):
        tn.tensor([[1], [1, 2]])
    with pytest.raises(RuntimeError, match=r"broadcast_shapes: \(2,\), \(3,\) have no common shape"):
        tn.broadcast_shapes((2,), (3,))
    x = tn.ones(1, requires_grad=True)
    with pytest.raises(ValueError, match=r"only_inputs=False is gone.*use backward"):
        tn.autograd.grad(x.sum(), x, only_inputs=False)
