"""A rolled-up graph as DOT text, in the language of graphviz. The same graph gives the same bytes."""

from __future__ import annotations

import html
from collections.abc import Iterator

from ..listing import show_params
from .labels import box_label, edge_label, box_tooltip
from .rollup import Box, Edge, Graph, Group

__all__ = ["to_dot"]

FONT = "DejaVu Sans,Verdana,Helvetica,Arial,sans-serif"

# role: (fill, border, shape, what the legend says)
LOOKS = {
    "parameter": ("#ffe08a", "#b8860b", "box", "parameter"),
    "state": ("#e3d4f5", "#7b52ab", "cylinder", "state"),
    "data": ("#ececec", "#777777", "ellipse", "data"),
    "constant": ("#ffffff", "#999999", "ellipse", "constant"),
    "forward": ("#cfe5fa", "#3b78ad", "box", "forward"),
    "gradient": ("#fbd3cd", "#c0503f", "box", "gradient"),
    "update": ("#d8efd3", "#5c9a52", "box", "without gradient"),
    "write": ("#c9b3e6", "#5b2c91", "box", "written in place"),
}
