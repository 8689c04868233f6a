"""``make bench``: measure, print tables, write a JSON file and a picture.

Ratios come from one run. Ctrl-C stops it and leaves a valid JSON file of what was measured until then, which says so.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from pathlib import Path
from typing import Any

from .machine import about, clear_environment, heading


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make bench", description="Measure, against numpy, torch and the machine's limits.")
    parser.add_argument("--quick", action="store_true", help="fewer sizes and repeats: a first look in a minute")
    parser.add_argument("--filter", default="", metavar="TEXT", help="only figures with this in their bench, group or name")
    parser.add_argument("--json", type=Path, default=Path("bench/results/latest.json"), help="where the figures go")
    parser.add_argument("--list", action="store_true", help="name the benches and stop")
    return parser.parse_args(arguments)


def main() -> int:
    """Run the chosen benches; the exit status: 1 if one failed, 130 if interrupted."""
    clear_environment("bench")
    arguments = parse()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    start = time.perf_counter()
    result: dict[str, Any] = {"interrupted": True, "quick": arguments.quick, "filter": arguments.filter, "failed": {}}
    rows: list[Any] = []
    try:
        status = _measure(arguments, result, rows)
        result["interrupted"] = False
    except KeyboardInterrupt:
        print("\nstopped")
        status = 130
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C would not make it faster
    if arguments.list or (not rows and status == 2):
        return status
    from .results import save

    result["seconds"] = round(time.perf_counter() - start, 1)
    save(arguments.json, result, rows)
    print(f"\n{len(rows)} figures in {result['seconds']:.0f} s; written to {arguments.json}")
    for name, error in result["failed"].items():
        print(f"{name} failed: {error}")
    return status


def _measure(arguments: argparse.Namespace, result: dict[str, Any], rows: list[Any]) -> int:
    from .limits import limits
    from .others import Others
    from .peers import torch
    from .pools import Pools
    from .report import table
    from .runner import Run
    from .workloads import benches

    if arguments.list:
        print("\n".join(benches()))
        return 0
    if torch is None:
        print("torch is not installed: figures without it (pip install torch)")
    others, pools = Others(), Pools()
    result["machine"] = about()
    print(heading(result["machine"]), flush=True)
    measured = limits(arguments.quick, pools)
    result["limits"] = measured.asdict()
    print(measured.heading(), flush=True)
    run = Run(pools, measured, arguments.quick, arguments.filter, rows, result["failed"])
    try:
        for group in run.groups(benches()):
            print(table(group), flush=True)
    finally:
        share = result["others"] = others.share()
        if share is not None and share > 0.03:
            print(f"\nother programs had {100 * share:.0f} % of the processor meanwhile: do not rely on these figures")
    from .roofline import draw

    for ending in (".png", ".svg"):
        picture = arguments.json.with_suffix(ending)
        picture.parent.mkdir(parents=True, exist_ok=True)
        if points := draw(picture, rows, measured, heading(result["machine"]).splitlines()[0]):
            print(f"roofline of {points} figures: {picture}")
    if not rows and not run.failed:
        print(f"nothing is called {arguments.filter!r}; there are the benches {', '.join(benches())}")
        return 2
    return 1 if run.failed else 0


if __name__ == "__main__":
    sys.exit(main())
