"""The pool of memory: blocks come back warm, on a cache line, never twice at once, and only to the context that asked."""

from __future__ import annotations

import contextvars
import os
import threading

import numpy as np
import pytest
from tinygrad_notes.kernels import native, pool
from tinygrad_notes.kernels.quiet import quiet_runner

pytestmark = pytest.mark.skipif(not native.available(), reason="no kernels on this machine, or switched off")


@pytest.fixture
def context() -> contextvars.Context:
    made = contextvars.Context()
    made.run(pool.wanted.set, True)
    made.run(pool.use)
    return made


def churn(seed: int, steps: int) -> None:
    """Make, fill, resize and drop arrays of all sizes; each keeps its own bytes as long as it lives."""
    rng = np.random.default_rng(seed)
    live: list[tuple[np.ndarray, int]] = []
    for step in range(steps):
        size = int(rng.integers(0, 3_000 if step % 50 else 3_000_000))
        zeros = step % 3 == 0
        array = np.zeros(size, np.uint8) if zeros else np.full(size, step % 251, np.uint8)
        assert not (zeros and array.any())
        assert array.ctypes.data % 64 == 0
        if step % 7 == 0:
            array.resize(size * 2 if step % 2 else size // 2, refcheck=False)
        live.append((array, array.sum(dtype=np.int64)))
        if len(live) > 60:
            old, total = live.pop(int(rng.integers(60)))
            assert old.sum(dtype=np.int64) == total


def test_arrays_keep_their_bytes(context: contextvars.Context) -> None:
    context.run(churn, 0, 5_000)


def test_threads_share_the_pool() -> None:
    failed: list[BaseException] = []

    def work(seed: int) -> None:
        try:
            made = contextvars.Context()
            made.run(pool.wanted.set, True)
            made.run(pool.use)
            made.run(churn, seed, 1_500)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


def test_a_freed_block_is_used_again(context: contextvars.Context) -> None:
    pool.drain()
    first = context.run(np.empty, 70_000)
    where = first.ctypes.data
    del first
    assert pool.kept() >= 70_000 * 8
    assert context.run(np.empty, 70_000).ctypes.data == where


def test_at_most_so_much_is_kept(context: contextvars.Context) -> None:
    pool.drain()
    arrays = [context.run(np.empty, 5_000_000) for _ in range(10)]  # 400 MB
    del arrays
    assert 200_000_000 < pool.kept() <= pool.CAP
    pool.drain()
    assert pool.kept() == 0


def test_what_is_too_large_goes_back_at_once(context: contextvars.Context) -> None:
    pool.drain()
    array = context.run(np.ones, 10_000_000)
    assert array.sum() == 10_000_000
    del array
    assert pool.kept() < 100_000


def test_other_contexts_keep_numpys_own_memory(context: contextvars.Context) -> None:
    handler = np._core.multiarray.get_handler_name
    assert context.run(lambda: handler(np.empty(10))) == "tinygrad_notes"
    assert handler(np.empty(10)) == "default_allocator"
    assert handler(np.multiply(context.run(np.ones, 10), 2)) == "default_allocator"


def test_only_contexts_of_operations_take_it() -> None:
    handler = np._core.multiarray.get_handler_name
    other = contextvars.Context()
    other.run(pool.use)
    assert other.run(lambda: handler(np.empty(10))) == "default_allocator"
    run = quiet_runner()
    run(pool.use)
    assert run(lambda: handler(np.empty(10))) == "tinygrad_notes"


def test_a_forked_child_goes_on(context: contextvars.Context) -> None:
    array = context.run(np.arange, 100_000)
    child = os.fork()
    if child == 0:
        try:
            context.run(churn, 3, 200)
            os._exit(0 if array.sum() == 4_999_950_000 else 1)
        finally:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
