"""The command line: ``tinygrad-notes lm train``, ``lm sample``, ``tabular``, ``digits`` and ``warmup``."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path

from .data.text import Vocabulary, load_text, split_text
from .functions.generator import Generator
from .kernels.team import get_num_threads
from .models.char_lm import CharLM, sample
from .tape import Tape
from .train.callbacks import Progress, Record, Validate
from .train.commands import add_commands, stop_on_sigint
from .train.curves import draw_history
from .train.fit import Fit
from .train.language_model import Config, digest, load_model, make_run
from .train.task import CHECKPOINT, Save, StopWhen, resume
from .warmup import warmup

__all__ = ["main"]


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
    for name, what in _OPTIONS.items():
        default = getattr(Config, name)
        train.add_argument(f"--{name}", type=int if isinstance(default, int) else float, default=default, help=what)

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


class _Bar(Progress):
    """Beside the loss the last validation, and the pace."""

    def __init__(self, watch: Validate, characters: int) -> None:
        super().__init__()
        self.watch, self.characters = watch, characters

    def shown(self, run: Fit) -> dict[str, str]:
        validation = f"{self.watch.rows[-1]['validation loss']:.3f}" if self.watch.rows else "-"
        return {"validation": validation, "characters/s": f"{(self.rate or 0) * self.characters:,.0f}"}


def _train(arguments: argparse.Namespace) -> int:
    text, held_out = split_text(load_text(arguments.text))
    config = Config(**{name: getattr(arguments, name) for name in _OPTIONS}, data=digest(text + held_out))
    _check(config)
    out: Path = arguments.out
    checkpoint = out / CHECKPOINT
    run, vocabulary, watch = make_run(config, text, held_out, arguments.validate_every)
    last = Record(arguments.steps)
    stopped: list[int] = []
    bar = _Bar(watch, config.batch * config.length)
    save = Save(checkpoint, config, arguments.validate_every, characters=vocabulary.characters)
    run.callbacks = [last, *run.callbacks, StopWhen(stopped), bar, save]
    if checkpoint.exists() and not arguments.restart:
        resume(run, config, checkpoint)
        print(f"resuming {checkpoint} at step {run.step:,}")
    print(run.model)
    print(
        f"text: {arguments.text or 'the Python language reference (pydoc_data.topics)'}, "
        f"{len(text):,} characters to learn, {len(held_out):,} held out, {len(vocabulary)} distinct; "
        f"{len(run.data):,} steps per epoch"
    )
    if run.step >= arguments.steps:
        print(f"already trained for {run.step:,} steps; --steps {2 * run.step} goes on, --restart begins anew")
        return 0
    with stop_on_sigint(stopped):
        run.run(math.ceil(arguments.steps / len(run.data)), arguments.steps)
    if not run.complete:
        print(f"stopped after step {run.step:,}, all saved in {checkpoint}: the same command goes on from there")
        return 130
    assert last.tape is not None
    _draw(last.tape, config, out)
    _report(run, watch, vocabulary, held_out, config, out)
    return 0


def _check(config: Config) -> None:
    for name in ("embed", "hidden", "layers", "batch", "length"):
        if getattr(config, name) <= 0:
            raise ValueError(f"--{name} must be positive, got {getattr(config, name)}")
    if not 0 <= config.dropout < 1:
        raise ValueError(f"--dropout must lie in [0, 1), got {config.dropout}")


def _draw(tape: Tape, config: Config, out: Path) -> None:
    from . import viz

    (out / "tape.txt").write_text(f"{tape}\n", encoding="utf-8")
    title = f"one training step: {len(tape):,} recorded operations, {config.length} time steps"
    for suffix in ("svg", "png"):
        viz.draw(tape, out / f"tape.{suffix}", title=title)


def _report(run: Fit, watch: Validate, vocabulary: Vocabulary, held_out: str, config: Config, out: Path) -> None:
    best = min(row["validation loss"] for row in watch.rows)
    title = f"character LSTM: best validation {best:.3f} nats (perplexity {math.exp(best):.2f})"
    draw_history(watch.rows, out / "loss.png", title)
    row = watch.rows[-1]
    print(f"step {row['step']:,}: training {row['loss']:.3f}, validation {row['validation loss']:.3f} nats per character "
          f"(perplexity {math.exp(row['validation loss']):.2f})")  # fmt: skip
    known = set("The ") <= set(vocabulary.characters)
    prompt = "The " if known else held_out[:10]
    lines, model = [], run.model
    assert isinstance(model, CharLM)
    for temperature in (0.5, 0.8, 1.1):
        numbers = sample(model, vocabulary.encode(prompt), 300, temperature, Generator(config.seed))
        lines.append(f"---- temperature {temperature} ----\n{prompt}{vocabulary.decode(numbers)}\n")
    (out / "sample.txt").write_text("\n".join(lines), encoding="utf-8")
    print("\n" + "\n".join(lines))
    for name, what in (
        (CHECKPOINT, "the model"), ("sample.txt", "this text"), ("loss.png", "the loss curve"),
        ("tape.svg", "the tape of one training step (also tape.png)"), ("tape.txt", "the same tape as a listing"),
    ):  # fmt: skip
        print(f"  {out / name}: {what}")


# ---- lm sample ----


def _sample(arguments: argparse.Namespace) -> int:
    checkpoint = arguments.out / CHECKPOINT
    if not checkpoint.exists():
        raise ValueError(f"there is no {checkpoint}; train first: tinygrad-notes lm train --out {arguments.out}")
    model, vocabulary = load_model(checkpoint)
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
