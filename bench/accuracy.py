"""The largest error of the vector math, in units in the last place (of the exact result, rounded), as a table.

    python -m bench.accuracy [--stride 61] [--count 20000] [--only exp,log]

float64 is measured against mpmath: at random bit patterns, at random numbers where the function is not constant, and around special
places. float32 is measured against our own float64 at every 61st bit pattern there is (``--stride 1``: at all four thousand million).
Errors are relative everywhere, on the tails of logsigmoid, erfc and gelu and near their zeros too.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from typing import Any

import mpmath as mp
import numpy as np
from tinygrad_notes.kernels import native
from tinygrad_notes.kernels.vector import kernel

__all__ = ["EXACT", "Worst", "float32_error", "float64_error", "float64_points"]

Array = np.ndarray[Any, Any]
Worst = tuple[float, float, int]
"""The largest error, where it is, and at how many points it was sought."""
CHUNK = 1 << 22


def _logsigmoid(x: Any) -> Any:
    return -mp.log1p(mp.exp(-x)) if x > 0 else x - mp.log1p(mp.exp(x))


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + mp.exp(-x))


def _gelu_tanh(x: Any) -> Any:
    return x * _sigmoid(mp.sqrt(8 / mp.pi) * (x + mp.mpf("0.044715") * x**3))


EXACT: dict[str, tuple[Callable[[Any], Any], float, float]] = {
    "exp": (mp.exp, -750.0, 720.0),
    "expm1": (mp.expm1, -50.0, 720.0),
    "log": (mp.log, 0.0, np.inf),
    "log1p": (mp.log1p, -1.0, np.inf),
    "tanh": (mp.tanh, -30.0, 30.0),
    "sigmoid": (_sigmoid, -750.0, 50.0),
    "logsigmoid": (_logsigmoid, -1e3, 750.0),
    "erf": (mp.erf, -8.0, 8.0),
    "erfc": (mp.erfc, -8.0, 28.0),
    "gelu": (lambda x: x * mp.erfc(-x / mp.sqrt(2)) / 2, -40.0, 10.0),
    "gelu_tanh": (_gelu_tanh, -23.0, 10.0),
    "sin": (mp.sin, -np.inf, np.inf),
    "cos": (mp.cos, -np.inf, np.inf),
}
"""The functions, and between which arguments they are not constant to every digit."""


def float64_points(name: str, count: int) -> Array:
    """Where a function is looked at in float64."""
    rng = np.random.default_rng(0)
    _, low, high = EXACT[name]
    bits = rng.integers(0, 2**64, 4 * count, dtype=np.uint64).view(np.float64)
    near = [rng.normal(size=count), rng.uniform(max(low, -1e3), min(high, 1e3), 2 * count), rng.uniform(-2, 2, count)]
    places = np.concatenate([np.linspace(-20, 20, 81), np.arange(-40, 41) * np.log(2) / 2, np.arange(-40, 41) * np.pi / 4])
    places = np.concatenate([places, 2.0 ** np.arange(-60, 60), [np.sqrt(0.5), np.sqrt(2), 2.0**27]])
    around = [places * (1 + k * 2.0**-52) for k in range(-2, 3)]
    x = np.concatenate([bits, *near, *around])
    return x[(x > low) & (x < high) & np.isfinite(x)]


def float64_error(name: str, count: int) -> Worst:
    """Against mpmath, at several times ``count`` points."""
    exact, x = EXACT[name][0], float64_points(name, count)
    found = _kernel(name, "d")(x)
    worst, where = 0.0, 0.0
    with mp.workprec(1200 if name in ("sin", "cos") else 140):
        for a, y in zip(x.tolist(), found.tolist(), strict=True):
            true = exact(mp.mpf(a))
            nearest = float(true)
            if np.isfinite(nearest) and np.isfinite(y):
                error = float(abs(y - true) / mp.mpf(float(np.spacing(abs(nearest)))))
            else:
                error = 0.0 if y == nearest else np.inf
            if not error <= worst:
                worst, where = error, a
    return worst, where, x.size


def float32_error(name: str, stride: int, first: int = 0) -> Worst:
    """Against our float64, at every ``stride``-th bit pattern."""
    worst, where, count = 0.0, 0.0, 0
    for x in _patterns(stride, first):
        if name in ("log", "log1p"):
            x = x[x > EXACT[name][1]]
        exact = _kernel(name, "d")(x.astype(np.float64))
        found = _kernel(name, "f")(x)
        with np.errstate(all="ignore"):
            nearest = exact.astype(np.float32)
            error = np.abs(found - exact) / np.spacing(np.abs(nearest))
        error[found == nearest] = np.fmin(error[found == nearest], 0.5)  # NaN where both are infinite
        count += x.size
        if x.size and not error.max() <= worst:
            worst, where = float(error.max()), float(x[error.argmax()])
    return worst, where, count


def _patterns(stride: int, first: int) -> Iterator[Array]:
    """Finite float32 numbers."""
    for start in range(first, 2**32, CHUNK * stride):
        x = np.arange(start, min(start + CHUNK * stride, 2**32), stride, dtype=np.uint32).view(np.float32)
        yield x[np.isfinite(x)]


def _kernel(name: str, character: str) -> Any:
    found = kernel(name, character)
    if found is None:
        raise SystemExit("there are no kernels on this machine")
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.accuracy")
    parser.add_argument("--stride", type=int, default=61, help="of the bit patterns in float32; 1: all, many minutes")
    parser.add_argument("--count", type=int, default=20_000, help="points in float64, of each kind")
    parser.add_argument("--only", default="", help="functions, with commas between: " + ",".join(EXACT))
    arguments = parser.parse_args()
    print(f"largest error in units in the last place; AVX-512: {'yes' if 'avx512f' in native.features() else 'no'}")
    print(f"  {'':12}{'float32':>8}  {'at':<16}{'points':>14}{'float64':>10}  {'at':<26}{'points':>10}")
    for name in arguments.only.split(",") if arguments.only else EXACT:
        error, at, count = float32_error(name, arguments.stride)
        wide, there, points = float64_error(name, arguments.count)
        print(f"  {name:12}{error:8.2f}  {at:<16.9g}{count:14,}{wide:10.2f}  {there:<26.17g}{points:10,}", flush=True)


if __name__ == "__main__":
    main()
