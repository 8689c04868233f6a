"""Whether other programs had the processor meanwhile: figures taken then are worth little, and the run says so."""

from __future__ import annotations

import os
import time
from pathlib import Path

__all__ = ["Others"]


class Others:
    """Counts, from its making on, the share of the processor that went to other processes."""

    def __init__(self) -> None:
        self._start = _now()

    def share(self) -> float | None:
        """The share of all cores' time that others used; None where the system does not say."""
        then, now = self._start, _now()
        if then is None or now is None:
            return None
        elapsed, busy, own = (b - a for a, b in zip(then, now, strict=True))
        return max(busy - own, 0.0) / max(elapsed * (os.cpu_count() or 1), 1e-9)


def _now() -> tuple[float, float, float] | None:
    """Seconds: of the clock, busy on any core, used by this process and its children."""
    try:
        fields = Path("/proc/stat").read_text(encoding="utf-8").split("\n", 1)[0].split()[1:]
    except OSError:
        return None
    user, nice, system, _, _, irq, softirq, *rest = map(int, fields)
    busy = (user + nice + system + irq + softirq + sum(rest[:1])) / os.sysconf("SC_CLK_TCK")
    return time.perf_counter(), busy, sum(os.times()[:4])
