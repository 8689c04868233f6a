"""DOT text to a picture: with the ``dot`` program where it is installed, else with the engine inside pygraphviz's wheel, else
as a plainer SVG of our own.

pygraphviz runs in a process of its own: the layout library and fontconfig leave no state here, their messages do not reach
the terminal, and the environment that they read can be prepared.
"""

from __future__ import annotations

import base64
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from os import PathLike
from pathlib import Path
from typing import Any

from .dot_text import sturdier

__all__ = ["FORMATS", "Picture", "PictureError", "render", "write_file"]

FORMATS = ("svg", "png", "pdf", "dot", "gv")
_SECONDS = 120
_WORKER = """
import sys, pygraphviz
graph = pygraphviz.AGraph(string=sys.stdin.buffer.read().decode())
sys.stdout.buffer.write(graph.draw(format=sys.argv[1], prog="dot"))
"""


class PictureError(RuntimeError):
    """No engine can draw the picture here; the message says what to install and where the DOT text is."""


class Picture:
    """A picture that shows itself in notebooks. ``save(path)`` renders it into a .svg, .png, .pdf, .dot or .gv file.

    text   DOT, which graphviz draws
    plain  an SVG of our own, for machines without graphviz
    """

    def __init__(self, text: str, plain: str) -> None:
        self.text, self.plain = text, plain

    def render(self, format: str = "svg") -> bytes:
        """The picture as bytes: svg, png or pdf, or the text itself as dot or gv.

        Raises ValueError for another format, PictureError where no graphviz can draw the png or pdf.
        """
        if format not in FORMATS:
            raise ValueError(f"draw: no picture of format {format!r}; there are {', '.join(FORMATS)}")
        if format in ("dot", "gv"):
            return self.text.encode()
        try:
            return render(self.text, format)
        except PictureError:
            if format == "svg":
                return self.plain.encode()
            raise

    def save(self, path: str | PathLike[str]) -> Path:
        """Render into a file whose suffix tells the format; it appears whole or not at all.

        Raises what ``render`` raises; where the png or pdf cannot be drawn, an SVG is saved beside.
        """
        path = Path(path)
        try:
            data = self.render(path.suffix.removeprefix(".").lower())
        except PictureError as error:
            beside = path.with_suffix(".svg")
            write_file(self.render("svg"), beside)
            raise PictureError(f"{error}. The picture is saved as {beside}") from None
        write_file(data, path)
        return path

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """SVG, and PNG for notebooks that are not trusted and show no SVG."""
        shown = {"image/svg+xml": self.render("svg").decode(), "text/plain": repr(self)}
        with contextlib.suppress(PictureError):
            shown["image/png"] = base64.b64encode(self.render("png")).decode()
        return shown

    def __repr__(self) -> str:
        return f"<Picture: {len(self.text.splitlines()):,} lines of DOT text; .save('picture.svg') draws it>"


def render(text: str, format: str) -> bytes:
    """The picture of DOT text as bytes: svg, png or pdf. Raises PictureError where no engine is installed or none can draw it."""
    complaints = []
    for engine, form in ((engine, form) for engine in _engines() for form in (text, sturdier(text))):
        try:
            return engine(form, format)
        except (OSError, subprocess.SubprocessError) as error:
            said = getattr(error, "stderr", None) or str(error)
            complaints.append((said.decode(errors="replace") if isinstance(said, bytes) else said).strip())
    if complaints:
        raise PictureError(f"graphviz could not draw this picture as {format}: {'; '.join(dict.fromkeys(complaints))}")
    raise PictureError(
        f"there is no graphviz here to draw a {format}: `pip install pygraphviz` (its wheel carries the engine), or install the "
        "`dot` program (apt install graphviz, brew install graphviz)"
    )


def write_file(data: bytes, path: Path) -> None:
    """An ordinary file, whole or not at all."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        mask = os.umask(0)
        os.umask(mask)
        Path(temporary).chmod(0o666 & ~mask)  # mkstemp makes files private; a picture is an ordinary file
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(temporary).unlink()
        raise


# ---- engines ----


def _engines() -> list[Callable[[str, str], bytes]]:
    found: list[Callable[[str, str], bytes]] = []
    if shutil.which("dot") is not None and find_spec("graphviz") is not None:
        found.append(_with_dot)
    if sys.executable and find_spec("pygraphviz") is not None:
        found.append(_with_pygraphviz)
    return found


def _with_dot(text: str, format: str) -> bytes:
    import graphviz

    picture: bytes = graphviz.pipe("dot", format, text.encode(), quiet=True)
    return picture


def _with_pygraphviz(text: str, format: str) -> bytes:
    with tempfile.TemporaryDirectory(prefix="tinygrad-notes-") as folder:
        environment = {**os.environ, **_fonts(Path(folder))}
        command = [sys.executable, "-P", "-c", _WORKER, format]
        done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=_SECONDS, env=environment, check=True)
    if not done.stdout or b"trouble in init_rank" in done.stderr:  # ranks that contradict each other: a heap of boxes
        raise OSError(done.stderr.decode(errors="replace").strip() or "pygraphviz gave an empty picture")
    return done.stdout


def _fonts(folder: Path) -> dict[str, str]:
    """Let fontconfig find the DejaVu fonts that matplotlib brings, so that machines without fonts also write readable text."""
    spec = find_spec("matplotlib")
    if spec is None or spec.origin is None:
        return {}
    fonts = Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf"
    if not fonts.is_dir():
        return {}
    config = folder / "fonts.conf"
    config.write_text(
        f'<?xml version="1.0"?>\n<!DOCTYPE fontconfig SYSTEM "fonts.dtd">\n<fontconfig>\n  <dir>{_xml(fonts)}</dir>\n'
        f"  <cachedir>{_xml(folder)}</cachedir>\n</fontconfig>\n",
        encoding="utf-8",
    )
    return {"FONTCONFIG_FILE": str(config)}


def _xml(path: Path) -> str:
    return str(path).replace("&", "&amp;").replace("<", "&lt;")
