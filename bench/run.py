"""``make bench``: measures, prints a table, writes a JSON file.

Peers run at their best: torch with all cores, BLAS free to choose its kernel (an inherited OPENBLAS_CORETYPE is cleared and
reported: the process starts again without it). Ctrl-C leaves a valid JSON file of what was measured until then.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

if "OPENBLAS_CORETYPE" in os.environ:
    print(f"OPENBLAS_CORETYPE={os.environ.pop('OPENBLAS_CORETYPE')} would fix numpy's BLAS kernel: cleared")
    os.execv(sys.executable, [sys.executable, *sys.argv])

import depth
import eager
import imports
import lstm
from timing import Row, machine, table

BENCHES = {"imports": imports.measure, "eager": eager.measure, "depth": depth.measure, "lstm": lstm.measure}


def main() -> int:
    """Run the chosen benches; the exit status."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--quick", action="store_true", help="fewer repeats: a first look in half a minute")
    parser.add_argument("--filter", default="", help="only benches whose name contains this: " + ", ".join(BENCHES))
    parser.add_argument("--json", type=Path, default=Path("bench/results/latest.json"), help="where the figures go")
    arguments = parser.parse_args()
    chosen = {name: measure for name, measure in BENCHES.items() if arguments.filter in name}
    if not chosen:
        parser.error(f"--filter {arguments.filter}: no such bench; there are {', '.join(BENCHES)}")
    try:
        import torch
    except ImportError:
        torch = None
        print("torch is not installed: figures without a peer (pip install torch brings one)")

    about = machine()
    print(
        f"{about['processor']}, {about['cores']} cores; Python {about['python']}, numpy {about['numpy']}, torch {about['torch']}"
    )
    for pool in about["blas"]:
        print(f"  {pool['internal_api']} {pool['version']}, kernel {pool['architecture']}, {pool['num_threads']} threads")
    rows: list[Row] = []
    interrupted = False
    try:
        for measure in chosen.values():
            fresh = measure(arguments.quick, torch)
            rows += fresh
            print(table(fresh), flush=True)
    except KeyboardInterrupt:
        interrupted = True
        print("\nstopped")
    result = {"machine": about, "quick": arguments.quick, "interrupted": interrupted, "rows": [asdict(row) for row in rows]}
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    temporary = arguments.json.with_name(f".{arguments.json.name}")
    temporary.write_text(json.dumps(result, indent=1), encoding="utf-8")
    temporary.replace(arguments.json)
    print(f"\nratios: ours / peer, below 1 is faster; written to {arguments.json}")
    return 130 if interrupted else 0


if __name__ == "__main__":
    sys.exit(main())
