"""What the figures depend on: processor, caches, versions, the BLAS kernel in use, the environment."""

from __future__ import annotations

import os
import platform
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

__all__ = ["CACHES", "CLEARED", "about", "clear_environment", "heading"]

VARIABLES = (
    "OPENBLAS_", "OMP_", "GOMP_", "KMP_", "MKL_", "NUMBA_", "NPY_", "TINYGRAD_NOTES_", "PYTHON", "MALLOC_", "GLIBC_", "LD_PRELOAD"
)  # fmt: skip
"""How the names of variables begin that change how fast something is."""
CLEARED = "TINYGRAD_NOTES_BENCH_CLEARED"


def clear_environment(module: str) -> None:
    """Start this program again without OPENBLAS_CORETYPE, which would choose numpy's BLAS kernel for it. What was cleared is
    reported and stands in the JSON file."""
    value = os.environ.pop("OPENBLAS_CORETYPE", None)
    if value is not None:
        os.environ[CLEARED] = f"OPENBLAS_CORETYPE={value}"
        sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, "-m", module, *sys.argv[1:]])
    if CLEARED in os.environ:
        print(f"{os.environ[CLEARED]} would fix numpy's BLAS kernel: cleared")


def about() -> dict[str, Any]:
    """All of it, as the JSON file has it."""
    import threadpoolctl
    from tinygrad_notes.kernels import native

    import tinygrad_notes as tn

    from .peers import torch

    versions = {"python": platform.python_version()}
    for name in ("tinygrad-notes", "numpy", "numba", "llvmlite", "torch"):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "not installed"
    info = _cpuinfo()
    keys = ("internal_api", "version", "architecture", "threading_layer", "num_threads", "prefix")
    return {
        "processor": info.get("model name") or platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "usable cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "features": [word for word in info.get("flags", "").split() if word.startswith(("avx", "fma", "sse4", "f16c", "amx"))],
        "caches": CACHES,
        "memory": _memory(),
        "system": platform.platform(),
        "versions": versions,
        "pools": [{key: pool[key] for key in keys if key in pool} for pool in threadpoolctl.threadpool_info()],
        "kernels": f"on {tn.get_num_threads()} threads" if native.available() else "none: numpy alone",
        "torch threads": None if torch is None else torch.get_num_threads(),
        "environment": {k: v for k, v in sorted(os.environ.items()) if k.startswith(VARIABLES) and k != CLEARED},
        "cleared": os.environ.get(CLEARED),
    }


def heading(machine: dict[str, Any]) -> str:
    """What stands above the tables."""
    versions = machine["versions"]
    caches = ", ".join(f"{name} {_size(size)}" for name, size in machine["caches"].items())
    lines = [
        f"{machine['processor']}, {machine['usable cores']} cores, {caches}",
        ", ".join(f"{name} {version}" for name, version in versions.items()),
        f"our kernels: {machine['kernels']}",
    ]
    for pool in machine["pools"]:
        kernel = f", kernel {pool['architecture']}" if "architecture" in pool else ""
        lines.append(f"{pool['internal_api']} {pool.get('version') or ''}{kernel}, {pool['num_threads']} threads")
    if machine["environment"]:
        lines.append("environment: " + " ".join(f"{k}={v}" for k, v in machine["environment"].items()))
    return "\n".join(lines)


def _size(count: int) -> str:
    return f"{count / 2**20:.3g} MB" if count >= 2**20 else f"{count / 2**10:.3g} KB"


def _cpuinfo() -> dict[str, str]:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8").split("\n\n")[0]
    except OSError:
        return {}
    return {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in text.splitlines())}


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return None


def _caches() -> dict[str, int]:
    """Bytes of the data caches that one core sees."""
    found = {}
    for folder in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        try:
            kind, level, size = ((folder / name).read_text(encoding="utf-8").strip() for name in ("type", "level", "size"))
        except OSError:
            continue
        if kind != "Instruction":
            found[f"L{level}"] = int(size.rstrip("KM")) * (2**20 if size.endswith("M") else 2**10)
    return found or {"L1": 32 * 2**10, "L2": 2**20, "L3": 32 * 2**20}  # unknown: of usual sizes


CACHES = _caches()
