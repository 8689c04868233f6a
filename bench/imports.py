"""What importing costs over numpy, in fresh processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from .workloads import Bench, Workload, bench

CODE = "{0}import time; start = time.perf_counter(); import {1}; print(time.perf_counter() - start)"


def importing(module: str, before: str = "") -> Callable[[], float]:
    """Milliseconds that importing the module takes in a fresh process, after ``before`` was imported."""
    code = CODE.format(f"import {before}; " if before else "", module)

    def run() -> float:
        done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True)
        return float(done.stdout) * 1e3

    return run


@bench("imports")
def imports(quick: bool) -> Bench:
    """Milliseconds of ``import tinygrad_notes`` after numpy, and of numpy itself."""

    def sides() -> dict[str, Callable[[], float]]:
        return {"ours": importing("tinygrad_notes", "numpy"), "numpy itself": importing("numpy")}

    rounds = 5 if quick else 15
    yield Workload("import, fresh process", "tinygrad_notes, over numpy", sides, unit="ms", clocked=True, rounds=rounds)
