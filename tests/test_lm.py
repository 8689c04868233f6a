"""The main job in small: training, Ctrl-C, exact resume, sampling, the command line and what it says to bad input."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.cli import main
from tinygrad_notes.data.text import Streams, Vocabulary, load_text, split_text
from tinygrad_notes.functions.generator import Generator
from tinygrad_notes.models.char_lm import sample
from tinygrad_notes.train.callbacks import Validate
from tinygrad_notes.train.fit import Callback, Fit
from tinygrad_notes.train.language_model import Config, digest, load_model, make_run
from tinygrad_notes.train.task import Save, StopWhen, resume

SMALL = Config(embed=6, hidden=10, layers=2, dropout=0.2, batch=4, length=8)
TEXT = ("the cat sat on the mat and the dog sat on the log. " * 40)[:1800]
OPTIONS = ["--embed", "6", "--hidden", "10", "--batch", "4", "--length", "8", "--validate-every", "5"]


def weights(run: Fit) -> bytes:
    return b"".join(q.detach().numpy().tobytes() for q in run.model.parameters())


class StopAt(Callback):
    def __init__(self, step: int) -> None:
        self.step = step

    def after_batch(self, run: Fit) -> None:
        if run.step == self.step:
            run.stop()


def make(stop_at: int = -1, every: int = 7) -> tuple[Fit, Validate]:
    run, _, watch = make_run(SMALL, *split_text(TEXT), every)
    run.callbacks.append(StopAt(stop_at))
    return run, watch


def test_windows_continue_each_other_and_targets_are_one_ahead() -> None:
    numbers = np.arange(103)
    streams = Streams(numbers, 4, 8)
    windows = [(x.numpy(), y.numpy()) for x, y in streams]
    assert len(windows) == len(streams) == 3
    for x, y in windows:
        assert x.shape == y.shape == (8, 4)
        np.testing.assert_array_equal(x + 1, y)
    np.testing.assert_array_equal(windows[0][0][-1] + 1, windows[1][0][0])


@pytest.mark.parametrize("given", [1, 2, 3])
def test_a_walk_through_streams_is_taken_up(given: int) -> None:
    """Also after its last window: there the rest is empty, and the walk after it whole."""
    streams, other = Streams(np.arange(103), 4, 8), Streams(np.arange(103), 4, 8)
    whole = [x.tolist() for x, _ in streams]
    walk = iter(streams)
    for _ in range(given):
        next(walk)
    assert len(list(streams)) == 3, "a walk that was left does not shorten the next one"
    walk = iter(streams)
    for _ in range(given):
        next(walk)
    other.load_state_dict(streams.state_dict())
    assert [x.tolist() for x, _ in other] == whole[given:]
    assert [x.tolist() for x, _ in other] == whole


def test_a_run_goes_on_after_an_interruption() -> None:
    class Interrupt(Callback):
        def before_update(self, run: Fit) -> None:
            if run.step == 10 and not run.stopped:
                run.stop()
                raise KeyboardInterrupt

    run, _ = make()
    run.callbacks.append(Interrupt())
    with pytest.raises(KeyboardInterrupt):
        run.run(1)
    run.callbacks.pop()
    run.run(1)
    assert run.epoch == 1


def test_vocabulary_and_default_text() -> None:
    text = load_text()
    assert len(text) > 300_000, "CPython's language reference"
    vocabulary = Vocabulary(text)
    assert vocabulary.decode(vocabulary.encode(text[:500])) == text[:500]
    with pytest.raises(ValueError, match=r"'\\u2603'|'☃'"):
        vocabulary.encode("snow ☃")
    left, right = split_text("x" * 90 + "y" * 10)
    assert (left, right) == ("x" * 90, "y" * 10)


def test_it_learns() -> None:
    config = Config(embed=16, hidden=48, batch=4, length=16, dropout=0.0, lr=1e-2)
    run, vocabulary, watch = make_run(config, *split_text(TEXT), every=1000)
    first = run.evaluate(watch.data)["validation loss"]
    run.run(1000, steps=120)
    assert run.step == 120
    assert first == pytest.approx(np.log(len(vocabulary)), abs=0.3)
    (row,) = watch.rows
    assert row["step"] == 120
    assert row["validation loss"] < 0.8, "two sentences over and over are soon known"


def test_it_is_the_loop_that_one_would_write() -> None:
    run, _ = make()
    run.run(3)
    config, (text, held_out) = SMALL, split_text(TEXT)
    streams = Streams(Vocabulary(text + held_out).encode(text), config.batch, config.length)
    tn.manual_seed(config.seed)
    model = tn.models.char_lm.CharLM(len(set(TEXT)), config.embed, config.hidden, config.layers, config.dropout)
    optimizer = tn.optim.Adam(model.parameters(), lr=config.lr)
    for epoch in range(3):
        state = None
        for group in optimizer.param_groups:
            group["lr"] = config.lr * config.decay**epoch
        for x, y in streams:
            optimizer.zero_grad()
            logits, state = model(x, state)
            tn.nn.functional.cross_entropy(logits.flatten(0, 1), y.flatten()).backward()
            tn.nn.utils.clip_grad_norm_(model.parameters(), config.clip)
            optimizer.step()
            state = (state[0].detach(), state[1].detach())
    assert weights(run) == b"".join(q.detach().numpy().tobytes() for q in model.parameters())


@pytest.mark.parametrize("stop_at", [3, 49, 50, 51])
def test_resume_is_bit_for_bit(stop_at: int, tmp_path: Path) -> None:
    """Stopped within, at the end of and after an epoch; dropout, carried state, moments, schedule and history go on."""
    whole, whole_watch = make()
    assert len(whole.data) == 50
    whole.run(9, steps=60)
    part, _ = make(stop_at)
    part.run(9, steps=60)
    assert part.step == stop_at
    assert not part.complete
    part.save(tmp_path / "c")
    tn.manual_seed(999)
    rest, rest_watch = make()
    rest.resume(tmp_path / "c")
    assert rest.step == stop_at
    rest.run(9, steps=60)
    assert weights(rest) == weights(whole)
    assert rest.history == whole.history
    assert rest_watch.rows == whole_watch.rows
    assert [row["step"] for row in whole.history] == [50]
    assert [row["step"] for row in whole_watch.rows] == [*range(7, 60, 7), 60]


def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    def saved(config: Config, text: str) -> tuple[Fit, Config]:
        config = Config(**{**config.__dict__, "data": digest(text)})
        run, vocabulary, _ = make_run(config, *split_text(text))
        run.callbacks += [StopWhen([1]), Save(tmp_path / "c", config, characters=vocabulary.characters)]
        return run, config

    run, _ = saved(SMALL, TEXT)
    run.run(1)
    assert run.step == 1
    resume(*saved(SMALL, TEXT), tmp_path / "c")
    with pytest.raises(ValueError, match="hidden: 10 there, 12 now"):
        resume(*saved(Config(**{**SMALL.__dict__, "hidden": 12}), TEXT), tmp_path / "c")
    with pytest.raises(ValueError, match=r"belongs to another run \(other data\)"):
        resume(*saved(SMALL, TEXT[::-1]), tmp_path / "c")
    model, vocabulary = load_model(tmp_path / "c")
    assert [q.tolist() for q in model.parameters()] == [q.tolist() for q in run.model.parameters()]
    assert vocabulary.characters == "".join(sorted(set(TEXT)))


def test_sampling_follows_the_temperature() -> None:
    run, vocabulary, _ = make_run(SMALL, *split_text(TEXT))
    prompt = vocabulary.encode("the ")

    def draw(temperature: float, seed: int) -> list[int]:
        return list(sample(run.model, prompt, 40, temperature, Generator(seed)))

    assert draw(0, 1) == draw(0, 2), "0 takes the likeliest"
    assert draw(1.0, 1) == draw(1.0, 1)
    assert draw(1.0, 1) != draw(1.0, 2)
    assert len(set(draw(5.0, 1))) > len(set(draw(0, 1)))
    assert run.model.training, "the mode is put back"
    with pytest.raises(ValueError, match="at least one"):
        next(sample(run.model, [], 1))
    with pytest.raises(ValueError, match="temperature"):
        next(sample(run.model, prompt, 1, -1.0))


@pytest.fixture
def text_file(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_the_command_trains_draws_and_samples(text_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    command = ["lm", "train", "--text", str(text_file), "--out", str(out), "--steps", "12", *OPTIONS]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "validation" in said
    assert "---- temperature 0.5 ----" in said
    assert (out / "tape.svg").read_text(encoding="utf-8").count("<svg") == 1
    for name in ("tape.png", "loss.png"):
        assert (out / name).read_bytes().startswith(b"\x89PNG")
    assert "lm" in (out / "tape.txt").read_text(encoding="utf-8")
    assert main(command) == 0
    assert "already trained for 12 steps" in capsys.readouterr().out
    assert main([*command, "--steps", "14"]) == 0
    assert "at step 12" in capsys.readouterr().out
    assert main(["lm", "sample", "--out", str(out), "--prompt", "the ", "--length", "30", "--temperature", "0", "1"]) == 0
    written = capsys.readouterr().out
    assert written.startswith("---- temperature 0.0 ----\nthe ")


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["--text", "nowhere.txt"], "nowhere.txt"),
        (["--hidden", "0"], "--hidden must be positive"),
        (["--dropout", "1"], r"--dropout must lie in \[0, 1\)"),
        (["--batch", "4000"], "too short"),
        (["--lr", "-1"], "lr must lie in"),
    ],
)
def test_bad_input_is_one_line(arguments: list[str], match: str, text_file: Path, tmp_path: Path, capsys) -> None:
    given = [] if "--text" in arguments else ["--text", str(text_file)]
    assert main(["lm", "train", *given, "--out", str(tmp_path / "r"), "--steps", "2", *OPTIONS, *arguments]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert __import__("re").search(match, error), error
    assert not (tmp_path / "r").exists()


def test_sampling_without_a_model_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lm", "sample", "--out", str(tmp_path)]) == 2
    assert "tinygrad-notes lm train" in capsys.readouterr().err


def test_binary_text_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "b").write_bytes(b"\xff\xfe\x00" * 10)
    assert main(["lm", "train", "--text", str(tmp_path / "b"), "--out", str(tmp_path / "r")]) == 2
    assert "UTF-8" in capsys.readouterr().err


def test_a_run_that_breaks_off_goes_on_from_its_last_validation(
    text_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def command(out: str) -> list[str]:
        return ["lm", "train", "--text", str(text_file), "--out", str(tmp_path / out), "--steps", "12", *OPTIONS]

    class Breaks(Validate):
        def after_batch(self, run: Fit) -> None:
            super().after_batch(run)
            if run.step == 8:
                raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("tinygrad_notes.train.language_model.Validate", Breaks)
        assert main(command("a")) == 130
    assert tn.load(tmp_path / "a" / "checkpoint.safetensors")["run"]["step"] == 5
    assert main(command("a")) == main(command("b")) == 0
    assert "at step 5" in capsys.readouterr().out
    a, b = (tn.load(tmp_path / out / "checkpoint.safetensors")["run"] for out in "ab")
    assert {k: v.tolist() for k, v in a["model"].items()} == {k: v.tolist() for k, v in b["model"].items()}


def test_a_checkpoint_of_another_task_has_no_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tn.save({"config": {"shift": 1}}, tmp_path / "checkpoint.safetensors")
    assert main(["lm", "sample", "--out", str(tmp_path)]) == 2
    assert "another task or version" in capsys.readouterr().err


@pytest.mark.slow
def test_ctrl_c_saves_and_the_second_call_ends_where_an_uninterrupted_run_does(text_file: Path, tmp_path: Path) -> None:
    def command(out: str) -> list[str]:
        return [
            sys.executable, "-m", "tinygrad_notes.cli", "lm", "train", "--text", str(text_file), "--out", str(tmp_path / out),
            "--steps", "600", *OPTIONS,
        ]  # fmt: skip

    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(command("a"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    checkpoint = tmp_path / "a" / "checkpoint.safetensors"
    deadline = time.monotonic() + 60
    while not checkpoint.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert b"the same command goes on" in out
    stopped_at = tn.load(checkpoint)["run"]["step"]
    assert 0 < stopped_at < 600
    subprocess.run(command("a"), check=True, capture_output=True)
    subprocess.run(command("b"), check=True, capture_output=True)
    a, b = (tn.load(tmp_path / out / "checkpoint.safetensors")["run"] for out in "ab")
    assert a["step"] == b["step"] == 600
    for part in ("model",):
        assert {k: v.tolist() for k, v in a[part].items()} == {k: v.tolist() for k, v in b[part].items()}
    assert (tmp_path / "a" / "sample.txt").read_bytes() == (tmp_path / "b" / "sample.txt").read_bytes()
