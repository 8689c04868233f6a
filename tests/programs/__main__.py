"""``make fuzz ARGS="--count 1000 --seed 0"``: random programs against torch; failures are shrunk, shown and kept."""

from __future__ import annotations

import argparse
import time

from . import disagreement, keep, shrunk
from .generate import Generator


def main() -> int:
    """Run ``count`` programs from consecutive seeds; 1 if any failed."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="how many programs")
    parser.add_argument("--seed", type=int, default=0, help="the seed of the first; the others follow")
    parser.add_argument("--length", type=int, default=None, help="lines of each program; default: 2 to 60")
    parser.add_argument(
        "--keep", action="store_true", help="write failures to tests/programs/kept, where the tests run them again"
    )
    given = parser.parse_args()
    failed, lines_run, start = 0, 0, time.perf_counter()
    for seed in range(given.seed, given.seed + given.count):
        lines = Generator(seed, given.length).program()
        lines_run += len(lines)
        if not disagreement(lines):
            continue
        failed += 1
        smaller = shrunk(lines)
        why = disagreement(smaller)
        print(f"seed {seed}: {why}", *("    " + line for line in smaller), sep="\n", flush=True)
        if given.keep:
            print(f"    kept as {keep(smaller, why, f'seed{seed}')}")
    took = time.perf_counter() - start
    print(f"{given.count} programs from seed {given.seed}, {lines_run} lines, {failed} failed, {took:.0f} s")
    return int(failed > 0)


if __name__ == "__main__":
    raise SystemExit(main())
