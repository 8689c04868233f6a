"""What importing costs over numpy, in fresh processes."""

from __future__ import annotations

import statistics
import subprocess
import sys
from typing import Any

from timing import Row

CODE = "import time; t = time.perf_counter(); import {0}; a = time.perf_counter(); import {1}; print(a - t, time.perf_counter() - a)"


def measure(quick: bool, torch: Any) -> list[Row]:
    """Milliseconds of ``import tinygrad_notes`` after numpy, and of numpy itself."""
    numpys, ours = [], []
    for _ in range(5 if quick else 15):
        run = subprocess.run(
            [sys.executable, "-c", CODE.format("numpy", "tinygrad_notes")], capture_output=True, text=True, check=True
        )
        first, second = map(float, run.stdout.split())
        numpys.append(first * 1e3)
        ours.append(second * 1e3)
    group = "import, fresh process; peer: numpy itself"
    a, b = statistics.median(ours), statistics.median(numpys)
    return [Row(group, "tinygrad_notes, over numpy", "ms", a, b, a / b)]
