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
from tinygrad_notes.data.text import Vocabulary, load_text, split_text, stream_batches, stream_count
from tinygrad_notes.functions.generator import Generator
from tinygrad_notes.models.char_lm import sample
from tinygrad_notes.train.language_model import Config, Trainer

SMALL = Config(embed=6, hidden=10, layers=2, dropout=0.2, batch=4, length=8)
TEXT = ("the cat sat on the mat and the dog sat on the log. " * 40)[:1800]
OPTIONS = ["--embed", "6", "--hidden", "10", "--batch", "4", "--length", "8", "--validate-every", "5"]


def weights(trainer: Trainer) -> bytes:
    return b"".join(q.detach().numpy().tobytes() for q in trainer.model.parameters())


def test_windows_continue_each_other_and_targets_are_one_ahead() -> None:
    numbers = np.arange(103)
    windows = list(stream_batches(numbers, 4, 8))
    assert len(windows) == stream_count(numbers, 4, 8) == 3
    for x, y in windows:
        assert x.shape == y.shape == (8, 4)
        np.testing.assert_array_equal(x + 1, y)
    np.testing.assert_array_equal(windows[0][0][-1] + 1, windows[1][0][0])
    np.testing.assert_array_equal(next(iter(stream_batches(numbers, 4, 8, start=2)))[0], windows[2][0])


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
    trainer = Trainer(*split_text(TEXT), Config(embed=16, hidden=48, batch=4, length=16, dropout=0.0, lr=1e-2))
    first = trainer.validate()
    trainer.run(120, 1000, lambda loss, seconds: False)
    assert first == pytest.approx(np.log(len(trainer.vocabulary)), abs=0.3)
    assert trainer.validate() < 0.8, "two sentences over and over are soon known"


@pytest.mark.parametrize("stop_at", [3, 13, 14])
def test_resume_is_bit_for_bit(stop_at: int, tmp_path: Path) -> None:
    """Stopped within, at the end of and after an epoch; dropout, carried state, moments, schedule and history go on."""
    whole = Trainer(*split_text(TEXT), SMALL)
    assert stop_at <= 2 * whole.windows
    whole.run(30, 7, lambda loss, seconds: False)

    part = Trainer(*split_text(TEXT), SMALL)
    finished = part.run(30, 7, lambda loss, seconds: part.step == stop_at)
    assert not finished
    part.save(tmp_path / "c")
    tn.manual_seed(999)
    rest = Trainer(*split_text(TEXT), SMALL)
    rest.resume(tmp_path / "c")
    assert rest.step == stop_at
    assert rest.run(30, 7, lambda loss, seconds: False)
    assert weights(rest) == weights(whole)
    assert rest.history == whole.history


def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    trainer = Trainer(*split_text(TEXT), SMALL)
    trainer.save(tmp_path / "c")
    with pytest.raises(ValueError, match="hidden: 10 there, 12 now"):
        Trainer(*split_text(TEXT), Config(**{**SMALL.__dict__, "hidden": 12})).resume(tmp_path / "c")
    with pytest.raises(ValueError, match="another text"):
        Trainer(*split_text(TEXT[::-1]), SMALL).resume(tmp_path / "c")


def test_sampling_follows_the_temperature() -> None:
    trainer = Trainer(*split_text(TEXT), SMALL)
    prompt = trainer.vocabulary.encode("the ")

    def draw(temperature: float, seed: int) -> list[int]:
        return list(sample(trainer.model, prompt, 40, temperature, Generator(seed)))

    assert draw(0, 1) == draw(0, 2), "0 takes the likeliest"
    assert draw(1.0, 1) == draw(1.0, 1)
    assert draw(1.0, 1) != draw(1.0, 2)
    assert len(set(draw(5.0, 1))) > len(set(draw(0, 1)))
    assert trainer.model.training, "the mode is put back"
    with pytest.raises(ValueError, match="at least one"):
        next(sample(trainer.model, [], 1))
    with pytest.raises(ValueError, match="temperature"):
        next(sample(trainer.model, prompt, 1, -1.0))


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
    stopped_at = tn.load(checkpoint)["step"]
    assert 0 < stopped_at < 600
    subprocess.run(command("a"), check=True, capture_output=True)
    subprocess.run(command("b"), check=True, capture_output=True)
    a, b = (tn.load(tmp_path / out / "checkpoint.safetensors") for out in "ab")
    assert a["step"] == b["step"] == 600
    for part in ("model",):
        assert {k: v.tolist() for k, v in a[part].items()} == {k: v.tolist() for k, v in b[part].items()}
    assert (tmp_path / "a" / "sample.txt").read_bytes() == (tmp_path / "b" / "sample.txt").read_bytes()
