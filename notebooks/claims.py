"""The claims of the notes: gathered from the executed notebooks, repeated with other seeds, and written to ``docs/claims.md``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from setting import MIME, VERDICTS, Claim

FOLDER = Path(__file__).parent
PAGE = FOLDER.parent / "docs" / "claims.md"
REPETITIONS = FOLDER / "repetitions.json"
RUNS = 3
"""How often a notebook is repeated."""

Figures = dict[str, dict[str, float]]
"""The figures of each claim, by its key."""


def found(cells: Iterable[Any]) -> list[Claim]:
    """The claims that executed cells hold, in order."""
    return [
        Claim(**output["data"][MIME]) for cell in cells for output in cell.get("outputs", ()) if MIME in output.get("data", {})
    ]


def claims(path: Path) -> list[Claim]:
    """The claims of an executed notebook, in order."""
    return found(json.loads(path.read_text(encoding="utf-8"))["cells"])


def fingerprint(cells: Iterable[tuple[str, str]]) -> str:
    """Of what a notebook computes: its code, not its prose."""
    return hashlib.sha256("\n".join(source for kind, source in cells if kind == "code").encode()).hexdigest()[:16]


def repetitions() -> dict[str, dict[str, Any]]:
    """By notebook: ``code``, the fingerprint of what was repeated, and ``runs``, the figures of each run."""
    return json.loads(REPETITIONS.read_text(encoding="utf-8")) if REPETITIONS.exists() else {}


def repeated(path: Path) -> list[Figures]:
    """The runs that repeated an executed notebook; none if its code has changed since."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    kept = repetitions().get(path.stem, {"code": None})
    now = fingerprint((cell["cell_type"], "".join(cell["source"])) for cell in cells)
    return kept["runs"] if kept["code"] == now else []


def remember(name: str, code: str, runs: list[Figures]) -> None:
    """Keep what the repetitions of a notebook have shown."""
    kept = repetitions() | {name: {"code": code, "runs": runs}}
    REPETITIONS.write_text(json.dumps(dict(sorted(kept.items())), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def held(claim: Claim, runs: list[Figures]) -> int:
    """In how many runs the figures bear the verdict out; a run that did not come to the claim is none."""
    return sum(claim.key in run and replace(claim, figures=run[claim.key]).holds() for run in runs)


def again(claim: Claim, runs: list[Figures]) -> str:
    """How the repetitions went, in two words."""
    if not runs:
        return ""
    fixed = all(run.get(claim.key) == claim.figures for run in runs)
    return "exact" if fixed else f"{held(claim, runs)} of {len(runs)}"


def page() -> str:
    """The text of ``docs/claims.md``, from the executed notebooks and their repetitions."""
    rows = [(claim, path) for path in sorted(FOLDER.glob("*.ipynb")) for claim in claims(path)]
    runs = {path: repeated(path) for path in FOLDER.glob("*.ipynb")}
    counts = ", ".join(f"{sum(claim.verdict == verdict for claim, _ in rows)} {verdict}" for verdict in VERDICTS)
    lines = [
        "# The claims of the notes, and what experiments say",
        "",
        f"Made by `make notebooks` from the executed notebooks: {len(rows)} claims, {counts}. The criterion is what the figures have to",
        "satisfy for the verdict to stand; `tests/test_notebooks.py` computes it anew.",
        "",
        "A verdict describes the setting of its notebook: many criteria, sizes and targets were chosen after trial runs had shown the",
        f"figures. So, with the criteria fixed, each notebook was run {RUNS} more times with every seed in it shifted (`make claims`):",
        "*again* says in how many of those runs the criterion held, and *exact* where the same figures came out, without any chance.",
        "Claims that fell were weakened, or measured over more seeds, and their notebooks repeated with seeds that were new again.",
        "",
        "| row | the notes say | verdict | again | seen | figures | criterion | notebook |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for claim, path in sorted(rows, key=lambda row: (row[0].key, row[1])):
        link, often = f"[{path.stem}](../notebooks/{path.name})", again(claim, runs[path])
        cells = (claim.key, claim.text, claim.verdict, often, claim.seen, claim.measured(), f"`{claim.criterion}`", link)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"
