"""The benches' machinery: registry, runner, JSON, comparison, check, interruption. No time is asserted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent
pytest.importorskip("threadpoolctl")
sys.path.insert(0, str(ROOT))

from bench import check, compare, limits, machine, report, results, roofline, runner, timing, workloads  # noqa: E402
from bench.pools import Pools  # noqa: E402
from bench.workloads import Row, Spread, Workload  # noqa: E402

ENVIRONMENT = {k: v for k, v in os.environ.items() if k not in ("OPENBLAS_CORETYPE", machine.CLEARED)}


def tiny(**more: Any) -> Workload:
    a = np.ones(16, "f4")
    return Workload("tiny", "add", lambda: {"ours": lambda: a + a, "numpy": lambda: np.add(a, a)}, rounds=3, **more)


def row(name: str, ratio: float, noise: float = 0.01, ours: float = 10.0, **more: Any) -> Row:
    def around(x: float) -> Spread:
        return Spread(x, x * (1 - noise), x * (1 + noise), 5)

    sides = {"ours": around(ours), "torch": around(ours / ratio)}
    return Row("group", name, "µs", sides, bench="planted", peer="torch", ratio=around(ratio), **more)


def run_of(bench: Callable[[bool], workloads.Bench], **more: Any) -> runner.Run:
    run = runner.Run(Pools(), limits.Limits.unknown(), quick=True, **more)
    for _ in run.groups({"planted": bench}):
        pass
    return run


def bench_process(*arguments: str, environment: dict[str, str] | None = None, **more: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "bench", "--quick", *arguments]
    env = ENVIRONMENT | (environment or {})
    return subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)


# ---- one run ----


def test_a_workload_is_measured() -> None:
    run = run_of(lambda quick: iter_of(tiny(flops=16, bytes=192, column="16")))
    (found,) = run.rows
    assert found.bench == "planted"
    assert found.key == "planted / tiny / add / 16"
    assert set(found.sides) == {"ours", "numpy"}
    assert found.peer == "numpy"
    assert all(s.count == 3 and 0 < s.low <= s.median <= s.high for s in found.sides.values())
    assert found.ratio is not None
    assert found.ratio.low <= found.ratio.median <= found.ratio.high


def iter_of(*items: Workload | Row | None) -> workloads.Bench:
    for item in items:  # noqa: UP028 - `yield from` a tuple takes no answers
        yield item


def test_figures_are_divided_and_clocked_ones_are_taken() -> None:
    values = iter([5.0, 4.0, 9.0])
    work = Workload("g", "n", lambda: {"ours": lambda: next(values)}, unit="MB", per=2, clocked=True, rounds=3)
    assert run_of(lambda quick: iter_of(work)).rows[0].ours == Spread(2.5, 2.25, 3.5, 3)
    assert timing.row_of(Workload("g", "n", dict, unit="ms", per=4), {"ours": [2.0]}).ours.median == 500


def test_the_better_peer_counts() -> None:
    found = timing.row_of(Workload("g", "n", dict, unit="s"), {"ours": [4.0] * 3, "numpy": [8.0] * 3, "torch": [2.0] * 3})
    assert found.peer == "torch"
    assert found.ratio == Spread(2.0, 2.0, 2.0, 3)


def test_sides_that_disagree_fail_and_the_rest_goes_on() -> None:
    def differing() -> dict[str, Callable[[], Any]]:
        return {"ours": lambda: np.ones(3), "numpy": lambda: np.ones(3) + 0.1}

    with pytest.raises(timing.Differs, match=r"g, n: numpy differs from ours by 0\.1, more than 0\.001"):
        timing.measure(Workload("g", "n", differing), True, Pools())
    run = runner.Run(Pools(), limits.Limits.unknown(), quick=True)
    benches = {"bad": lambda quick: iter_of(Workload("g", "n", differing)), "good": lambda quick: iter_of(tiny())}
    assert [[r.name for r in group] for group in run.groups(benches)] == [["add"]]
    assert run.failed == {"bad": "Differs: g, n: numpy differs from ours by 0.1, more than 0.001"}


def test_the_filter_makes_no_data_and_means_need_all() -> None:
    def never() -> dict[str, Callable[[], Any]]:
        raise AssertionError("data of a workload that was not chosen")

    def both(quick: bool) -> workloads.Bench:
        rows = [(yield Workload("g", "left out", never)), (yield tiny())]
        assert quick
        assert rows[0] is None
        yield workloads.mean("mean", rows)

    assert [r.name for r in run_of(both, wanted="TINY: add").rows] == ["add"]


def test_the_mean_is_geometric() -> None:
    found = workloads.mean("mean", [row("a", 0.5), row("b", 2.0)])
    assert found is not None
    assert found.ratio is not None
    assert found.ratio.median == pytest.approx(1.0)
    assert found.note == "worst 2.00: b"


def test_benches_are_registered_once() -> None:
    assert {"eager", "depth", "imports", "team", "training", "memory", "primitives"} <= set(workloads.benches())
    with pytest.raises(ValueError, match="two benches are called eager"):
        workloads.bench("eager")(lambda quick: iter_of())


def test_every_primitive_is_measured_at_every_size() -> None:
    from bench.primitives import QUICK, primitives
    from tinygrad_notes.optable import TABLE

    found: dict[str, list[str]] = {}
    for work in walk(primitives(True)):
        found.setdefault(work.name, []).append(work.column)
    assert set(found) == {name for name, op in TABLE.items() if op.kind not in ("leaf", "literal")}
    assert all(len(columns) in (1, len(QUICK)) for columns in found.values())
    assert len(found["exp"]) == len(found["sum"]) == len(found["matmul"]) == len(QUICK)


def walk(bench: workloads.Bench) -> Iterator[Workload]:
    return (item for item in bench if isinstance(item, Workload))


def test_limits_are_least_times() -> None:
    roofs = limits.Limits({1: dict.fromkeys([*machine.CACHES, "memory"], 1e9)}, {1: 2e9}, {"float32": 1e10}, {})
    size = 2.0 * max(machine.CACHES.values())
    assert roofs.seconds(row("memory", 1, bytes=size, threads=1)) == pytest.approx(size / 2e9)
    assert roofs.seconds(row("cache", 1, bytes=1e4, threads=1)) == pytest.approx(1e-5)
    assert roofs.seconds(row("arithmetic", 1, bytes=8, flops=1e6, threads=1)) == pytest.approx(1e-4)
    assert roofs.seconds(row("neither", 1)) is None


# ---- tables and the picture ----


def test_tables_fit_and_are_coloured_on_terminals_only() -> None:
    lines = [row("first", 0.5, speed=True), row("second", 2.0, speed=True)]
    assert "\x1b" not in report.table(lines, coloured=False)
    assert "\x1b[32m     2.00\x1b[0m" in report.table(lines, coloured=True)
    assert "\x1b[31m     0.50\x1b[0m" in report.table(lines, coloured=True)
    matrix = report.table(
        [row("exp", r, column=c, limit=0.5) for r, c in ((0.5, "16"), (0.25, "32k"), (1, "1M"))], coloured=False
    )
    assert matrix.count("exp") == 1
    assert all(word in matrix for word in ("16", "32k", "1M", "0.50", "0.25", "1.00", "50 %"))
    assert max(len(line) for line in f"{matrix}\n{report.table(lines)}".splitlines()) <= 100


def test_the_roofline_is_drawn(tmp_path: Path) -> None:
    roofs = limits.Limits({2: {"L1": 1e11, "memory": 1e10}}, {2: 1e10}, {"float32": 1e11}, {"copy": "numpy"})
    rows = [row(f"op{i}", 1, ours=10.0 * 2**i, flops=1e6, bytes=1e6, label=f"op{i}") for i in range(5)]
    assert roofline.draw(tmp_path / "roofline.svg", rows, roofs, "a processor") == 5
    text = (tmp_path / "roofline.svg").read_text(encoding="utf-8")
    assert all(word in text for word in ("op0", "op4", "memory", "a processor"))
    assert roofline.draw(tmp_path / "none.svg", [row("no label", 1)], roofs, "") == 0
    assert not (tmp_path / "none.svg").exists()


# ---- the JSON file ----


def test_the_file_has_all_and_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "run.json"
    rows = [row("a", 0.5), row("b", 2.0, column="16", note="noted")]
    results.save(path, {"machine": {}, "interrupted": False}, rows)
    loaded = results.load(path)
    assert loaded["format"] == results.FORMAT
    assert results.rows_of(loaded) == {r.key: r for r in rows}
    assert [p.name for p in path.parent.iterdir()] == ["run.json"]
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(ValueError, match="no file that `make bench` wrote"):
        results.load(path)


@pytest.mark.slow
def test_a_run_from_the_command_line(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    process = bench_process("--filter", "import", "--json", str(path), environment={"OPENBLAS_CORETYPE": "Haswell"})
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    assert "OPENBLAS_CORETYPE=Haswell would fix numpy's BLAS kernel: cleared" in output
    result = results.load(path)
    assert {"machine", "limits", "quick", "filter", "interrupted", "failed", "others", "rows", "seconds"} <= set(result)
    assert result["interrupted"] is False
    assert result["quick"] is True
    about = result["machine"]
    assert {"processor", "cores", "features", "caches", "versions", "pools", "kernels", "environment"} <= set(about)
    assert {"python", "numpy", "numba", "llvmlite", "torch"} <= set(about["versions"])
    assert about["cleared"] == "OPENBLAS_CORETYPE=Haswell"
    assert "OPENBLAS_CORETYPE" not in about["environment"]
    assert {r.bench for r in results.rows_of(result).values()} == {"imports"}
    assert set(result["limits"]["peak"]) == {"float32", "float64"}


def test_a_filter_without_figures_fails(tmp_path: Path) -> None:
    process = bench_process("--filter", "no such thing", "--json", str(tmp_path / "run.json"))
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 2
    assert "nothing is called 'no such thing'; there are the benches imports, team" in output
    assert not (tmp_path / "run.json").exists()


@pytest.mark.slow
def test_interrupted_runs_leave_a_valid_file(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    process = bench_process("--filter", "eager", "--json", str(path), start_new_session=True)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("limits:"):
            break
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == 130, rest
    assert "stopped" in rest
    result = json.loads(path.read_text(encoding="utf-8"))
    assert result["interrupted"] is True
    assert result["machine"]["cores"]
    assert [p.name for p in tmp_path.iterdir()] == ["run.json"]
    results.rows_of(result)


# ---- two runs, and the stored ratios ----


def test_compare_finds_a_planted_change_and_ignores_noise(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ("same", "noisy", "worse", "better", "drift", "peer's bad day", "gone")
    old = [row(name, 1.0, noise=0.2 if name == "noisy" else 0.01) for name in names]
    new = [
        row("same", 1.03, ours=10.3), row("noisy", 1.4, noise=0.2, ours=14.0), row("worse", 1.3, ours=13.0),
        row("better", 0.7, ours=7.0), row("drift", 1.0, ours=20.0), row("peer's bad day", 0.5), row("new", 1),
    ]  # fmt: skip
    found = compare.changes({r.key: r for r in old}, {r.key: r for r in new})
    assert {c.new.name for c in found if c.real and c.factor > 1} == {"worse"}
    assert {c.new.name for c in found if c.real and c.factor < 1} == {"better"}
    assert len(found) == 6
    far = compare.changes({r.key: r for r in old}, {r.key: r for r in new}, one_machine=False)
    assert {c.new.name for c in far if c.real} == {"worse", "better", "peer's bad day"}
    paths = [str(tmp_path / name) for name in ("old.json", "new.json")]
    for path, rows, numpy in zip(paths, (old, new), ("2.1", "2.2"), strict=True):
        about = {"machine": {"versions": {"numpy": numpy}}, "interrupted": False}
        results.save(Path(path), about, rows)
    assert compare.main(paths) == 0
    text = capsys.readouterr().out
    assert "slower: 1\n    1.30×" in text
    assert "faster: 1\n    0.70×" in text
    assert "unchanged: 4" in text
    assert "only in the old run: 1 (planted / group / gone)" in text
    assert "differs: versions: numpy: 2.1 → 2.2" in text
    assert compare.main([paths[0], str(tmp_path / "none.json")]) == 2


def test_compare_takes_times_where_there_is_no_peer() -> None:
    alone = [Row("g", "n", "µs", {"ours": Spread(x, x * 0.99, x * 1.01, 5)}) for x in (10.0, 13.0)]
    (found,) = compare.changes({"k": alone[0]}, {"k": alone[1]})
    assert found.real
    assert found.factor == pytest.approx(1.3)


def test_check_fails_on_a_planted_regression(capsys: pytest.CaptureFixture[str]) -> None:
    stored = check.store([row("steady", 0.5), row("regressed", 0.5), row("noisy", 0.5, noise=0.1), row("no peer here", 0.5)])
    now = [row("steady", 0.55), row("regressed", 0.65), row("noisy", 0.65, noise=0.1), row("not stored", 9.0)]
    verdicts = check.judge(now, stored)
    assert {v.key.split(" / ")[-1]: v.fails for v in verdicts} == {"steady": False, "regressed": True, "noisy": False}
    assert check.show(verdicts, len(stored)) == 1
    assert "WORSE" in capsys.readouterr().out
    assert check.show([v for v in verdicts if not v.fails], len(stored)) == 0
    assert check.show([], len(stored)) == 2


def test_check_keeps_to_the_stored_peer() -> None:
    stored = {"planted / group / a": {"peer": "torch", "ratio": 0.5, "noise": 0.01}}
    now = row("a", 0.5)
    now.sides["numpy"], now.peer, now.ratio = Spread(2.0, 2.0, 2.0, 5), "numpy", Spread(5.0, 5.0, 5.0, 5)
    assert [v.ratio for v in check.judge([now], stored)] == [0.5]


def test_the_stored_ratios_are_those_of_the_chosen_benches() -> None:
    stored = json.loads(check.STORED.read_text(encoding="utf-8"))
    assert all(set(entry) == {"peer", "ratio", "noise"} and entry["ratio"] > 0 for entry in stored.values())
    benches = {key.split(" / ")[0] for key in stored}
    assert {"eager", "memory", "primitives"} <= benches <= {name for name, _ in check.CHOSEN}
