"""The notebooks run from their sources, and the committed ``.ipynb`` files are what the sources say."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

FOLDER = Path(__file__).parent.parent / "notebooks"
NAMES = sorted(path.stem for path in FOLDER.glob("[0-9][0-9]_*.py"))


def _build() -> ModuleType:
    sys.path.insert(0, str(FOLDER))  # as for a script there
    spec = importlib.util.spec_from_file_location("notebooks_build", FOLDER / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.path.remove(str(FOLDER))
    return module


build = _build()


def test_there_are_notebooks_and_no_strays() -> None:
    assert NAMES
    assert sorted(path.stem for path in FOLDER.glob("*.ipynb")) == NAMES


def run(name: str, **environment: str) -> None:
    # A process of its own: Jupyter's packages warn about each other, and here every warning is an error.
    command = [sys.executable, str(FOLDER / "build.py"), "--check", "--fast", name]
    surroundings = os.environ | environment
    done = subprocess.run(command, capture_output=True, text=True, timeout=build.SECONDS, check=False, env=surroundings)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_runs(name: str) -> None:
    run(name)


@pytest.mark.long
def test_the_notebook_of_kernels_runs_without_them() -> None:
    run("18_inside_the_kernels", TINYGRAD_NOTES_KERNELS="0")


@pytest.mark.parametrize("name", NAMES)
def test_the_committed_notebook_belongs_to_its_source(name: str) -> None:
    assert build.complaints(FOLDER / f"{name}.py") == []


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_small_and_says_nothing_of_the_machine(name: str) -> None:
    text = (FOLDER / f"{name}.ipynb").read_text(encoding="utf-8")
    assert len(text.encode()) < 512 * 1024
    assert not [place for place in (sys.prefix, str(FOLDER.parent), str(Path.home()) + "/", "/ipykernel_") if place in text]


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name: str) -> None:
    cells = build.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8"))
    links = [link for kind, text in cells if kind == "markdown" for link in re.findall(r"\]\(([^)]+)\)", text)]
    assert [link for link in links if not link.startswith("https://") and not (FOLDER / link).exists()] == []


CELLS = """
from IPython.core.interactiveshell import InteractiveShell
from ipykernel.compiler import XCachingCompiler
shell = InteractiveShell.instance(compiler_class=XCachingCompiler, history_manager=None)
shell.run_cell("import tinygrad_notes as tn", store_history=True)
shell.run_cell(%r, store_history=True)
"""


def test_lines_of_a_notebook_are_those_of_its_cells(tmp_path: Path) -> None:
    pytest.importorskip("ipykernel")
    cell = """x = tn.ones(3, requires_grad=True)
with tn.Tape() as tape:
    y = x.exp()
try:
    with tn.no_grad():
        y.zero_()
    y.sum().backward()
except tn.errors.GraphError as error:
    print(error)
from tinygrad_notes.viz.contents import contents
from tinygrad_notes.viz.source import record
print(contents(record(tape, None, 0))["lines"])
"""
    command, surroundings = [sys.executable, "-c", CELLS % cell], os.environ | {"IPYTHONDIR": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False, env=surroundings)
    assert done.returncode == 0, done.stderr
    assert "exp (recorded at In[2]:3) needs its output" in done.stdout
    assert "at In[2]:6 wrote" in done.stdout
    assert "['In[2]:3', 'y = x.exp()']" in done.stdout


CLAIMS = [claim for name in NAMES for claim in build.claims.claims(FOLDER / f"{name}.ipynb")]


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.key)
def test_the_figures_bear_the_verdict_out(claim: Any) -> None:
    assert claim.verdict in build.claims.VERDICTS
    assert claim.figures
    assert claim.holds(), f"not {claim.criterion}, with {claim.measured()}"


REPEATED = build.claims.repetitions()


@pytest.mark.parametrize("name", NAMES)
def test_the_notebook_was_repeated(name: str) -> None:
    cells = build.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8"))
    assert REPEATED[name]["code"] == build.claims.fingerprint(cells), f"its code has changed: run make claims ARGS={name}"
    assert len(REPEATED[name]["runs"]) == build.claims.RUNS


@pytest.mark.parametrize("name", NAMES)
def test_other_seeds_bear_the_verdicts_out(name: str) -> None:
    held = {
        claim.key: build.claims.held(claim, REPEATED[name]["runs"]) for claim in build.claims.claims(FOLDER / f"{name}.ipynb")
    }
    assert {key: times for key, times in held.items() if times < 2} == {}


def test_a_repetition_is_counted_by_the_criterion() -> None:
    claim = build.claims.Claim("X", "text", "confirmed", "seen", "a < 1", {"a": 0.5})
    runs = [{"X": {"a": 0.5}}, {"X": {"a": 1.5}}, {}]
    assert build.claims.held(claim, runs) == 1
    assert [build.claims.again(claim, kept) for kept in (runs, runs[:1], [])] == ["1 of 3", "exact", ""]


def test_the_fingerprint_is_of_the_code() -> None:
    cells = [("markdown", "prose"), ("code", "x = 1")]
    assert build.claims.fingerprint(cells) == build.claims.fingerprint([("markdown", "other prose"), ("code", "x = 1")])
    assert build.claims.fingerprint(cells) != build.claims.fingerprint([("markdown", "prose"), ("code", "x = 2")])


SEEDS = """
import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
import setting
import tinygrad_notes as tn
assert check_random_state(None) is np.random.mtrand._rand
tn.manual_seed(3)
drawn = [tn.rand(2).tolist(), np.random.default_rng(3).random(2).tolist(), np.random.default_rng([3, 4]).random(2).tolist()]
print(drawn + [np.random.RandomState(3).rand(2).tolist(), train_test_split(np.arange(50), random_state=3)[1].tolist()])
"""


def test_a_repetition_shifts_every_seed() -> None:
    def run(number: str) -> list[list[float]]:
        surroundings = os.environ | {"NOTEBOOKS_RUN": number}
        done = subprocess.run(
            [sys.executable, "-c", SEEDS], cwd=FOLDER, env=surroundings, capture_output=True, text=True, check=True
        )
        drawn: list[list[float]] = json.loads(done.stdout)
        return drawn

    plain, first, second = run("0"), run("1"), run("2")
    assert plain[3] == np.random.RandomState(3).rand(2).tolist()
    assert first == run("1")
    assert not [
        pair
        for runs in ((plain, first), (plain, second), (first, second))
        for pair in zip(*runs, strict=True)
        if pair[0] == pair[1]
    ]


MISTAKES = {
    "I1 candidate",
    "I1 input weights",
    "I1 loop",
    "I2 f1",
    "I3 softmax",
    "I3 cross-entropy",
    "I4 beta2",
    "I4 rmsprop",
    "I5 place",
    "I5 size",
    "I5 update",
    "I6 adagrad stops",
    "I6 adagrad sparse",
    "I6 lstm",
    "I6 momentum",
    "I6 xavier",
    "I6 zeros",
    "I7 pca",
    "I8",
}
"""What the notes get wrong or leave open, and what they claim without a measurement: each must have been tried."""


def test_every_mistake_of_the_notes_was_tried() -> None:
    keys = [claim.key for claim in CLAIMS]
    assert [wanted for wanted in sorted(MISTAKES) if not any(f"{key} ".startswith(f"{wanted} ") for key in keys)] == []


def test_the_page_of_claims_is_what_the_notebooks_say() -> None:
    assert [key for key, count in Counter(claim.key for claim in CLAIMS).items() if count > 1] == []
    assert build.claims.PAGE.read_text(encoding="utf-8") == build.claims.page(), "run make notebooks"


def test_the_percent_format() -> None:
    text = "# above\n\n# %% [markdown]\n# # Title\n#\n# text\n\n# %%\nx = 1\n\ny = 2  # %% no cell\n\n# %%\nz = 3\n"
    assert build.parse(text) == [("markdown", "# Title\n\ntext"), ("code", "x = 1\n\ny = 2  # %% no cell"), ("code", "z = 3")]
    with pytest.raises(ValueError, match="no comment"):
        build.parse("# %% [markdown]\nx = 1\n")


def test_pictures_are_made_smaller() -> None:
    text = '<svg width="9"><!-- a\n b -->\n<text xml:space="preserve" font-family="A,B">1</text><text font-family="A,B">2</text></svg>'
    assert build._leaner(text) == '<svg font-family="A,B" width="9"><text>1</text><text>2</text></svg>'


def test_complaints_are_made(tmp_path: Path) -> None:
    source = tmp_path / "01_x.py"
    source.write_text("# %%\n1 + 1\n")
    assert "missing" in build.complaints(source)[0]
    cell = '{"cell_type": "code", "source": ["1 + %d"], "outputs": [%s]}'
    target = source.with_suffix(".ipynb")
    target.write_text('{"cells": [%s]}' % (cell % (1, "")))
    assert "no outputs" in build.complaints(source)[0]
    target.write_text('{"cells": [%s]}' % (cell % (2, '{"output_type": "error"}')))
    assert [("another" in c, "error" in c) for c in build.complaints(source)] == [(True, False), (False, True)]


def test_animations_move_and_stay_as_they_are() -> None:
    from base64 import b64encode
    from io import BytesIO

    import matplotlib.pyplot as plt
    import numpy as np
    from PIL import Image

    sys.path.insert(0, str(FOLDER))
    from setting import animate

    sys.path.remove(str(FOLDER))
    figure, axes = plt.subplots(figsize=(2, 1), dpi=50)
    (point,) = axes.plot([0], [0], "o", color="black")
    made = animate(figure, lambda k: point.set_data([0.01 * k], [0]), frames=4)
    assert build._smaller(b64encode(made.png).decode()) == b64encode(made.png).decode()
    picture, seen = Image.open(BytesIO(made.png)), []
    assert picture.n_frames == 4  # type: ignore[attr-defined]
    for k in range(4):
        picture.seek(k)
        seen.append(np.asarray(picture.convert("RGBA"))[..., :3].astype(int))
    dark = [np.argwhere(frame.sum(-1) < 100)[:, 1].mean() for frame in seen]  # the axes' frame stays, the point moves
    assert dark == sorted(dark)
    assert dark[-1] > dark[0]
    assert (seen[3][:2] == seen[0][:2]).all()
