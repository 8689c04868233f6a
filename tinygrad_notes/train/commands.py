"""``tinygrad-notes tabular`` and ``tinygrad-notes digits``: their options, and what they print and write."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from .fit import Fit
from .task import CHECKPOINT, run_task, table, write_results

__all__ = ["add_commands", "stop_on_sigint"]

_TABULAR = {
    "examples": "rows to generate",
    "features": "columns to generate",
    "positives": "share of rows of the rare class",
    "held_out": "share of the rows, the last ones, that metrics are measured on",
    "hidden": "LSTM units",
    "batch": "rows per update",
    "epochs": "walks through the training rows",
    "lr": "learning rate of Adam",
    "seed": "of data, weights and order",
}
_DIGITS = {
    "dropout": "share of values dropped in training",
    "shift": "by up to how many pixels training images are moved",
    "batch": "images per update",
    "epochs": "walks through the training images",
    "lr": "learning rate of AdamW at first; it falls to 0 along a cosine",
    "seed": "of the split, weights and order",
}


def add_commands(tasks: Any) -> None:
    """The parsers of both commands."""
    from . import digits, tabular

    parser = _parser(tasks, "tabular", "rare positives in a table, read by an LSTM", tabular.Config(), _TABULAR, _tabular)
    parser.add_argument("--csv", metavar="FILE", type=Path, help="a table of yours with a header, instead of a generated one")
    parser.add_argument("--target", metavar="COLUMN", help="its column of 0 and 1; default: the last")
    parser.add_argument("--drop", metavar="COLUMN", action="append", default=[], help="a column to leave out; may be repeated")
    _parser(tasks, "digits", "handwritten digits, a convolutional network", digits.Config(), _DIGITS, _digits)


def _parser(tasks: Any, name: str, what: str, config: Any, options: dict[str, str], run: Callable[..., int]) -> Any:
    parser = tasks.add_parser(name, help=what, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.set_defaults(run=run)
    parser.add_argument("--out", metavar="DIR", type=Path, default=Path("runs") / name, help="where results and pictures go")
    parser.add_argument("--restart", action="store_true", help="forget an earlier run in DIR")
    for option in fields(config):
        if option.name in options:
            kind = int if isinstance(option.default, int) else float
            parser.add_argument(f"--{option.name}", type=kind, default=option.default, help=options[option.name])
    return parser


def _tabular(arguments: argparse.Namespace) -> int:
    from . import tabular
    from .gradient_pictures import draw_through_time
    from .gradients import gradient_through_time

    _need_scikit_learn()
    config = tabular.Config(**{name: getattr(arguments, name) for name in _TABULAR})
    if arguments.csv is None:
        if arguments.target or arguments.drop:
            raise ValueError("--target and --drop name columns of a table; give --csv too")
        x, y = tabular.generated(config)
    else:
        x, y = tabular.read_csv(arguments.csv, arguments.target, tuple(arguments.drop))
        config = replace(config, examples=len(x), features=x.shape[1], positives=float(y.mean()))
    config = replace(config, data=tabular.digest(x, y))
    run, held = tabular.make_run(config, x, y)
    print(f"{len(x):,} rows of {x.shape[1]} features, {y.mean():.2%} positive; the last {len(held):,} rows are held out")
    if not _train(run, config, arguments):
        return 130
    rows = [{name: value for name, value in row.items() if name != "step"} for row in run.history]
    write_results("tabular", config, run, arguments.out, "LSTM over the features of a row")
    inputs, target = held.tensors
    run.model.eval()
    loss = run.objective.loss(run.model(inputs[:256]), target[:256])
    title = "how far back gradients reach: the features as time steps"
    draw_through_time(gradient_through_time(loss), arguments.out / "gradients.png", title)
    print(table(rows))
    _list(arguments.out, "results.json", "history.png", "gradients.png", CHECKPOINT)
    return 0


def _digits(arguments: argparse.Namespace) -> int:
    _need_scikit_learn()
    from . import digits

    config = digits.Config(**{name: getattr(arguments, name) for name in _DIGITS})
    run, held = digits.make_run(config)
    print(f"{len(run.data.dataset):,} images of 8 x 8 to learn, {len(held):,} held out")
    if not _train(run, config, arguments):
        return 130
    counts = digits.confusion(run, held)
    accuracy = float(counts.trace() / counts.sum())
    write_results("digits", config, run, arguments.out, "handwritten digits", accuracy=accuracy, confusion=counts.tolist())
    title = f"{accuracy:.2%} of {counts.sum()} held-out digits"
    digits.draw_confusion(counts, arguments.out / "confusion.png", title)
    print(table([{"shown": i, **{str(j): n for j, n in enumerate(row)}} for i, row in enumerate(counts.tolist())]))
    print(f"accuracy on the held-out fifth: {accuracy:.2%}")
    _list(arguments.out, "results.json", "history.png", "confusion.png", CHECKPOINT)
    return 0


def _train(run: Fit, config: Any, arguments: argparse.Namespace) -> bool:
    print(run.model)
    stopped: list[int] = []
    with stop_on_sigint(stopped):
        finished = run_task(run, config, arguments.out, arguments.restart, stopped)
    if not finished:
        path = arguments.out / CHECKPOINT
        print(f"stopped in epoch {run.epoch + 1}, all saved in {path}: the same command goes on from there")
    return finished


def _list(out: Path, *names: str) -> None:
    for name in names:
        print(f"  {out / name}")


def _need_scikit_learn() -> None:
    try:
        import sklearn  # noqa: F401
    except ImportError:
        raise ValueError("this task needs scikit-learn: pip install 'tinygrad-notes[sklearn]'") from None


@contextmanager
def stop_on_sigint(seen: list[int]) -> Iterator[None]:
    """The first Ctrl-C asks to stop after the step at hand, by a number in ``seen``; the second stops at once."""

    def handle(number: int, frame: Any) -> None:
        if seen:
            raise KeyboardInterrupt
        seen.append(number)
        print("\nstopping after this step (Ctrl-C again: at once, back to the last checkpoint)", file=sys.stderr)

    try:
        before = signal.signal(signal.SIGINT, handle)
    except ValueError:  # not in the main thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
