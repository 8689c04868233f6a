"""Peak memory of a training step of the LSTM of ``training``, in fresh processes: what it needs above what was there before."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import tinygrad_notes as tn

from .peers import libraries
from .workloads import Bench, Workload, bench

GROUP = "peak memory of a training step above parameters and data, fresh process"
STEPS = 3


def process(lib: str) -> Callable[[], float]:
    """MB that ``STEPS`` steps take at their peak, measured by a process of its own."""

    def run() -> float:
        command = [sys.executable, "-m", "bench.memory", lib]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=Path(__file__).parent.parent)
        return float(done.stdout)

    return run


@bench("memory")
def memory(quick: bool) -> Bench:
    """Ours against torch, the same code."""

    def sides() -> dict[str, Callable[[], float]]:
        names = {"ours": "tinygrad_notes", "torch": "torch"}
        return {side: process(names[side]) for side in libraries(tn)}

    name = "LSTM language model by steps"
    yield Workload(GROUP, name, sides, unit="MB", clocked=True, rounds=2 if quick else 5)


def peak(library: str) -> float:
    """MB of resident memory at the peak of the steps above what was resident before the first."""
    from importlib import import_module

    from .training import lstm

    lib = import_module(library)
    lib.set_num_threads(1) if hasattr(lib, "set_num_threads") else None  # threads have stacks and buffers of their own
    lstm(lib, batch=16, steps=2)()  # what is imported or compiled for a first call is no part of a step
    step = lstm(lib)
    before = _resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # forget the peak until now
    for _ in range(STEPS):
        step()
    return (_resident("VmHWM") - before) / 1024


def _resident(what: str) -> int:
    """KB, as the system counts them."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith(f"{what}:")).split()[1])


if __name__ == "__main__":
    print(peak(sys.argv[1]))
