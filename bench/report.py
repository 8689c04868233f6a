"""The tables of a run, at most 100 columns wide."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from .workloads import Row

__all__ = ["colour", "number", "table"]

GOOD, POOR = 32, 31
"""Terminal colours: green, red."""
NAME = 40


def table(rows: Sequence[Row], coloured: bool | None = None) -> str:
    """The rows of a group: a line each, or a line per name where rows have columns. Ratios are coloured on terminals only."""
    on = sys.stdout.isatty() if coloured is None else coloured
    body = _matrix(rows, on) if any(row.column for row in rows) else _lines(rows, on)
    return "\n".join(["", rows[0].group, *body])


def number(value: float) -> str:
    """Three to four digits."""
    size = abs(value)
    return f"{value:,.0f}" if size >= 1000 else f"{value:.1f}" if size >= 100 else f"{value:.2f}"


def colour(text: str, value: float | None, on: bool) -> str:
    """Green where we are faster by more than a twentieth, red where slower; ``value`` is ours over theirs."""
    if not on or value is None or 0.95 <= value <= 1.05:
        return text
    return f"\x1b[{GOOD if value < 1 else POOR}m{text}\x1b[0m"


def _ratio(row: Row) -> str:
    if row.ratio is None:
        return ""
    return f"{1 / row.ratio.median if row.speed else row.ratio.median:.2f}"


def _heads(rows: Sequence[Row]) -> tuple[list[str], str]:
    sides = list(dict.fromkeys(side for row in rows for side in row.sides))
    return sides, "times as fast" if rows[0].speed else "ours/theirs"


def _lines(rows: Sequence[Row], on: bool) -> list[str]:
    sides, what = _heads(rows)
    limited = any(row.limit is not None for row in rows)
    width = max([NAME - 10 * max(len(sides) - 2, 0), *(len(row.name) for row in rows)])
    head = f"  {'':{width}}" + "".join(f"{side[:12]:>13}" for side in sides) + "   "
    lines = [head + f"{what if len(sides) > 1 else '':>15}" + ("   of limit" if limited else "")]
    for row in rows:
        cells = "".join(f"{number(row.sides[side].median) if side in row.sides else '':>13}" for side in sides)
        noise = f" ±{100 * row.ratio.noise:2.0f}%" if row.ratio else ""
        ratio = colour(f"{_ratio(row):>9}", row.ratio and row.ratio.median, on)
        limit = f"{100 * row.limit:7.0f} %" if row.limit is not None else ""
        line = f"  {row.name:{width}}{cells} {row.unit:<3}{ratio}{noise:5}{limit:>10}"
        lines.append(f"{line}  {row.note}".rstrip())
    return lines


def _matrix(rows: Sequence[Row], on: bool) -> list[str]:
    """A line per name, its ratio at each column; our time and the share of the limit at the last."""
    columns = list(dict.fromkeys(row.column for row in rows))
    names = list(dict.fromkeys(row.name for row in rows))
    width = max(12, *(len(name) for name in names))
    _, what = _heads(rows)
    last = f"at {columns[-1]}"
    head = f"  {what:{width}}" + "".join(f"{column:>8}" for column in columns) + f"   {last:>14}   of limit"
    lines = [head]
    found = {(row.name, row.column): row for row in rows}
    for name in names:
        cells, final = "", None
        for column in columns:
            row = found.get((name, column))
            final = row or final
            cells += colour(f"{_ratio(row) or '-':>8}", row.ratio and row.ratio.median, on) if row else " " * 8
        assert final is not None
        limit = f"{100 * final.limit:7.0f} %" if final.limit is not None else ""
        size = "" if final.column == columns[-1] else f"  at {final.column}"
        lines.append(f"  {name:{width}}{cells}   {number(final.ours.median):>11} {final.unit:<3}{limit:>10}{size}")
    return lines
