"""How boxes look: role by role, told apart by shape and border as well as by colour; and the legend."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CARRY", "GRADIENT", "KEPT", "LOOKS", "READ", "SIDES", "UPDATED", "Look"]

CARRY, GRADIENT, KEPT, UPDATED, READ = "#8b1fa9", "#b0503f", "#7f97b2", "#c79a2a", "#7a8088"
"""Edges: to the next instance of a repeated scope; of gradients; of values kept for backward; of what the optimizer changes;
of what else it reads."""

SIDES = {"forward": "#f6f8fa", "backward": "#fdf3f1", "second": "#fbf1f8", "update": "#f6f8fa"}
"""The columns of a picture, with the colour behind their clusters."""


@dataclass(frozen=True)
class Look:
    """fill and border colour, graphviz shape and style, border lines, and what the legend says."""

    fill: str
    border: str
    shape: str
    style: str
    legend: str
    width: float = 1
    lines: int = 1


LOOKS = {
    "parameter": Look("#ffe08a", "#b8860b", "box", "filled,rounded", "parameter", width=2),
    "state": Look("#e3d4f5", "#7b52ab", "cylinder", "filled", "state"),
    "data": Look("#ececec", "#777777", "ellipse", "filled", "data"),
    "constant": Look("#ffffff", "#999999", "ellipse", "filled,dashed", "constant"),
    "forward": Look("#cfe5fa", "#3b78ad", "box", "filled,rounded", "forward"),
    "gradient": Look("#fbd3cd", "#c0503f", "box", "filled", "gradient"),
    "second": Look("#f3c6e2", "#9a2f74", "box", "filled", "gradient of a gradient", lines=2),
    "update": Look("#d8efd3", "#5c9a52", "box", "filled,rounded,dashed", "no gradient flows"),
    "write": Look("#c9b3e6", "#5b2c91", "box", "filled,rounded", "written in place", width=2),
}
