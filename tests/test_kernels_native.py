"""Kernels become native code once, are kept safely, and come back without Numba."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tinygrad_notes.kernels import native

pytestmark = pytest.mark.skipif(not native.available(), reason="no kernels on this machine, or switched off")

RUN = """
import sys, struct
from tinygrad_notes.kernels import native, team
compiled = []
compile = native._Machine._compile
native._Machine._compile = lambda *a: compiled.append(a[1:3]) or compile(*a)
team.runner()(struct.pack("4q", team.memory(), native.address("team", "barriers"), 10**9, 3))
print(len(compiled), "numba" in sys.modules)
"""


def fresh(cache: Path, where: Path | None = None) -> str:
    """What RUN prints in a process of its own: how many kernels it compiled, whether it needed Numba. where: of the package."""
    environment = {**os.environ, "TINYGRAD_NOTES_CACHE": str(cache)}
    done = subprocess.run([sys.executable, "-c", RUN], env=environment, cwd=where, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that one process has filled. Copied, not shared: the tests spoil it."""
    cache = tmp_path_factory.mktemp("cache")
    assert fresh(cache) == "4 True"
    return cache


def objects(cache: Path) -> list[Path]:
    return sorted(cache.rglob("*.o"))


def test_a_warm_start_compiles_nothing_and_imports_no_numba(warm: Path) -> None:
    assert len(objects(warm)) == 4
    assert fresh(warm) == "0 False"


def test_the_cache_is_the_users_alone(warm: Path) -> None:
    for folder in {path.parent for path in objects(warm)}:
        assert folder.stat().st_mode & 0o777 == 0o700
        assert folder.parent.stat().st_mode & 0o022 == 0


def test_a_folder_that_others_can_write_is_not_trusted(warm: Path, tmp_path: Path) -> None:
    cache = Path(shutil.copytree(warm, tmp_path / "cache"))
    objects(cache)[0].parent.chmod(0o777)
    assert fresh(cache) == "4 True"


def test_damaged_files_are_compiled_again(warm: Path, tmp_path: Path) -> None:
    cache = Path(shutil.copytree(warm, tmp_path / "cache"))
    first, second, *_ = objects(cache)
    first.write_bytes(first.read_bytes()[:-7])
    second.write_bytes(b"")
    assert fresh(cache) == "2 True"
    assert fresh(cache) == "0 False"


def test_a_cache_that_cannot_be_made_costs_only_time(tmp_path: Path) -> None:
    nowhere = tmp_path / "a file"
    nowhere.write_text("in the way")
    assert fresh(nowhere) == "4 True"
    assert nowhere.read_text() == "in the way"


def test_an_edited_helper_makes_new_code(warm: Path, tmp_path: Path) -> None:
    """A copy of the package with one changed helper has a key of its own; the same copy unchanged has not."""
    root = Path(native.__file__).parent
    cache = Path(shutil.copytree(warm, tmp_path / "cache"))
    package = tmp_path / "copy" / "tinygrad_notes"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    shutil.copytree(root, package / "kernels", ignore=shutil.ignore_patterns("__pycache__"))
    assert fresh(cache, package.parent) == "0 False"
    helper = package / "kernels" / "jit" / "memory.py"
    helper.write_text(helper.read_text() + "\n# edited\n")
    assert fresh(cache, package.parent) == "4 True"
    assert len({path.parent for path in objects(cache)}) == 2


@pytest.mark.slow
def test_sixteen_cold_processes_at_once(tmp_path: Path) -> None:
    """Each kernel is compiled by one of them; all run; nothing half-written stays."""
    environment = {**os.environ, "TINYGRAD_NOTES_CACHE": str(tmp_path)}
    command = [sys.executable, "-c", RUN]
    started = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(16)]
    said = [process.communicate()[0] for process in started]
    assert [process.returncode for process in started] == [0] * 16
    assert sum(int(line.split()[0]) for line in said) == 4
    assert {path.suffix for path in objects(tmp_path)[0].parent.iterdir()} == {".o", ".lock"}


def test_warmup_knows_every_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of all rooms, and those of the table's expressions and rules; each compiles (two are, here)."""
    from tinygrad_notes import warmup

    found = warmup.kernels()
    assert {"team", "gemm", "rows", "elementwise", "update", "fused"} <= {room for room, _ in found}
    assert ("fused", "f32 x y: x * y") in found
    assert ("fused", "f64 g out: g - g * out * out") in found
    assert len(set(found)) == len(found)
    monkeypatch.setattr(warmup, "kernels", lambda: [found[0], ("fused", "f32 x y: x * y")])
    assert warmup.warmup(1) == 0


def test_switched_off_there_are_no_kernels() -> None:
    code = "from tinygrad_notes.kernels import native, ufuncs, team; print(native.available(), team.get_num_threads() > 0)"
    environment = {**os.environ, "TINYGRAD_NOTES_KERNELS": "0"}
    assert subprocess.check_output([sys.executable, "-c", code], env=environment, text=True).split() == ["False", "True"]


def test_without_numba_and_llvmlite_there_are_no_kernels() -> None:
    code = "import sys; sys.modules['llvmlite'] = None; from tinygrad_notes.kernels import native; print(native.available())"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False"
