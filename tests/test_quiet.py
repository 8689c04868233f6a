"""No warnings from correct programs, and nothing changed outside: the error state of quiet calls is their own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from unittest import mock

import numpy as np
import pytest
from tinygrad_notes.kernels.quiet import loud, quiet_runner

import tinygrad_notes as tn
from tinygrad_notes.dispatch import primitive
from tinygrad_notes.optable import TABLE, Case


def test_a_quiet_call_silences_itself_only() -> None:
    before = np.geterr()
    with np.errstate(all="raise"):
        assert tn.exp(tn.tensor([1e4])).item() == np.inf
        assert np.geterr() == dict.fromkeys(("divide", "over", "under", "invalid"), "raise")
    assert np.geterr() == before


def test_quiet_calls_do_not_nest_and_say_so() -> None:
    run = quiet_runner()
    with pytest.raises(RuntimeError) as caught:
        run(run, np.log, 0.0)
    assert loud(caught.value)
    assert not loud(RuntimeError("something else"))


def test_a_forward_that_uses_tensors_is_run_all_the_same() -> None:
    """A row whose forward makes Tensors itself, as a signal handler in the midst of one would."""

    def forward(x: np.ndarray) -> np.ndarray:
        return (tn.tensor(x).log() + 1).numpy()

    op = primitive(
        "log_plus_one", forward, args="x", vjp=("g / x",), kind="elementwise", expr="log(x) + 1",
        result=lambda shapes, dtypes, params: (shapes[0], dtypes[0]), cases=(Case((((2,), 0.5, 2.0),)),),
    )  # fmt: skip
    try:
        out = op.bind(tn.tensor([0.0, 1.0], requires_grad=True))
        assert out.tolist() == [-np.inf, 1.0]
        fails = mock.patch.dict(op.bind.__globals__, forward=mock.Mock(side_effect=RuntimeError("of the user")))
        with fails, pytest.raises(RuntimeError, match="of the user"):
            op.bind(tn.tensor([1.0]))
    finally:
        del TABLE["log_plus_one"]


def test_threads_are_quiet_each_on_its_own() -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda i: tn.exp(tn.tensor([1e4 + i] * 9)).sum().item(), range(64)))
    assert found == [np.inf] * 64
