"""What the notebooks share: how much they compute, how plots look, and how a claim of the lecture notes is recorded.

steps = quick(2_000, 100)          2,000 as the notebook stands; 100 where the tests only ask whether it runs
claim("I2", ...)                   a claim, its figures and its verdict: shown here, collected in docs/claims.md
animate(figure, draw, 30)          frames of a figure as one moving picture
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

import matplotlib.pyplot as plt
import numpy as np
from chance import shift_seeds

__all__ = ["FAST", "MIME", "VERDICTS", "Animation", "Claim", "animate", "claim", "quick"]

FAST = os.environ.get("NOTEBOOKS_FAST") == "1"
"""Whether the fast setting of the tests is on: ``python notebooks/build.py --fast``."""
MIME = "application/vnd.tinygrad-notes.claim+json"
"""Under which a claim's data stand in the executed notebook."""
VERDICTS = ("confirmed", "confirmed with limits", "refuted")
RUN = int(os.environ.get("NOTEBOOKS_RUN", "0"))
"""0 in the notebook as it stands, else the shift of the seeds in a repetition: ``python notebooks/build.py --again``."""
T = TypeVar("T")

if RUN:
    shift_seeds(RUN)

plt.rcParams.update({"figure.figsize": (7, 3.4), "figure.dpi": 100, "axes.spines.top": False, "axes.spines.right": False})


def quick(full: T, fast: T) -> T:
    """``full``, or ``fast`` in the fast setting: epochs, steps, seeds, sizes of grids."""
    return fast if FAST else full


@dataclass(frozen=True)
class Claim:
    """A claim of the notes and what an experiment says of it.

    key        row of the project's list of the notes, and a word if the row has several: ``"I2"``, ``"I6 xavier"``
    text       what the notes say, in one sentence
    verdict    one of ``VERDICTS``
    seen       what the experiment showed, in one sentence
    criterion  Python over the figures' names that is true exactly if the verdict stands: ``"tanh > 0.5 and relu < 0.1"``
    figures    the numbers measured, three digits
    """

    key: str
    text: str
    verdict: str
    seen: str
    criterion: str
    figures: dict[str, float] = field(default_factory=dict)

    def holds(self) -> bool:
        """Whether the figures bear the verdict out."""
        return bool(eval(self.criterion, {"__builtins__": {}, "abs": abs, "min": min, "max": max}, dict(self.figures)))

    def measured(self) -> str:
        """The figures in one line."""
        return ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in self.figures.items())

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        line = f"> **{self.key}** · The notes: *{self.text}*\n>\n> **{self.verdict[0].upper()}{self.verdict[1:]}.** {self.seen}"
        text = f"{self.key}: {self.text}\n{self.verdict}: {self.seen}\n{self.measured()}"
        return {"text/markdown": f"{line}\n>\n> {self.measured()}", "text/plain": text, MIME: asdict(self)}


def claim(key: str, text: str, verdict: str, seen: str, criterion: str, **figures: float) -> Claim:
    """Record a claim; let it be the last line of its cell. Raises if the figures do not bear the verdict out.

    In the fast setting the figures are not those of the experiment, and a repetition is there to see whether the verdict stands: in
    both it is only checked that the criterion can be computed.
    """
    if verdict not in VERDICTS:
        raise ValueError(f"claim {key}: the verdict must be one of {', '.join(VERDICTS)}; got {verdict!r}")
    made = Claim(key, text, verdict, seen, criterion, {name: float(f"{value:.3g}") for name, value in figures.items()})
    if not (made.holds() or FAST or RUN):
        raise AssertionError(f"claim {key}: not {criterion}, with {made.measured()}")
    return made


class Animation:
    """An animated PNG: a picture like others to Jupyter and GitHub, which moves in the browser."""

    def __init__(self, png: bytes) -> None:
        self.png = png

    def _repr_png_(self) -> bytes:
        return self.png

    def __repr__(self) -> str:
        return "a moving picture"


def animate(figure: Any, draw: Callable[[int], Any], frames: int, milliseconds: int = 150) -> Animation:
    """``draw(k)`` changes the figure for frame k. It has the last frame's colours; each frame holds only what is new in it."""
    from PIL import Image

    taken = []
    for k in range(frames):
        draw(k)
        figure.canvas.draw()
        taken.append(Image.fromarray(np.array(figure.canvas.buffer_rgba())).convert("RGB"))
    plt.close(figure)
    counted = sorted(taken[-1].getcolors(taken[-1].width * taken[-1].height), reverse=True)[:255]
    colours = [channel for _, colour in counted for channel in colour]
    palette = Image.new("P", (1, 1))
    palette.putpalette(colours)
    taken = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in taken]
    pixels = [np.array(picture) for picture in taken]
    for picture in taken:
        picture.putpalette(colours + [0] * (3 * 256 - len(colours)))  # and one more, the transparent one
    for picture, before, now in zip(taken[1:], pixels, pixels[1:], strict=False):
        picture.putdata(np.where(now == before, 255, now).ravel().tolist())
    written = io.BytesIO()
    taken[0].save(
        written, "PNG", save_all=True, append_images=taken[1:], duration=[milliseconds] * (frames - 1) + [12 * milliseconds],
        loop=0, blend=1, disposal=0, transparency=255,
    )  # fmt: skip
    return Animation(written.getvalue())
