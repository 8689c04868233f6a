"""A rolled-up graph as DOT text, in the language of graphviz. The same graph gives the same bytes."""

from __future__ import annotations

import html

from .labels import box_label, box_tooltip, edge_label, edge_tooltip
from .legend import Key, legend, summary
from .looks import CARRY, GRADIENT, LOOKS, SIDES
from .roles import LEAVES
from .rollup import Box, Edge, Graph, Group
from .sides import UPWARD, Bundle, bundles, sides_of
from .tint import Tint

__all__ = ["sturdier", "to_dot"]

_FONT = "DejaVu Sans,Verdana,Helvetica,sans-serif"
_FREE, _BY_CLUSTERS = "constraint=false, ", "newrank=false"
_ALARM = 'color="#e0002b", penwidth=4, fontcolor=white'


def to_dot(graph: Graph, title: str | None = None, tint: Tint | None = None) -> str:
    """The DOT text of ``graph`` under ``title``: nested clusters, a legend of what occurs, notes of what is left out."""
    return "\n".join(_Writer(graph, title, tint).lines) + "\n"


def sturdier(text: str) -> str:
    """The same picture in a form that graphviz cannot fail on: it may abort at labels of edges that do not take part in the
    ranking, and lose edges where clusters feed each other in a circle. Labels then lie where there is room, over boxes too.
    """
    return text.replace(f"{_FREE}label=", f"{_FREE}xlabel=").replace(_BY_CLUSTERS, "newrank=true")


class _Writer:
    def __init__(self, graph: Graph, title: str | None, tint: Tint | None) -> None:
        self.graph, self.tint = graph, tint
        self.ids = {box: f"n{i}" for i, box in enumerate(graph.boxes)}
        self.inside: dict[Group, list[Box]] = {}
        for box in graph.boxes:
            self.inside.setdefault(box.group, []).append(box)
        self.sides = sides_of(graph)
        self.clusters: dict[Group, str] = {}
        plain, bundled = bundles(graph, self.sides)
        # curves around a long column of boxes, many of them to one box, take graphviz half a minute
        splines = "line" if len(bundled) > 60 or any(box.fold == "" for box in graph.boxes) else "true"
        folded = all(box.fold is not None or box.role in LEAVES for box in graph.boxes)
        gap = 0.9 if folded and any(bundle.single for bundle in bundled) else 0.18  # room for the labels between boxes
        self.lines: list[str] = []
        self._group(graph.root, "  ")
        for edge in plain:
            self._edge(edge)
        for bundle in bundled:
            self._bundle(bundle)
        keys = legend(graph, self.sides, bundled, tint)
        self.lines = [
            "digraph tape {",
            f'  graph [rankdir=TB, labelloc=t, fontname="{_FONT}", fontsize=11, nodesep={gap}, ranksep=0.28,'
            f" compound=true, splines={splines}, {_BY_CLUSTERS}, bgcolor=white, label={_head(title, summary(graph), keys)}]",
            f'  node [fontname="{_FONT}", fontsize=10, style="filled,rounded", margin="0.09,0.04", height=0.28, width=0.3]',
            f'  edge [fontname="{_FONT}", fontsize=8, arrowsize=0.6, color="#5a6470", fontcolor="#4a525c"]',
            *self.lines,
            "}",
        ]

    # ---- clusters and boxes ----

    def _group(self, group: Group, pad: str) -> None:
        for box in self.inside.get(group, ()):
            self.lines.append(f"{pad}{self.ids[box]} [{self._box(box)}]")
        for child in group.children.values():
            first = self._first(child)
            if first is None:
                continue
            self.clusters[child] = f"cluster_{len(self.clusters)}"
            self.lines += [
                f"{pad}subgraph {self.clusters[child]} {{",
                f'{pad}  graph [label={_text(child.label)}, labeljust=l, labelloc=t, style="filled,rounded", '
                f'color="{CARRY if child.instances > 1 else "#9aa5b1"}", fillcolor="{SIDES[self.sides[first]]}", '
                f"penwidth={1.6 if child.instances > 1 else 0.8}, fontsize=12, margin=10, tooltip={_text(child.label)}]",
            ]
            self._group(child, pad + "  ")
            self.lines.append(f"{pad}}}")

    def _first(self, group: Group) -> Box | None:
        """The first box in a group or below, if there is one."""
        if group in self.inside:
            return self.inside[group][0]
        return next((box for child in group.children.values() if (box := self._first(child)) is not None), None)

    def _box(self, box: Box) -> str:
        look = LOOKS[box.role]
        label, style, colors = box_label(box), look.style, look.fill
        border = f'color="{look.border}"' + (f", penwidth={look.width:g}" if look.width != 1 and box.fold is None else "")
        if self.tint is not None:
            shade = self.tint.shade(box)
            label, colors = label + (f"\n{shade.text}" if shade.text else ""), ":".join(shade.colors)
            border = _ALARM if shade.alarm else border
            if len(shade.colors) > 1:
                style, colors = ("striped", colors) if look.shape == "box" else (style, f"{shade.colors[0]}:{shade.colors[-1]}")
        said = [f"label={_text(label)}", f'fillcolor="{colors}"', border, f"tooltip={_text(box_tooltip(box))}"]
        if box.fold is not None:
            said += ["shape=box3d", f"style={'striped' if style == 'striped' else 'filled'}", 'margin="0.2,0.1"']
        else:
            said += [f"shape={look.shape}", f'style="{style}"']
            said += ['margin="0.03,0.02"'] if look.shape == "ellipse" else []
            said += [f"peripheries={look.lines}"] if look.lines > 1 else []
        return ", ".join(said)

    # ---- edges ----

    def _edge(self, edge: Edge) -> None:
        source, target = self.ids[edge.source], self.ids[edge.target]
        said = [f"label={_text(edge_label(edge))}", f"tooltip={_text(edge_tooltip(edge))}"]
        if edge.carry is not None:
            said = [f"{_FREE}{said[0]}", said[1], "style=dashed", f'color="{CARRY}"', f'fontcolor="{CARRY}"']
        elif self.sides[edge.source] == self.sides[edge.target] and self.sides[edge.source] in UPWARD:
            source, target = target, source
            said += ["dir=back", f'color="{GRADIENT}"']
        self.lines.append(f"  {source} -> {target} [{', '.join(said)}]")

    def _bundle(self, bundle: Bundle) -> None:
        """A bundle does not take part in the ranking: forward and backward stand side by side."""
        source, target, color = bundle.source, bundle.target, bundle.color
        middle = bundle.edges[len(bundle.edges) // 2]
        said = [
            f"{_FREE}headlabel={_text(bundle.label)}", f"tooltip={_text(bundle.tooltip)}", f'color="{color}"',
            f'fontcolor="{color}"', *([] if bundle.single else ["penwidth=2", "arrowsize=0.8"]),
        ]  # fmt: skip
        if isinstance(source, Group):
            said.append(f"ltail={self.clusters[source]}")
        if isinstance(target, Group):
            said.append(f"lhead={self.clusters[target]}")
        self.lines.append(f"  {self.ids[middle.source]} -> {self.ids[middle.target]} [{', '.join(said)}]")


def _head(title: str | None, notes: str, keys: list[list[Key]]) -> str:
    """Title, notes and legend as an HTML-like label."""
    rows = [f'<FONT POINT-SIZE="16">{html.escape(title)}</FONT>'] if title else []
    rows += [html.escape(notes), *(_table(row) for row in keys)]
    return f'<<TABLE BORDER="0" CELLSPACING="0">{"".join(f"<TR><TD>{row}</TD></TR>" for row in rows)}</TABLE>>'


def _table(keys: list[Key]) -> str:
    cells = "".join(_cell(key) for key in keys)
    return f'<TABLE BORDER="0" CELLBORDER="1" CELLPADDING="3" CELLSPACING="2"><TR>{cells}</TR></TABLE>'


def _cell(key: Key) -> str:
    text = html.escape(key.text)
    if not key.fill:
        return f'<TD BORDER="0"><FONT COLOR="{key.color}">{text}</FONT></TD>'
    if key.fill == "#000000":
        text = f'<FONT COLOR="white">{text}</FONT>'
    return f'<TD BGCOLOR="{key.fill}" COLOR="{key.color}" BORDER="{key.width:g}"{_style(key.style)}>{text}</TD>'


def _style(style: str) -> str:
    """The part of a box's style that a cell of a table can show."""
    shown = ",".join(word for word in ("rounded", "dashed") if word in style)
    return f' STYLE="{shown}"' if shown else ""


def _text(text: str) -> str:
    """A quoted DOT string; lines are centred."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
