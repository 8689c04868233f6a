"""The tasks `tabular` and `digits` in small: what they print, write and resume, and what they say to bad input."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn")

import tinygrad_notes as tn
from tinygrad_notes.cli import main
from tinygrad_notes.models.tabular_lstm import TabularLSTM
from tinygrad_notes.train import commands, digits, tabular
from tinygrad_notes.train.task import table

SMALL = ["--examples", "300", "--features", "6", "--positives", "0.3", "--hidden", "8", "--epochs", "2"]


@pytest.fixture
def csv_file(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 3))
    path = tmp_path / "cards.csv"
    lines = ["Time,V1,V2,Class", *(f"{i},{a},{b},{int(a + b > 0.8)}" for i, (_, a, b) in enumerate(x))]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_the_tabular_task(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    assert main(["tabular", "--out", str(out), *SMALL]) == 0
    said = capsys.readouterr().out
    assert "300 rows of 6 features" in said
    assert "the last 60 rows are held out" in said
    assert re.search(r"epoch +loss +validation loss +F1 macro +accuracy +recall +precision\n +1 ", said)
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert results["task"] == "tabular"
    assert results["config"]["hidden"] == 8
    rows = results["history"]
    assert [row["epoch"] for row in rows] == [1, 2]
    assert {"F1 macro", "accuracy", "recall", "precision"} <= set(rows[0])
    assert sorted(p.name for p in out.iterdir()) == ["checkpoint.safetensors", "gradients.png", "history.png", "results.json"]
    assert main(["tabular", "--out", str(out), *SMALL[:-1], "3"]) == 0
    longer = json.loads((out / "results.json").read_text(encoding="utf-8"))["history"]
    assert longer[:2] == rows
    fresh = tmp_path / "fresh"
    assert main(["tabular", "--out", str(fresh), *SMALL[:-1], "3"]) == 0
    assert json.loads((fresh / "results.json").read_text(encoding="utf-8"))["history"] == longer, "resumed is uninterrupted"
    capsys.readouterr()
    assert main(["tabular", "--out", str(out), *SMALL, "--hidden", "9"]) == 2
    assert "hidden: 8 there, 9 now" in capsys.readouterr().err
    assert main(["tabular", "--out", str(out), *SMALL, "--hidden", "9", "--restart"]) == 0


def test_stopping_saves_and_the_next_call_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    whole, part = tmp_path / "whole", tmp_path / "part"
    assert main(["tabular", "--out", str(whole), *SMALL]) == 0
    real = commands.run_task

    def interrupted(run, config, out, restart, stopped):
        run.callbacks.append(StopIn(run, stopped))
        return real(run, config, out, restart, stopped)

    class StopIn(tn.train.Callback):
        def __init__(self, run, stopped: list[int]) -> None:
            self.stopped = stopped

        def after_update(self, run) -> None:
            if run.step == 9:
                self.stopped.append(2)

    monkeypatch.setattr(commands, "run_task", interrupted)
    assert main(["tabular", "--out", str(part), *SMALL]) == 130
    assert "stopped in epoch 2, all saved in" in capsys.readouterr().out
    assert not (part / "results.json").exists()
    assert tn.load(part / "checkpoint.safetensors")["run"]["step"] == 9
    assert main(["tabular", "--out", str(part), *SMALL]) == 0
    assert (part / "results.json").read_bytes() == (whole / "results.json").read_bytes()


def test_metrics_are_those_of_scikit_learn() -> None:
    config = tabular.Config(300, 6, 0.3, hidden=4, epochs=1)
    x, y = tabular.generated(config)
    assert x.shape == (300, 6)
    assert 0.25 < y.mean() < 0.35
    run, held = tabular.make_run(config, x, y)
    train = run.data.dataset.tensors
    assert (len(train[0]), len(held)) == (240, 60)
    np.testing.assert_array_equal(held.tensors[1].numpy(), y[240:], "the split is not shuffled")
    np.testing.assert_allclose(train[0].mean(0).numpy(), 0, atol=1e-5)
    row = run.run(1)[0]
    with tn.no_grad():
        guessed = run.model.eval()(held.tensors[0]).numpy() > 0
    real = y[240:] == 1
    hits, wrong, missed = (guessed & real).sum(), (guessed & ~real).sum(), (~guessed & real).sum()
    f1 = [2 * h / max(2 * h + w + m, 1) for h, w, m in ((hits, wrong, missed), ((~guessed & ~real).sum(), missed, wrong))]
    assert row["accuracy"] == pytest.approx((guessed == real).mean())
    assert row["recall"] == pytest.approx(hits / max(hits + missed, 1))
    assert row["precision"] == pytest.approx(hits / max(hits + wrong, 1))
    assert row["F1 macro"] == pytest.approx(np.mean(f1))


def test_features_are_read_as_steps() -> None:
    model = TabularLSTM(5, dtype="float64")
    x = tn.randn(3, 4, dtype="float64")
    _, (h, _) = model.lstm(x.T.reshape(4, 3, 1))
    np.testing.assert_allclose(model(x).detach().numpy(), model.head(h[0])[:, 0].detach().numpy())


def test_a_table_of_ones_own(csv_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    x, y = tabular.read_csv(csv_file, dropped=("Time",))
    assert x.shape == (120, 2)
    assert y.tolist() == (x.sum(1) > 0.8).astype(int).tolist()
    out = tmp_path / "run"
    command = ["tabular", "--csv", str(csv_file), "--drop", "Time", "--out", str(out), "--hidden", "4", "--epochs", "1"]
    assert main(command) == 0
    assert "120 rows of 2 features" in capsys.readouterr().out
    csv_file.write_text(csv_file.read_text(encoding="utf-8").replace(".1", ".2", 1), encoding="utf-8")
    assert main(command) == 2
    assert "(other data)" in capsys.readouterr().err


def spoiled(old: str, new: str) -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")

    return spoil


@pytest.mark.parametrize(
    ("arguments", "spoil", "match"),
    [
        (["--target", "Fraud"], None, "has no column Fraud; it has Time, V1, V2, Class"),
        (["--drop", "V9"], None, "has no column V9"),
        ([], spoiled("\n1,", "\nx,"), "line 3: could not convert string to float: 'x'"),
        ([], spoiled("\n1,", "\n1,1,"), "line 3: 5 cells, but the header has 4"),
        ([], spoiled("\n1,", "\nnan,"), "all finite"),
        (["--target", "V1"], None, "the column V1 must hold 0 and 1 only, it holds"),
        (["--csv", "nowhere.csv"], None, "nowhere.csv"),
        (["--held_out", "1.5"], None, r"--held_out must lie in \(0, 1\)"),
        (["--held_out", "0.008"], None, "hold one class only"),
        (["--hidden", "0"], None, "--hidden must be positive, got 0"),
    ],
)
def test_bad_tables_are_refused_in_one_line(arguments, spoil, match, csv_file: Path, tmp_path: Path, capsys) -> None:
    if spoil:
        spoil(csv_file)
    given = [] if "--csv" in arguments else ["--csv", str(csv_file)]
    assert main(["tabular", *given, "--out", str(tmp_path / "r"), "--epochs", "1", "--hidden", "2", *arguments]) == 2
    error = capsys.readouterr().err
    assert re.search(match, error), error
    assert error.count("\n") == 1
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize(
    ("command", "match"),
    [
        (["tabular", "--positives", "0"], r"--positives in \(0, 1\)"),
        (["tabular", "--target", "Class"], "give --csv too"),
        (["digits", "--shift", "9"], r"--shift must lie in \[0, 8\), got 9"),
        (["digits", "--batch", "0"], "--batch must be positive"),
        (["digits", "--dropout", "2"], "must lie in"),
    ],
)
def test_bad_options_are_refused_in_one_line(command: list[str], match: str, tmp_path: Path, capsys) -> None:
    assert main([*command, "--out", str(tmp_path / "r")]) == 2
    assert re.search(match, capsys.readouterr().err)
    assert not (tmp_path / "r").exists()


def test_another_tasks_checkpoint_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tn.save({"config": {"a": 1}}, tmp_path / "checkpoint.safetensors")
    assert main(["tabular", "--out", str(tmp_path), *SMALL]) == 2
    assert "another task or version" in capsys.readouterr().err


def test_the_digits_task(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    assert main(["digits", "--out", str(out), "--epochs", "1"]) == 0
    said = capsys.readouterr().out
    assert "1,437 images of 8 x 8 to learn, 360 held out" in said
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    counts = np.array(results["confusion"])
    assert counts.shape == (10, 10)
    assert counts.sum() == 360
    assert results["accuracy"] == pytest.approx(counts.trace() / 360)
    assert results["accuracy"] == pytest.approx(results["history"][-1]["accuracy"])
    assert results["accuracy"] > 0.5
    assert (out / "confusion.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_digits_are_known() -> None:
    config = digits.Config()
    run, held = digits.make_run(config)
    run.run(config.epochs)
    counts = digits.confusion(run, held)
    assert counts.trace() / counts.sum() >= 0.98


def test_tables_are_aligned() -> None:
    assert table([{"epoch": 1, "loss": 0.25}, {"epoch": 10, "loss": 12.0}]) == (
        "epoch     loss\n    1   0.2500\n   10  12.0000"
    )
