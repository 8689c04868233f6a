"""A rolled-up graph as an SVG of our own: no engine is needed, and it looks like graphviz' picture, only plainer."""

from __future__ import annotations

import html
import math

from .labels import box_label, box_tooltip, edge_label, edge_tooltip
from .layered import Place, layout
from .legend import Key, legend, summary
from .looks import CARRY, GRADIENT, LOOKS, SIDES
from .rollup import Box, Edge, Graph, Group
from .sides import UPWARD, Bundle, bundles, sides_of
from .tint import Tint

__all__ = ["to_svg"]

_FONT = "DejaVu Sans,Verdana,Helvetica,sans-serif"
_MARGIN, _LINE, _CHAR, _EDGE = 20.0, 13.0, 6.3, "#5a6470"


def to_svg(graph: Graph, title: str | None = None, tint: Tint | None = None) -> str:
    """The SVG text of ``graph`` under ``title``; see ``dot_text.to_dot``, which it stands in for."""
    return _Writer(graph, title, tint).text


class _Writer:
    def __init__(self, graph: Graph, title: str | None, tint: Tint | None) -> None:
        self.tint = tint
        self.above: list[str] = []  # what edges say stands above the boxes
        self.labels = {box: self._label(box) for box in graph.boxes}
        sides = sides_of(graph)
        self.at, width, height = layout(graph, sides, tuple(SIDES), UPWARD, self._size)
        plain, bundled = bundles(graph, sides)
        shapes: list[str] = []
        for what, place in self.at.items():
            if isinstance(what, Group):
                shapes.append(self._cluster(what, place, SIDES[sides[_first_box(place)]]))
        shapes += [self._bundle(bundle) for bundle in bundled]
        shapes += [
            self._edge(edge, sides[edge.source] == sides[edge.target] and sides[edge.source] in UPWARD) for edge in plain
        ]
        shapes += [self._box(what, place) for what, place in self.at.items() if isinstance(what, Box)]
        shapes += self.above
        head, head_width, top = self._head(graph, title, legend(graph, sides, bundled, tint))
        width = max(width, head_width)
        colors = sorted({CARRY, GRADIENT, _EDGE, *(bundle.color for bundle in bundled)})
        markers = "".join(
            f'<marker id="a{color[1:]}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
            f'markerUnits="userSpaceOnUse" orient="auto"><path d="M0,0.5 L8,4 L0,7.5 z" fill="{color}"/></marker>'
            for color in colors
        )
        w, h = width + 2 * _MARGIN, height + top + 2 * _MARGIN
        self.text = "\n".join([
            '<?xml version="1.0" encoding="UTF-8"?>',
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{w:.0f}pt" height="{h:.0f}pt" viewBox="0 0 {w:.1f} {h:.1f}" '
            f'font-family="{_FONT}" font-size="10" text-anchor="middle">',
            f'<defs>{markers}</defs><rect width="100%" height="100%" fill="white"/>',
            f'<g transform="translate({_MARGIN:.1f},{_MARGIN:.1f})">', *head, "</g>",
            f'<g transform="translate({_MARGIN:.1f},{_MARGIN + top:.1f})">', *shapes, "</g>",
            "</svg>",
            "",
        ])  # fmt: skip

    # ---- boxes ----

    def _label(self, box: Box) -> list[str]:
        shade = self.tint.shade(box) if self.tint is not None else None
        return [*box_label(box).split("\n"), *(shade.text.split("\n") if shade is not None and shade.text else [])]

    def _size(self, box: Box) -> tuple[float, float]:
        lines = self.labels[box]
        round_ = LOOKS[box.role].shape == "ellipse"
        return max(_CHAR * max(map(len, lines)) + 14, 34.0) * (1.15 if round_ else 1), _LINE * len(lines) + 10 + 8 * round_

    def _box(self, box: Box, at: Place) -> str:
        look = LOOKS[box.role]
        shade = self.tint.shade(box) if self.tint is not None else None
        colors = shade.colors if shade is not None else (look.fill,)
        alarm = shade is not None and shade.alarm
        line = f'stroke="{"#e0002b" if alarm else look.border}" stroke-width="{4 if alarm else look.width:g}"'
        line += _dashes(look.style)
        if look.shape == "ellipse" and box.fold is None:
            outline = f'<ellipse cx="{at.x + at.w / 2:.1f}" cy="{at.y + at.h / 2:.1f}" rx="{at.w / 2:.1f}" ry="{at.h / 2:.1f}"'
        else:
            corner = 0 if box.fold is not None else 8 if "rounded" in look.style else 0
            outline = f'{_rect(at.x, at.y, at.w, at.h)} rx="{corner}"'
        drawn = [f"<title>{html.escape(box_tooltip(box))}</title>"]
        if box.fold is not None:
            drawn.append(f'{_rect(at.x + 4, at.y - 4, at.w, at.h)} fill="white" {line}/>')
        if len(colors) > 1:
            step = at.w / len(colors)
            drawn += [f'{_rect(at.x + i * step, at.y, step, at.h)} fill="{c}"/>' for i, c in enumerate(colors)]
            drawn.append(f'{outline.replace(" rx=", " data-rx=")} fill="none" {line}/>')
        else:
            drawn.append(f'{outline} fill="{colors[0]}" {line}/>')
        if look.shape == "cylinder":
            drawn.append(f'<path d="M{at.x:.1f},{at.y + 4:.1f} h{at.w:.1f}" {line}/>')
        if look.lines > 1:
            drawn.append(f'{_rect(at.x - 3, at.y - 3, at.w + 6, at.h + 6)} fill="none" {line}/>')
        top = at.y + at.h / 2 - _LINE * (len(self.labels[box]) - 1) / 2 + 3.5
        drawn += [
            _text(at.x + at.w / 2, top + i * _LINE, text, "white" if alarm else "black")
            for i, text in enumerate(self.labels[box])
        ]
        return f"<g>{''.join(drawn)}</g>"

    def _cluster(self, group: Group, at: Place, fill: str) -> str:
        repeats = group.instances > 1
        return (
            f'<g><title>{html.escape(group.label)}</title>{_rect(at.x, at.y, at.w, at.h)} rx="10" fill="{fill}" '
            f'stroke="{CARRY if repeats else "#9aa5b1"}" stroke-width="{1.6 if repeats else 0.8}"/>'
            f"{_text(at.x + 10, at.y + 16, group.label, 'black', size=12, anchor='start')}</g>"
        )

    # ---- edges ----

    def _edge(self, edge: Edge, upward: bool) -> str:
        color, dash = (CARRY, ' stroke-dasharray="5 3"') if edge.carry is not None else (GRADIENT if upward else _EDGE, "")
        path, x, y, anchor = self._path(self.at[edge.source], self.at[edge.target], edge.carry is not None)
        said = edge_label(edge).split("\n")
        self.above += [_text(x, y + 10 * i, part, color, 8, anchor) for i, part in enumerate(said)]
        return (
            f'<g><title>{html.escape(edge_tooltip(edge))}</title><path d="{path}" fill="none" stroke="{color}" opacity="0.85"{dash} '
            f'marker-end="url(#a{color[1:]})"/></g>'
        )

    def _path(self, one: Place, other: Place, carry: bool) -> tuple[str, float, float, str]:
        """The curve of an edge; where its label stands, and by which end."""
        anchor = "middle"
        if not carry and (one.y + one.h < other.y or other.y + other.h < one.y):
            x1, x2 = one.x + one.w / 2, other.x + other.w / 2
            y1, y2 = (one.y + one.h, other.y) if one.y < other.y else (one.y, other.y + other.h)
            c1, c2, bend = x1, x2, (y2 - y1) / 2
            if (out := self._detour(x1, y1, x2, y2)) is not None:  # so that the middle of the curve lies at ``out``
                c1 = c2 = (8 * out - x1 - x2) / 6
                bend /= 2
            x = (x1 + 3 * c1 + 3 * c2 + x2) / 8
            if out is not None:
                anchor = "start" if c1 > x1 else "end"
        else:
            y1, y2, bend = one.y + one.h / 2, other.y + other.h / 2, 0.0
            if not carry and (one.x + one.w < other.x or other.x + other.w < one.x):  # side by side
                x1, x2 = (one.x + one.w, other.x) if one.x < other.x else (one.x, other.x + other.w)
                c1 = c2 = x = (x1 + x2) / 2
            else:  # an arc over the right shoulder
                x1, x2, y1, y2 = one.x + one.w, other.x + other.w, y1 - 4, y2 + 4
                c1 = c2 = max(x1, x2) + 28
                x, anchor = c1 - 14, "start"
        curve = f"M{x1:.1f},{y1:.1f} C{c1:.1f},{y1 + bend:.1f} {c2:.1f},{y2 - bend:.1f} {x2:.1f},{y2:.1f}"
        return curve, x, (y1 + y2) / 2, anchor

    def _detour(self, x1: float, y1: float, x2: float, y2: float) -> float | None:
        """Where to pass boxes that stand in the straight way, on the nearer side."""
        hit = [
            p
            for p in self.at.values()
            if isinstance(p.what, Box)
            and min(y1, y2) < p.y
            and p.y + p.h < max(y1, y2)
            and abs(x1 + (x2 - x1) * (p.y + p.h / 2 - y1) / (y2 - y1) - p.x - p.w / 2) < p.w / 2 + 3
        ]
        if not hit:
            return None
        left, right = min(p.x for p in hit) - 10, max(p.x + p.w for p in hit) + 10
        return left if (x1 + x2) / 2 - left < right - (x1 + x2) / 2 else right

    def _bundle(self, bundle: Bundle) -> str:
        one, other = self.at[bundle.source], self.at[bundle.target]
        middle = bundle.edges[len(bundle.edges) // 2]
        y1, y2 = (self.at[box].y + self.at[box].h / 2 for box in (middle.source, middle.target))
        x1, x2 = (one.x + one.w, other.x) if one.x < other.x else (one.x, other.x + other.w)
        bend = (x2 - x1) / 2
        path = f"M{x1:.1f},{y1:.1f} C{x1 + bend:.1f},{y1:.1f} {x2 - bend:.1f},{y2:.1f} {x2:.1f},{y2:.1f}"
        said = bundle.label.split("\n")
        text = "".join(
            _text(x2 - 6, y2 - 3 - 9 * (len(said) - 1 - i), part, bundle.color, 8, "end") for i, part in enumerate(said)
        )
        return (
            f'<g><title>{html.escape(bundle.tooltip)}</title><path d="{path}" fill="none" stroke="{bundle.color}" '
            f'stroke-width="{1 if bundle.single else 2}" opacity="0.7" marker-end="url(#a{bundle.color[1:]})"/>{text}</g>'
        )

    # ---- title, legend ----

    def _head(self, graph: Graph, title: str | None, keys: list[list[Key]]) -> tuple[list[str], float, float]:
        """The lines above the picture, their width and height."""
        y, widest = 12.0, 0.0
        drawn = []
        for text, size in ((title or "", 16), (summary(graph), 11)):
            if text:
                drawn.append(_text(0, y, text, "black", size, "start"))
                widest, y = max(widest, len(text) * size * 0.63), y + size + 8
        for row in keys:
            x = 0.0
            for key in row:
                w = _CHAR * len(key.text) + 12
                if key.fill:
                    line = f'stroke-width="{key.width:g}"{_dashes(key.style)} rx="{8 if "rounded" in key.style else 0}"'
                    drawn.append(f'{_rect(x, y - 10, w, 18)} fill="{key.fill}" stroke="{key.color}" {line}/>')
                ink = "white" if key.fill == "#000000" else "black" if key.fill else key.color
                drawn.append(_text(x + w / 2, y + 3, key.text, ink))
                x += w + (4 if key.fill else 8)
            widest, y = max(widest, x), y + 24
        return drawn, widest, math.ceil(y)


def _first_box(place: Place) -> Box:
    return place.what if isinstance(place.what, Box) else _first_box(place.inside[0])


def _rect(x: float, y: float, w: float, h: float) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}"'


def _text(x: float, y: float, text: str, color: str, size: int = 10, anchor: str = "middle") -> str:
    halo = ' paint-order="stroke" stroke="white" stroke-width="2" stroke-opacity="0.8"' if size == 8 else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{color}" font-size="{size}" text-anchor="{anchor}"{halo}>{html.escape(text)}</text>'


def _dashes(style: str) -> str:
    return ' stroke-dasharray="4 2"' if "dashed" in style else ""
