"""Make the notebooks: ``python notebooks/build.py [names]`` executes each source ``NN_name.py`` and writes ``NN_name.ipynb``.

A source is plain Python: ``# %%`` begins a code cell, ``# %% [markdown]`` a cell of text in comments (editors know this
"percent format"); what stands above the first cell belongs to the file only. Edit the source, never the ``.ipynb``.

--check  execute, say whether the committed ``.ipynb`` still belongs to its source, write nothing
--fast   with --check: execute the short form that ``quick`` in ``setting.py`` chooses
--again  execute three more times with other seeds, and keep the figures of the claims in ``repetitions.json``

What the notebooks say of the notes' claims is gathered in ``docs/claims.md``.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import json
import os
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import claims

FOLDER = Path(__file__).parent
SECONDS = 600
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}

Cell = tuple[str, str]
"""(``code`` or ``markdown``, source)"""


def sources(names: list[str] | None = None) -> list[Path]:
    """The sources, in the order of learning; ``names`` may leave out the ending."""
    found = sorted(FOLDER.glob("[0-9][0-9]_*.py"))
    unknown = set(names or ()) - {path.name for path in found} - {path.stem for path in found}
    if unknown:
        raise SystemExit(f"no such notebook: {', '.join(sorted(unknown))}; there are {', '.join(p.stem for p in found)}")
    return [path for path in found if not names or path.stem in names or path.name in names]


# ---- percent format ----


def parse(text: str) -> list[Cell]:
    """The cells of a source."""
    cells: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith("# %%"):
            cells.append(("markdown" if line.split() == ["#", "%%", "[markdown]"] else "code", []))
        elif cells:
            cells[-1][1].append(line)
    return [(kind, _uncomment(lines) if kind == "markdown" else "\n".join(lines).strip("\n")) for kind, lines in cells]


def _uncomment(lines: list[str]) -> str:
    wrong = [line for line in lines if line.strip() and line != "#" and not line.startswith("# ")]
    if wrong:
        raise ValueError(f"a markdown cell has a line that is no comment: {wrong[0]!r}")
    return "\n".join(line[2:] for line in lines).strip("\n")


# ---- notebooks ----


def notebook(cells: list[Cell]) -> Any:
    """An unexecuted notebook. Cell ids come from what the cells say: equal sources give equal bytes."""
    from nbformat import v4

    made, seen = [], set()
    for kind, source in cells:
        name = hashlib.sha256(source.encode()).hexdigest()[:8]
        while name in seen:
            name = hashlib.sha256(name.encode()).hexdigest()[:8]
        seen.add(name)
        made.append(v4.new_code_cell(source, id=name) if kind == "code" else v4.new_markdown_cell(source, id=name))
    return v4.new_notebook(cells=made, metadata=METADATA)


def execute(book: Any, to_the_end: bool = False) -> None:
    """Run the cells in order in a fresh kernel. Raises on anything written to stderr (a warning), and unless ``to_the_end`` on errors.

    The kernel is this very Python, whatever kernels are registered on the machine, without the user's IPython settings.
    """
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient

    class ThisPython(KernelSpecManager):
        def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
            argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
            return KernelSpec(argv=argv, display_name="Python 3", language="python")

    class Manager(AsyncKernelManager):
        def __init__(self, **options: Any) -> None:
            connection = str(Path(folder) / "kernel.json")  # sockets in the folder: no port to share with another run
            super().__init__(**options, kernel_spec_manager=ThisPython(), transport="ipc", connection_file=connection)

    with tempfile.TemporaryDirectory(prefix="notebooks-", ignore_cleanup_errors=True) as folder:
        os.environ |= {"IPYTHONDIR": folder, "JUPYTER_RUNTIME_DIR": folder}
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # small products lose by a second thread, on a busy machine tenfold
        NotebookClient(
            book,
            kernel_manager_class=Manager,
            timeout=SECONDS,
            allow_errors=to_the_end,
            resources={"metadata": {"path": str(FOLDER)}},
            record_timing=False,
            coalesce_streams=True,
        ).execute()
    book.metadata = METADATA  # the kernel has added its version: no part of the notebook
    for cell in book.cells:
        cell.metadata = {}
        for output in cell.get("outputs", ()):
            for kind, smaller in (("image/png", _smaller), ("image/svg+xml", _leaner)):
                if kind in output.get("data", {}):
                    output.data[kind] = smaller(output.data[kind])
            if output.output_type == "stream" and output.name == "stderr":
                raise RuntimeError(f"a cell wrote to stderr:\n{output.text}\n---\n{cell.source}")


def _smaller(encoded: str) -> str:
    """A PNG with 256 colours and without its history: a third of the size, and drawings look the same."""
    from PIL import Image

    packed = io.BytesIO()
    picture = Image.open(io.BytesIO(base64.b64decode(encoded)))
    if getattr(picture, "is_animated", False):
        return encoded
    picture = picture.convert("RGB")
    picture.quantize(256, dither=Image.Dither.NONE).save(packed, "PNG", optimize=True)
    return base64.b64encode(packed.getvalue()).decode()


def _leaner(picture: str) -> str:
    """An SVG of graphviz's without comments, and with its one font named once."""
    picture = re.sub(r"<!--.*?-->\s*", "", picture, flags=re.DOTALL).replace(' xml:space="preserve"', "")
    fonts = set(re.findall(r' font-family="[^"]*"', picture))
    if len(fonts) == 1:
        font = fonts.pop()
        picture = picture.replace(font, "").replace("<svg", f"<svg{font}", 1)
    return picture


def complaints(path: Path) -> list[str]:
    """Why the committed notebook of a source is not what it should be; empty if it is."""
    target = path.with_suffix(".ipynb")
    if not target.exists():
        return [f"{target.name} is missing; run python notebooks/build.py {path.stem}"]
    cells = json.loads(target.read_text(encoding="utf-8"))["cells"]
    found = []
    if [(cell["cell_type"], "".join(cell["source"])) for cell in cells] != parse(path.read_text(encoding="utf-8")):
        found.append(f"{target.name} was made from another {path.name}; run python notebooks/build.py {path.stem}")
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    if not outputs:
        found.append(f"{target.name} has no outputs: it was not executed")
    if any(output["output_type"] == "error" or output.get("name") == "stderr" for output in outputs):
        found.append(f"{target.name} holds an error or a warning")
    return found


# ---- repetition ----


def repeat(path: Path, cells: list[Cell]) -> list[str]:
    """Run a notebook ``claims.RUNS`` times with shifted seeds and keep the figures of its claims. Returns what did not hold.

    The shift comes from the code: whoever changes an experiment meets seeds that the old one has not seen.
    """
    code, runs, said = claims.fingerprint(cells), [], []
    stated = claims.claims(path.with_suffix(".ipynb"))
    for run in range(1, claims.RUNS + 1):
        os.environ["NOTEBOOKS_RUN"] = str(10 * int(code[:4], 16) + run)
        book = notebook(cells)
        execute(book, to_the_end=True)
        runs.append({claim.key: claim.figures for claim in claims.found(book.cells)})
        failed = [claim.key for claim in stated if not claims.held(claim, runs[-1:])]
        outputs = [output for cell in book.cells for output in cell.get("outputs", ())]
        errors = [_where(output) for output in outputs if output.output_type == "error"]
        said += [f"run {run}: {text}" for text in (*failed, *errors)]
    claims.remember(path.stem, code, runs)
    return said


def _where(error: Any) -> str:
    """An error in one line, with the line of the cell that it stopped at."""
    shown = re.sub(r"\x1b\[[\d;]*m", "", "\n".join(error.traceback))
    line = re.findall(r"^-+> *\d+ (.*)$", shown, re.MULTILINE)[:1]
    return f"{error.ename} {error.evalue} at {' '.join(line).strip()}"


def main() -> int:
    """Build or check the notebooks that are named, or all."""
    import nbformat

    command = argparse.ArgumentParser(description="Execute the notebooks and write their .ipynb files.")
    command.add_argument("names", nargs="*", help="which (default: all), as 01_tape_and_backpropagation")
    command.add_argument("--check", action="store_true", help="execute and compare, write nothing")
    command.add_argument("--fast", action="store_true", help="with --check: the short form of each")
    command.add_argument("--again", action="store_true", help="repeat with other seeds and keep the claims' figures")
    chosen = command.parse_args()
    if chosen.fast and not chosen.check:
        command.error("--fast goes with --check: what is written has to be the whole")
    if chosen.check and chosen.again:
        command.error("--again writes, --check does not: choose one")
    os.environ |= {"NOTEBOOKS_FAST": "1" if chosen.fast else "0", "NOTEBOOKS_RUN": "0"}
    failed = False
    for path in sources(chosen.names):
        cells = parse(path.read_text(encoding="utf-8"))
        if chosen.again:
            sys.stdout.write("\n".join([f"{path.stem}: repeated", *repeat(path, cells)]) + "\n")
            continue
        book = notebook(cells)
        start = time.perf_counter()
        execute(book)
        seconds = time.perf_counter() - start
        target = path.with_suffix(".ipynb")
        if not chosen.check:
            nbformat.validate(book)
            target.write_text(nbformat.writes(book) + "\n", encoding="utf-8")
        found = complaints(path)
        failed |= bool(found)
        said = "; ".join(found) or f"{len(book.cells)} cells, {seconds:.0f} s, {target.stat().st_size / 1024:.0f} KiB"
        sys.stdout.write(f"{path.stem}: {said}\n")
    if not chosen.check:
        claims.PAGE.write_text(claims.page(), encoding="utf-8")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
