"""The JSON file of a run. It is written as a whole or not at all; an interrupted run writes what it has."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .workloads import Row, Spread

__all__ = ["FORMAT", "load", "rows_of", "save"]

FORMAT = 1


def save(path: Path, result: dict[str, Any], rows: list[Row]) -> None:
    """Write ``result`` and the rows to ``path``: to a temporary file that then takes its place."""
    body = {"format": FORMAT, **result, "rows": [asdict(row) | {"key": row.key} for row in rows]}
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            json.dump(body, file, indent=1, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def load(path: Path) -> dict[str, Any]:
    """Read a file. Raises ValueError, saying which, if it is none of this format."""
    try:
        result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from None
    if result.get("format") != FORMAT:
        raise ValueError(f"{path} is no file that `make bench` wrote (format {FORMAT})")
    return result


def rows_of(result: dict[str, Any]) -> dict[str, Row]:
    """The rows of a file, by their keys."""
    rows = {}
    for entry in result["rows"]:
        fields = {name: value for name, value in entry.items() if name != "key"}
        fields["sides"] = {side: Spread(**values) for side, values in entry["sides"].items()}
        fields["ratio"] = entry["ratio"] and Spread(**entry["ratio"])
        rows[entry["key"]] = Row(**fields)
    return rows
