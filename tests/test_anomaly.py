"""Anomaly mode: the first NaN or inf raises, in forward and backward, and names the line that made it; off, nothing is left."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from functioncheck import SAMPLES, flowing, parts
from functioncheck import here as inputs_of

import tinygrad_notes as tn
from tinygrad_notes import dispatch, engine, inplace
from tinygrad_notes.autograd import detect_anomaly, set_detect_anomaly
from tinygrad_notes.errors import AnomalyError
from tinygrad_notes.tape import Node

F = tn.nn.functional
inf, nan = float("inf"), float("nan")


@pytest.fixture(autouse=True)
def off() -> Iterator[None]:
    yield
    assert not tn.is_anomaly_enabled()
    set_detect_anomaly(False)


def here() -> str:
    """The caller's line, as messages write it."""
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return f"test_anomaly.py:{frame.f_back.f_lineno}"


def leaf(*values: float) -> tn.Tensor:
    return tn.tensor(list(values), requires_grad=True)


# ---- forward ----

FORWARD: dict[str, tuple[Callable[[], Any], str]] = {
    "log of 0": (
        lambda: tn.tensor([[0.0, 1.0, 0.0], [2.0, 0.0, 1.5]]).log(),
        r"^log\(f32\[2,3\]\) at .*test_anomaly\.py:\d+ made 3 -inf of 6 values; x has 3 zeros, min 0, max 2$",
    ),
    "0 / 0": (
        lambda: tn.zeros(2) / tn.tensor([0.0, 1.0]),
        r"^div\(f32\[2\], f32\[2\]\) .* made 1 NaN of 2 values; x has 2 zeros",
    ),
    "1 / 0 with a scalar": (lambda: tn.ones(2) / 0.0, r"^div\(f32\[2\], 0\.0\) .* made 2 inf of 2 values; .*; y is 0$"),
    "overflow": (lambda: tn.tensor([1e3, 1.0]).exp(), r"^exp\(f32\[2\]\) .* made 1 inf of 2 values; x has min 1, max 1000$"),
    "square root below 0": (lambda: tn.tensor([-1.0, 4.0]).sqrt(), r"made 1 NaN of 2 values; x has 1 negative, min -1, max 4$"),
    "inf - inf": (lambda: tn.tensor([inf]) - tn.tensor([inf]), r"^sub.* made 1 NaN of 1 values; x has 1 inf, no finite value"),
    "matmul": (lambda: tn.full((2, 2), 1e30) @ tn.full((2, 1), 1e30), r"^matmul\(f32\[2,2\], f32\[2,1\]\) .* made 2 inf of 2"),
    "a sum": (lambda: tn.full((4,), 3e38).sum(), r"^sum\(f32\[4\]\) .* made 1 inf of 1 values"),
    "a cast": (lambda: tn.tensor([1e300], dtype=tn.float64).float(), r"^cast\(f64\[1\]\) .* made 1 inf of 1 values"),
    "joined": (lambda: tn.cat([tn.ones(1), tn.ones(2)]).sub(1).log(), r"^log\(f32\[3\]\)"),
    "without gradients": (tn.no_grad()(lambda: tn.zeros(1).log()), r"^log"),
    "in place": (lambda: tn.full((2,), 3e38).mul_(10.0), r"^mul\(f32\[2\], 10\.0\) .* made 2 inf of 2 values"),
}


@pytest.mark.parametrize("name", FORWARD)
def test_forward_names_what_made_it(name: str) -> None:
    call, message = FORWARD[name]
    call()  # off: inf and NaN are ordinary values
    with detect_anomaly(), pytest.raises(AnomalyError, match=message):
        call()


def test_forward_names_the_users_line_the_scope_and_the_function() -> None:
    x, large = tn.tensor([1.0, 2.0]), tn.full((2,), 3e38)
    lines: list[str] = []
    with detect_anomaly(), tn.scope("head", 2), pytest.raises(AnomalyError) as caught:
        lines.append(here()), x.sub(1.0).log()
    assert str(caught.value).startswith("log(f32[2]) at ")
    assert f"{lines[0]} in head 2 made 1 -inf of 2 values" in str(caught.value)
    with detect_anomaly(), pytest.raises(AnomalyError) as caught:
        lines.append(here()), large.mean(0)
    assert f"{lines[1]} made 1 inf of 1 values" in str(caught.value)
    assert " inside mean at " in str(caught.value)


def test_a_failed_write_leaves_the_memory_untouched() -> None:
    x = tn.tensor([3e38, 1.0])
    with detect_anomaly(), pytest.raises(AnomalyError):
        x *= 10.0
    np.testing.assert_array_equal(x.numpy(), np.float32([3e38, 1.0]))


PASSED_ON: dict[str, Callable[[], Any]] = {
    "a mask of -inf": lambda: F.softmax(tn.ones(2, 3).masked_fill(tn.tensor([True, False, True]), -inf), 1),
    "a mask that is added": lambda: F.log_softmax(leaf(1.0, 2.0, 3.0) + tn.tensor([0.0, -inf, 0.0]), 0).sum(),
    "NaN in the data, masked": lambda: (
        tn.where(tn.tensor([True, False]), leaf(1.0, 2.0), tn.tensor([1.0, nan])).sum().backward()
    ),
    "NaN in the data": lambda: (tn.tensor([1.0, nan]) * 2.0).exp().sum(),
    "inf in the data": lambda: tn.tensor([1.0, inf]).exp().sum(),
    "0 ** 0, masked inside its rule": lambda: tn.autograd.grad((leaf(0.0, 1.0) ** 0).sum(), leaf(0.0), allow_unused=True),
    "empty": lambda: tn.zeros(0).log().sum(),
    "integers": lambda: tn.arange(5) * 2,
    "0-d": lambda: tn.tensor(2.0).log() + tn.tensor(1.0),
}


@pytest.mark.parametrize("name", PASSED_ON)
def test_what_was_there_before_is_nobodys_fault(name: str) -> None:
    with detect_anomaly():
        PASSED_ON[name]()


def test_losses_with_masks_of_minus_inf_keep_finite_gradients() -> None:
    x = leaf(1.0, 2.0, 3.0)
    with detect_anomaly():
        F.softmax(x.masked_fill(tn.tensor([False, True, False]), -inf), 0)[0].backward()
    assert x.grad is not None
    assert np.isfinite(x.grad.numpy()).all()


def test_no_function_of_ours_makes_nan_or_inf_on_the_way_from_finite_to_finite() -> None:
    """Each sample whose result and gradients are finite (and not empty) goes through."""
    blamed, passed = [], 0
    for sample in SAMPLES:
        for watched in (False, True):
            inputs, result = inputs_of(sample, np.float64), None
            try:
                with set_detect_anomaly(watched):
                    result = sample.call(tn, *inputs)
                    for part in flowing(result):
                        part.sum().backward(retain_graph=True)
            except AnomalyError as error:
                if " inside " in str(error):  # else the sample's own, to see what becomes of an inf
                    blamed.append(f"{sample.name}: {error}")
            values = [t for t in (*parts(result), *(x.grad for x in inputs)) if isinstance(t, tn.Tensor)]
            if not all(t.numel() and np.isfinite(t.detach().numpy()).all() for t in values):
                break
            passed += watched
    assert not blamed
    assert passed > 0.9 * len(SAMPLES)


# ---- backward ----


@pytest.mark.parametrize("way", ["arrays", "create_graph", "tape"])
def test_backward_names_the_operation_its_forward_line_and_the_argument(way: str) -> None:
    x = leaf(0.0, 1.0, 4.0)
    message = (
        r"^backward of sqrt\(f32\[3\]\) at .*{0} in block: the gradient of its argument x f32\[3\] has 1 inf of 3 values; "
        r"the cotangent has min 1, max 1; out has 1 zero, min 0, max 2$"
    )
    with detect_anomaly(), tn.scope("block"):
        line, y = here(), x.sqrt()
        total = y.sum()
        with tn.Tape() if way == "tape" else tn.scope("later"), pytest.raises(AnomalyError, match=message.format(line)):
            total.backward(create_graph=way == "create_graph")
    assert x.grad is None


def test_backward_sees_a_contribution_that_is_added_to_others() -> None:
    x = leaf(0.0, 1.0)
    with detect_anomaly():
        y = x.sqrt() + x * 2 + x * 3 + x * 4  # the contribution of sqrt comes last
        with pytest.raises(AnomalyError, match=r"^backward of sqrt"):
            y.sum().backward()


def test_backward_says_where_a_nan_of_the_data_came_from() -> None:
    w, data = leaf(1.0, 2.0), tn.tensor([1.0, nan])
    with detect_anomaly():
        loss = (w * data).sum()
        with pytest.raises(AnomalyError, match=r"y has 1 NaN, min 1, max 1\. The NaN was in the data: y is no result of an op"):
            loss.backward()
        line, doubled = here(), data * (w * 2)
        loss = (doubled * w).sum()
        with pytest.raises(AnomalyError, match=rf"The NaN was in forward already: x came out of mul at .*{line}$"):
            loss.backward()


def test_backward_names_the_part_of_a_joined_tensor_and_the_hook_and_the_cotangent() -> None:
    x = leaf(1.0, 2.0)
    with detect_anomaly():
        with pytest.raises(AnomalyError, match=r"^backward: the cotangent f32\[2\] given holds 1 NaN$"):
            (x * 2).backward(tn.tensor([1.0, nan]))
        y = x * 2
        y.register_hook(lambda g: g * tn.tensor([1.0, nan]))
        with pytest.raises(AnomalyError, match=r"^backward of mul.*A hook changed this cotangent$"):
            y.sum().backward()
        cat = tn.cat([x, x * 1.0])
        cat.register_hook(lambda g: g + nan)
        with pytest.raises(AnomalyError, match=r"^backward of concatenate.*the gradient of its part 0"):
            cat.sum().backward()


def test_second_derivatives() -> None:
    x = leaf(0.0, 1.0)
    with detect_anomaly():
        (g,) = tn.autograd.grad((x**1.5).sum(), x, create_graph=True)
        np.testing.assert_array_equal(g.detach().numpy(), [0, 1.5])
        with pytest.raises(AnomalyError, match=r"^backward of pow\(f32\[2\], 0\.5\) .* has 1 inf of 2 values"):
            g.sum().backward()


def test_the_line_that_saved_is_named_when_a_residual_is_stale() -> None:
    x = leaf(1.0, 2.0)
    with detect_anomaly(check_nan=False):
        y = x * 2
        line, z = here(), y * y
        with tn.no_grad():
            y.zero_()
        with pytest.raises(RuntimeError, match=rf"mul \(recorded at .*{line}\) needs its argument"):
            z.sum().backward()


# ---- the switch ----


def test_check_nan_false_keeps_lines_only() -> None:
    with detect_anomaly(check_nan=False):
        line, y = here(), leaf(0.0).log()
        assert y.grad_fn is not None
        assert str(y.grad_fn.line).endswith(line)
        assert tn.is_anomaly_enabled()
        assert not tn.is_anomaly_check_nan_enabled()
        y.sum().backward()
    assert leaf(1.0).log().grad_fn.line is None


def test_switches_nest_and_restore() -> None:
    with detect_anomaly():
        with set_detect_anomaly(False):
            leaf(0.0).log()
        with detect_anomaly(check_nan=False):
            leaf(0.0).log()
        with pytest.raises(AnomalyError):
            leaf(0.0).log()
    set_detect_anomaly(True)
    with pytest.raises(AnomalyError):
        leaf(0.0).log()
    set_detect_anomaly(False)
    leaf(0.0).log()

    @detect_anomaly()
    def watched() -> tn.Tensor:
        return leaf(0.0).log()

    with pytest.raises(AnomalyError):
        watched()
    assert not tn.is_anomaly_enabled()


def test_it_covers_functions_that_are_generated_meanwhile_and_other_threads() -> None:
    caught: list[BaseException] = []

    def work() -> None:
        try:
            tn.cat([leaf(1.0)] * 37).sub(1.0).log()  # 37 parts: a new arity
        except AnomalyError as error:
            caught.append(error)

    with detect_anomaly():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert tn.cat([leaf(1.0)] * 41).grad_fn.line is not None
    assert len(caught) == 1
    assert tn.cat([leaf(1.0)] * 41).grad_fn.line is None


def test_off_leaves_nothing_behind() -> None:
    def looked_up() -> list[tuple[Any, Any]]:
        return [(names["forward"], names["Node"]) for names in dispatch.generated]

    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    ((x @ x).exp() + x).sum(0)[tn.tensor([0])]  # rows are generated when first called
    before = looked_up()
    assert {names["OP"].name for names in dispatch.generated} >= {"add", "exp", "matmul", "sum", "take"}
    with detect_anomaly():
        during = looked_up()
        assert all(a[0] is not b[0] and a[1] is not b[1] for a, b in zip(before, during, strict=True))
        assert engine.new_table is not dict
    assert looked_up()[: len(before)] == before
    assert all(node is Node for _, node in before)
    assert engine.new_table is dict
    assert inplace.direct is np.ufunc
    assert dispatch.watch is None
