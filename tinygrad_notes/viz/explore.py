"""A tape to walk through: one HTML file with everything in it, ``tn.viz.explore(tape, "step.html")``.

``source`` records, ``values`` runs it again, ``contents`` makes plain data of it; the page (``explorer/``) does the rest.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from os import PathLike
from pathlib import Path
from typing import Any, overload

from ..errors import GraphError
from ..tape import Tape
from ..tensor import Tensor
from .contents import contents
from .looks import LOOKS
from .picture import write_file
from .source import Recording, Source, record
from .tint import BAD, STOPS, UNKNOWN, ZERO

__all__ = ["Explorer", "explore"]

_ROOM = Path(__file__).parent / "explorer"
_SCRIPTS = ("model", "layout", "draw", "panel", "main")
_FILE_MODE = 0o644


class Explorer:
    """A page that shows itself in notebooks; ``save(path)`` writes it. ``page`` is its HTML."""

    def __init__(self, page: str) -> None:
        self.page = page

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the page, whole or not at all."""
        write_file(self.page.encode(), Path(path))
        return Path(path)

    def _repr_html_(self) -> str:
        frame = 'sandbox="allow-scripts" style="width:100%;height:640px;border:1px solid #8888"'
        return f'<iframe {frame} srcdoc="{html.escape(self.page)}"></iframe>'

    def __repr__(self) -> str:
        return f"<Explorer: {len(self.page) / 1e6:.1f} MB of HTML; .save('tape.html') writes it>"


@overload
def explore(source: Source, path: None = None, *, inputs: Any = ..., order: int = ..., title: str | None = ...) -> Explorer: ...
@overload
def explore(
    source: Source, path: str | PathLike[str], *, inputs: Any = ..., order: int = ..., title: str | None = ...
) -> Path: ...
def explore(
    source: Source, path: str | PathLike[str] | None = None, *, inputs: Any = None, order: int = 1, title: str | None = None
) -> Path | Explorer:
    """A page to walk through a recording: pan, zoom, search, fold; every node with its formula, VJP rules, values, gradient.

    source  a Tape; a Tensor: the graph behind it; a module or function, which is called once with ``inputs``
    path    where the HTML file is written; None: return an Explorer, which notebooks show
    inputs  for a module or function: its argument, or a tuple of them
    order   of a Tensor, module or function: 0 shows forward only, 1 also the gradient of the sum of the result, 2 also its
            gradient; no ``.grad`` is touched. A tape is shown as it was recorded
    title   of the page

    Values are computed by running the recording again on copies, so they belong to the parameters as they are now; nothing
    of the user's is written. Behind a Tensor only what its gradient needs is known. Raises GraphError for a Tensor without a
    graph, TypeError for what is no source.
    """
    data = {
        "title": title or _title(source),
        "looks": {role: [look.fill, look.border, look.legend] for role, look in LOOKS.items()},
        "stops": STOPS,
        "special": [ZERO, UNKNOWN, BAD],
    }
    made = Explorer(_page(data | contents(_recording(source, inputs, order))))
    return made if path is None else made.save(path)


def _recording(source: Source, inputs: Any, order: int) -> Recording:
    if isinstance(source, Tape):
        return record(source, inputs, 0)
    try:
        return record(source, inputs, order)
    except GraphError as error:
        if not isinstance(source, Tensor) or source.grad_fn is None:
            raise
        recorded = record(source, inputs, 0)  # backward has run already
        recorded.notes.append(f"There are no gradients: {error}")
        return recorded


def _title(source: Source) -> str:
    if isinstance(source, Tape | Tensor):
        return "tape" if isinstance(source, Tape) else source._type()
    return getattr(source, "__name__", type(source).__name__)


def _page(data: dict[str, Any]) -> str:
    """The template with everything put in. The policy in its head allows this script and nothing else: no network."""
    script = "\n".join((_ROOM / f"{name}.js").read_text(encoding="utf-8") for name in _SCRIPTS)
    digest = base64.b64encode(hashlib.sha256(f"\n{script}\n".encode()).digest()).decode()
    text = json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")  # no tag can end the data
    page = (_ROOM / "page.html").read_text(encoding="utf-8")
    parts = {
        "title": html.escape(data["title"]), "style": (_ROOM / "page.css").read_text(encoding="utf-8"), "digest": digest,
        "data": text, "script": script,
    }  # fmt: skip
    pieces = page.split("{{")
    return pieces[0] + "".join(parts[name] + rest for name, _, rest in (piece.partition("}}") for piece in pieces[1:]))
