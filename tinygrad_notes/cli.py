"""The command line: ``tinygrad-notes lm train``, ``lm sample``, ``tabular``, ``digits`` and ``warmup``."""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from .data.text import load_text, split_text
from .functions.generator import Generator
from .kernels.team import get_num_threads
from .models.char_lm import sample
from .train.commands import add_commands, stop_on_sigint
from .train.language_model import Config, Trainer
from .warmup import warmup

__all__ = ["main"]

_CHECKPOINT = "checkpoint.safetensors"


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; the exit status: 0, 2 for bad input, 130 when stopped by Ctrl-C."""
    arguments = _parser().parse_args(argv)
    try:
        status: int = arguments.run(arguments)
    except (ValueError, OSError, FloatingPointError) as error:
        print(f"tinygrad-notes: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ntinygrad-notes: stopped", file=sys.stderr)
        return 130
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tinygrad-notes", description="Networks of the lecture notes, trained on this engine."
    )
    tasks = parser.add_subparsers(required=True, metavar="TASK")
    lm = tasks.add_parser("lm", help="a character language model (LSTM)").add_subparsers(required=True, metavar="COMMAND")

    train = lm.add_parser("train", help="train it, or go on where an earlier call stopped", formatter_class=_Formatter)
    train.set_defaults(run=_train)
    train.add_argument("--text", metavar="FILE", help="UTF-8 text to learn; default: Python's own language reference")
    train.add_argument("--out", metavar="DIR", type=Path, default=Path("runs/lm"), help="where checkpoint and pictures go")
    train.add_argument("--steps", type=_positive, default=2000, help="windows to train on")
    train.add_argument("--validate-every", type=_positive, default=100, metavar="N", help="steps between two validations")
    train.add_argument("--restart", action="store_true", help="forget an earlier run in DIR")
    for option in fields(Config):
        kind = int if isinstance(option.default, int) else float
        train.add_argument(f"--{option.name}", type=kind, default=option.default, help=_OPTIONS[option.name])

    write = lm.add_parser("sample", help="write text with a trained model", formatter_class=_Formatter)
    write.set_defaults(run=_sample)
    write.add_argument("--out", metavar="DIR", type=Path, default=Path("runs/lm"), help="where the run is")
    write.add_argument("--prompt", default="The ", help="how the text begins")
    write.add_argument("--length", type=_positive, default=500, help="characters to write")
    write.add_argument(
        "--temperature", type=float, nargs="+", default=[0.8], help="below 1: safer; above 1: wilder; 0: likeliest"
    )
    write.add_argument("--seed", type=int, default=0, help="of the random draws")
    add_commands(tasks)
    warm = tasks.add_parser(
        "warmup", help="compile every kernel now, so that no later run waits for one", formatter_class=_Formatter
    )
    warm.set_defaults(run=lambda given: warmup(given.jobs))
    warm.add_argument("--jobs", type=_positive, default=get_num_threads(), help="processes that compile")
    return parser


class _Formatter(argparse.ArgumentDefaultsHelpFormatter):
    """Defaults in the help, each option on its own line."""


_OPTIONS = {
    "embed": "length of a character's vector",
    "hidden": "LSTM units",
    "layers": "LSTM layers",
    "dropout": "share of values dropped in training",
    "batch": "parallel streams of text",
    "length": "time steps per window",
    "lr": "learning rate of Adam",
    "decay": "factor on the learning rate after each epoch",
    "clip": "largest joint norm of the gradients",
    "seed": "of weights and dropout",
}


def _positive(text: str) -> int:
    value = int(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"{value} is not positive")
    return value


# ---- lm train ----


def _train(arguments: argparse.Namespace) -> int:
    config = Config(**{option.name: getattr(arguments, option.name) for option in fields(Config)})
    _check(config)
    out: Path = arguments.out
    checkpoint = out / _CHECKPOINT
    trainer = Trainer(*split_text(load_text(arguments.text)), config)
    if checkpoint.exists() and not arguments.restart:
        trainer.resume(checkpoint)
        print(f"resuming {checkpoint} at step {trainer.step:,}")
    print(trainer.model)
    print(
        f"text: {arguments.text or 'the Python language reference (pydoc_data.topics)'}, "
        f"{len(trainer.numbers):,} characters to learn, {len(trainer.held_out):,} held out, {len(trainer.vocabulary)} distinct; "
        f"{trainer.windows:,} steps per epoch"
    )
    if trainer.step >= arguments.steps:
        print(f"already trained for {trainer.step:,} steps; --steps {2 * trainer.step} goes on, --restart begins anew")
        return 0
    with stop_on_sigint() as stopped:
        finished = _run(trainer, arguments, checkpoint, stopped)
    if not finished:
        print(f"stopped after step {trainer.step:,}, all saved in {checkpoint}: the same command goes on from there")
        return 130
    _report(trainer, out)
    return 0


def _check(config: Config) -> None:
    for name in ("embed", "hidden", "layers", "batch", "length"):
        if getattr(config, name) <= 0:
            raise ValueError(f"--{name} must be positive, got {getattr(config, name)}")
    if not 0 <= config.dropout < 1:
        raise ValueError(f"--dropout must lie in [0, 1), got {config.dropout}")


def _run(trainer: Trainer, arguments: argparse.Namespace, checkpoint: Path, stopped: list[int]) -> bool:
    """Train with a progress bar; the last step is recorded and drawn."""
    from tqdm import tqdm

    tokens = trainer.config.batch * trainer.config.length
    mean: float | None = None
    pace: float | None = None
    saved_at = len(trainer.history)
    bar = tqdm(total=arguments.steps, initial=trainer.step, unit="step", dynamic_ncols=True)

    def after(loss: float, seconds: float) -> bool:
        nonlocal mean, pace, saved_at
        mean = loss if mean is None else 0.95 * mean + 0.05 * loss
        pace = seconds if pace is None else 0.95 * pace + 0.05 * seconds
        validation = f"{trainer.history[-1][2]:.3f}" if trainer.history else "-"
        bar.set_postfix_str(f"loss {mean:.3f}, validation {validation}, {tokens / pace:,.0f} characters/s", refresh=False)
        bar.update()
        if len(trainer.history) > saved_at:
            trainer.save(checkpoint)
            saved_at = len(trainer.history)
        return bool(stopped)

    with bar:
        finished = trainer.run(arguments.steps - 1, arguments.validate_every, after)
        if finished and not stopped:
            start = time.perf_counter()
            loss, tape = trainer.recorded_step()
            after(loss, time.perf_counter() - start)
            trainer.validate()
    trainer.save(checkpoint)
    if not finished or stopped:
        return False
    _draw(tape, trainer, checkpoint.parent)
    return True


def _draw(tape: Any, trainer: Trainer, out: Path) -> None:
    from . import viz

    (out / "tape.txt").write_text(f"{tape}\n", encoding="utf-8")
    title = f"one training step: {len(tape):,} recorded operations, {trainer.config.length} time steps"
    for suffix in ("svg", "png"):
        viz.draw(tape, out / f"tape.{suffix}", title=title)


def _report(trainer: Trainer, out: Path) -> None:
    from .train.curves import draw_losses

    draw_losses(trainer.history, out / "loss.png", "character LSTM")
    step, training, validation = trainer.history[-1]
    print(f"step {int(step):,}: training {training:.3f}, validation {validation:.3f} nats per character "
          f"(perplexity {math.exp(validation):.2f})")  # fmt: skip
    known = set("The ") <= set(trainer.vocabulary.characters)
    prompt = "The " if known else trainer.vocabulary.decode(trainer.held_out[:10])
    lines = []
    for temperature in (0.5, 0.8, 1.1):
        numbers = sample(trainer.model, trainer.vocabulary.encode(prompt), 300, temperature, Generator(trainer.config.seed))
        lines.append(f"---- temperature {temperature} ----\n{prompt}{trainer.vocabulary.decode(numbers)}\n")
    (out / "sample.txt").write_text("\n".join(lines), encoding="utf-8")
    print("\n" + "\n".join(lines))
    for name, what in (
        (_CHECKPOINT, "the model"), ("sample.txt", "this text"), ("loss.png", "the loss curve"),
        ("tape.svg", "the tape of one training step (also tape.png)"), ("tape.txt", "the same tape as a listing"),
    ):  # fmt: skip
        print(f"  {out / name}: {what}")


# ---- lm sample ----


def _sample(arguments: argparse.Namespace) -> int:
    checkpoint = arguments.out / _CHECKPOINT
    if not checkpoint.exists():
        raise ValueError(f"there is no {checkpoint}; train first: tinygrad-notes lm train --out {arguments.out}")
    model, vocabulary, _ = Trainer.load_model(checkpoint)
    prompt = vocabulary.encode(arguments.prompt)
    for temperature in arguments.temperature:
        if len(arguments.temperature) > 1:
            print(f"---- temperature {temperature} ----")
        print(arguments.prompt, end="", flush=True)
        for number in sample(model, prompt, arguments.length, temperature, Generator(arguments.seed)):
            print(vocabulary.decode([number]), end="", flush=True)
        print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
