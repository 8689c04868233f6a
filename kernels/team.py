"""One team of threads for everything that runs in parallel: persistent native workers that wait for kernels.

    set_num_threads(2)            how many threads share the work; TINYGRAD_NOTES_NUM_THREADS says it before the start
    runner()                      the function that runs a kernel on all of them (``jit/team.py`` is the native side)

The workers start with the first kernel that is worth sharing, know nothing of Python and hold no lock of its. After a fork the child
starts its own. A busy team is no obstacle: whoever finds it busy runs alone, with the same bits.
"""

from __future__ import annotations

import atexit
import ctypes
import os
import threading
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from . import layout, native

__all__ = ["get_num_threads", "memory", "runner", "set_num_threads"]

VARIABLE = "TINYGRAD_NOTES_NUM_THREADS"
_LAST_CACHE = 194
"""``_SC_LEVEL3_CACHE_SIZE`` of the C library."""
_lock = threading.Lock()
_wanted: int | None = None


class _Team:
    """The team's memory, laid out as ``layout.py`` says, and the native code that works in it."""

    def __init__(self) -> None:
        self._raw = np.zeros(layout.SIZE + layout.LINE, np.uint8)
        skip = -self._raw.ctypes.data % layout.LINE
        self.words = self._raw[skip : skip + layout.SIZE].view(np.int64)
        self.address: int = self.words.ctypes.data
        self._library = ctypes.CDLL(None)
        self._functions = {
            layout.LOCK: "pthread_mutex_lock",
            layout.UNLOCK: "pthread_mutex_unlock",
            layout.WAIT: "pthread_cond_wait",
            layout.BROADCAST: "pthread_cond_broadcast",
            layout.CREATE: "pthread_create",
            layout.JOIN: "pthread_join",
            layout.YIELD: "sched_yield",
            layout.SELF: "pthread_self",
            layout.CORE: "sched_getcpu",
            layout.GET_CORES: "sched_getaffinity",
            layout.SET_CORES: "pthread_setaffinity_np",
        }
        self.forget()
        self._halt = ctypes.CFUNCTYPE(None, ctypes.c_int64)(native.address("team", "halt"))
        os.register_at_fork(after_in_child=self.forget)
        atexit.register(self.halt)

    def forget(self) -> None:
        """No workers, nothing under way: the state at the start, and in a forked child."""
        self.words[:] = 0
        for place, name in self._functions.items():
            self.words[place // 8] = native.symbol(self._library, name)
        self._library.pthread_mutex_init(ctypes.c_void_p(self.address + layout.MUTEX), None)
        self._library.pthread_cond_init(ctypes.c_void_p(self.address + layout.CONDITION), None)
        for place, name in ((layout.SAVE_THREAD, "PyEval_SaveThread"), (layout.RESTORE_THREAD, "PyEval_RestoreThread")):
            self.words[place // 8] = native.symbol(ctypes.pythonapi, name)
        self.words[layout.NONE // 8] = id(None)
        self.words[layout.CACHE // 8] = self._library.sysconf(_LAST_CACHE) or 2**25
        self.words[layout.WORKER // 8] = native.address("team", "worker")
        self.words[layout.WANTED // 8] = get_num_threads()

    def halt(self) -> None:
        """End the workers when nobody uses them; the next kernel that is worth it starts them anew."""
        self._halt(self.address)


@cache
def _team() -> _Team | None:
    return _Team() if native.available() else None


def get_num_threads() -> int:
    """How many threads share the work of a kernel."""
    global _wanted
    if _wanted is None:
        given = os.environ.get(VARIABLE)
        if given is None:
            cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
            _wanted = min(cores, layout.MOST)
        else:
            _wanted = _checked(int(given) if given.strip().isdecimal() else given, VARIABLE)
    return _wanted


def set_num_threads(number: int) -> None:
    """Let so many threads share the work of a kernel, 1 to 64. The results have the same bits with any number."""
    global _wanted
    with _lock:
        _wanted = _checked(number, "set_num_threads")
        if (team := _team()) is not None:
            team.halt()
            team.words[layout.WANTED // 8] = _wanted


def _checked(number: Any, name: str) -> int:
    if isinstance(number, bool) or not isinstance(number, (int, np.integer)) or not 1 <= number <= layout.MOST:
        raise ValueError(f"{name}: the number of threads must be a whole number from 1 to {layout.MOST}, got {number!r}")
    return int(number)


def memory() -> int:
    """Address of the team's memory, for native code that launches kernels itself. Only where there are kernels."""
    team = _team()
    assert team is not None
    return team.address


def runner() -> Callable[[bytes], None]:
    """``run(block)``: run a kernel on the team and return when all is done. Only where there are kernels.

    block  8-byte words packed by ``struct``: ``memory()``, the kernel's address, its work, then the kernel's own arguments.
           work: about how many cycles one thread would need for all; what is too short to share runs on the caller alone.
    """
    memory()
    return native.builtin("team", "run")
