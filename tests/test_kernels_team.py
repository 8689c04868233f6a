"""The team of threads: all run, once each; it survives forks, spawns, many Python threads and changes of its size."""

from __future__ import annotations

import ctypes
import os
import signal
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from tinygrad_notes.kernels import native, team

import tinygrad_notes as tn

pytestmark = pytest.mark.skipif(not native.available(), reason="no kernels on this machine, or switched off")

LONG = 10**9
"""Cycles of work, by the caller's word: worth every thread."""


@pytest.fixture(autouse=True)
def _number() -> object:
    before = tn.get_num_threads()
    yield
    tn.set_num_threads(before)


def barriers(count: int, work: int = LONG) -> None:
    team.runner()(struct.pack("4q", team.memory(), native.address("team", "barriers"), work, count))


def who_ran(work: int = LONG) -> list[int]:
    """How often each thread's share was run."""
    marks = np.zeros(team.layout.MOST, np.int64)
    team.runner()(struct.pack("4q", team.memory(), native.address("team", "marks"), work, id(marks)))
    return marks[marks > 0].tolist()


@pytest.mark.parametrize("number", [1, 2, 3, 5])
def test_every_thread_runs_its_share_once(number: int) -> None:
    tn.set_num_threads(number)
    assert tn.get_num_threads() == number
    for _ in range(50):
        assert who_ran() == [1] * number


def test_short_work_is_not_shared() -> None:
    tn.set_num_threads(2)
    assert who_ran(work=0) == [1]


@pytest.mark.parametrize("number", [1, 2, 4])
def test_barriers_let_nobody_pass_alone(number: int) -> None:
    """Each thread adds to a sum that the others have just read: any thread ahead or behind spoils it."""
    tn.set_num_threads(number)
    rounds = 300
    sums = np.zeros((rounds + 1, team.layout.MOST), np.int64)
    kernel = native.address("team", "rounds")
    team.runner()(struct.pack("5q", team.memory(), kernel, LONG, id(sums), rounds))
    want = np.ones(number, np.int64)
    for _ in range(rounds):
        want = np.full(number, want.sum() % 1009)
    assert sums[rounds, :number].tolist() == want.tolist()


def test_a_worker_that_slept_wakes() -> None:
    tn.set_num_threads(2)
    assert who_ran() == [1, 1]
    time.sleep(0.02)
    assert who_ran() == [1, 1]


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one core: nobody can be kept off it")
def test_workers_wake_on_other_cores_than_the_caller() -> None:
    """While they sleep its core is closed to them; awake, they may go everywhere."""
    everywhere = os.sched_getaffinity(0)
    core = ctypes.CDLL(None).sched_getcpu
    threads = set(Path("/proc/self/task").iterdir())
    tn.set_num_threads(2)
    assert who_ran() == [1, 1]
    (worker,) = (int(thread.name) for thread in set(Path("/proc/self/task").iterdir()) - threads)
    here, closed = -1, everywhere
    while core() != here:  # until the system has not moved the caller in between
        time.sleep(0.01)
        here = core()
        team.runner()(struct.pack("3q", team.memory(), native.address("team", "room"), 0))
        closed = os.sched_getaffinity(worker)
    assert closed == everywhere - {here}
    while os.sched_getaffinity(worker) != everywhere:  # a busy machine may let it sleep through a call
        assert who_ran() == [1, 1]
    for number in (3, 1, 2, 1):
        tn.set_num_threads(number)
        who_ran()
    assert os.sched_getaffinity(0) == everywhere, "ending the workers left the caller bound"


def test_many_python_threads_share_one_team() -> None:
    tn.set_num_threads(2)
    seen: list[int] = []

    def use() -> None:
        seen.extend(sum(who_ran()) for _ in range(200))

    threads = [threading.Thread(target=use) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 1200
    assert set(seen) <= {1, 2}  # alone where the team was busy


def test_a_forked_child_has_a_team_of_its_own() -> None:
    tn.set_num_threads(2)
    assert who_ran() == [1, 1]
    child = os.fork()
    if child == 0:
        os._exit(0 if who_ran() == [1, 1] and who_ran() == [1, 1] else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert who_ran() == [1, 1]


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    where = os.path.dirname(__file__)
    prologue = f"import sys; sys.path.insert(0, {where!r})\nfrom test_kernels_team import *\n"
    return subprocess.run(
        [sys.executable, "-c", prologue + code], env={**os.environ, **environment}, capture_output=True, text=True, timeout=120, check=False
    )  # fmt: skip


def test_spawned_processes_and_a_quick_exit() -> None:
    code = """
import multiprocessing
if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        print(pool.map(who_ran, [LONG, LONG]))
"""
    done = python(code, TINYGRAD_NOTES_NUM_THREADS="2")
    assert (done.stdout.strip(), done.returncode) == ("[[1, 1], [1, 1]]", 0), done.stderr


def test_exit_with_awake_workers_is_clean() -> None:
    for _ in range(3):
        assert python("barriers(10)").returncode == 0


def test_the_environment_says_how_many() -> None:
    assert python("print(who_ran(), tn.get_num_threads())", TINYGRAD_NOTES_NUM_THREADS="3").stdout.split("]")[0] == "[1, 1, 1"
    wrong = python("print(tn.get_num_threads())", TINYGRAD_NOTES_NUM_THREADS="many")
    assert "TINYGRAD_NOTES_NUM_THREADS: the number of threads must be a whole number from 1 to 64, got 'many'" in wrong.stderr


@pytest.mark.parametrize("number", [0, -1, 65, 1.5, True, "2"])
def test_nonsense_numbers_are_refused(number: object) -> None:
    with pytest.raises(ValueError, match=r"set_num_threads: the number of threads must be a whole number from 1 to 64"):
        tn.set_num_threads(number)  # type: ignore[arg-type]


def test_ctrl_c_between_kernels() -> None:
    """SIGINT is Python's alone: the workers take no signals, and the team works on after it."""
    tn.set_num_threads(2)
    assert who_ran() == [1, 1]

    def interrupt() -> None:
        time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012
        thread.start()
        while True:
            barriers(10)
    thread.join()
    assert who_ran() == [1, 1]
