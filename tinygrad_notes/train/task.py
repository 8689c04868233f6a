"""What the tasks of the command line share: a run that can be stopped and resumed, its table, its JSON, its pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..io import load, save, write_atomically
from .callbacks import Progress
from .curves import draw_history
from .fit import Callback, Fit

__all__ = ["CHECKPOINT", "Save", "StopWhen", "resume", "run_task", "table", "write_results"]

CHECKPOINT = "checkpoint.safetensors"


class Save(Callback):
    """Writes run and configuration, and what ``more`` there is: after every epoch and where the run stops between two batches.

    every  also after the batch that completes so many updates, and each multiple of them
    """

    def __init__(self, path: Path, config: Any, every: int | None = None, **more: Any) -> None:
        self.path, self.every, self.saved = path, every, {"config": asdict(config), **more}

    def after_batch(self, run: Fit) -> None:
        if run.stopped or (self.every is not None and run.step % self.every == 0):
            self.after_epoch(run)

    def after_epoch(self, run: Fit) -> None:
        save({**self.saved, "run": run.state_dict()}, self.path)


class StopWhen(Callback):
    """Stops the run after the batch during which something came into the list ``asked``."""

    def __init__(self, asked: list[int]) -> None:
        self.asked = asked

    def after_batch(self, run: Fit) -> None:
        if self.asked:
            run.stop()


class Report(Progress):
    """A progress bar, and above it a line for every epoch."""

    def after_epoch(self, run: Fit) -> None:
        shown = ", ".join(
            f"{name} {_number(value)}" for name, value in run.history[-1].items() if name not in ("epoch", "step")
        )
        self._bar.write(f"epoch {run.epoch}: {shown}")


def resume(run: Fit, config: Any, path: Path, ignored: Sequence[str] = ("epochs",)) -> None:
    """Continue from a checkpoint of ``Save``. Raises ValueError, naming the differences, if it belongs to another run."""
    saved = load(path)
    now = asdict(config)
    if not isinstance(saved, dict) or set(saved.get("config", ())) != set(now):
        raise ValueError(f"{path} belongs to another task or version; use another --out, or --restart")
    changed = [
        "other data" if name == "data" else f"{name}: {saved['config'][name]} there, {now[name]} now"
        for name in now
        if name not in ignored and now[name] != saved["config"][name]
    ]
    if changed:
        raise ValueError(f"{path} belongs to another run ({'; '.join(changed)}); use another --out, or --restart")
    run.load_state_dict(saved["run"])


def run_task(run: Fit, config: Any, out: Path, restart: bool, stopped: list[int]) -> bool:
    """Train for ``config.epochs`` epochs with a progress bar and checkpoints; False where ``stopped`` asked to stop.

    Raises ValueError where ``out`` holds another run.
    """
    path = out / CHECKPOINT
    run.callbacks += [StopWhen(stopped), Report(), Save(path, config)]
    if path.exists() and not restart:
        resume(run, config, path)
    run.run(config.epochs)
    finished: bool = run.epoch >= config.epochs
    return finished


def write_results(task: str, config: Any, run: Fit, out: Path, title: str, **more: Any) -> dict[str, Any]:
    """``results.json`` (configuration, a row per epoch, what else there is) and ``history.png``, each whole or not at all."""
    results = {"task": task, "config": asdict(config), "history": run.history, **more}
    write_atomically(out / "results.json", (json.dumps(results, indent=1) + "\n").encode())
    draw_history(run.history, out / "history.png", title)
    return results


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as text, a column per name, aligned at the right."""
    names = list(rows[0]) if rows else []
    cells = [names, *[[_number(row[name]) for name in names] for row in rows]]
    widths = [max(len(line[i]) for line in cells) for i in range(len(names))]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in cells)


def _number(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)
