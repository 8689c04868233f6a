"""A rolled-up graph as DOT text, in the language of graphviz. The same graph gives the same bytes."""

from __future__ import annotations

import html

from .labels import box_label, box_tooltip, edge_label, edge_tooltip, values_label
from .looks import CARRY, GRADIENT, KEPT, LOOKS, SIDES, UPDATED
from .roles import is_parameter
from .rollup import Box, Edge, Graph, Group
from .sides import sides_of
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
        self.said: dict[str, str] = {}  # kinds of edges that occur, for the legend
        self.lines: list[str] = []
        self._group(graph.root, "  ")
        across: dict[tuple[Box | Group, Box | Group], list[Edge]] = {}
        for edge in graph.edges:
            one, other = self.sides[edge.source], self.sides[edge.target]
            if one != other and (one == "forward" or other == "second"):
                across.setdefault((self._end(edge.source), self._end(edge.target)), []).append(edge)
            else:
                self._edge(edge)
        for ends, edges in across.items():
            self._bundle(*ends, edges)
        # curves around a long column of boxes, many of them to one box, take graphviz half a minute
        splines = "line" if len(across) > 60 or any(box.fold == "" for box in graph.boxes) else "true"
        self.lines = [
            "digraph tape {",
            f'  graph [rankdir=TB, labelloc=t, fontname="{_FONT}", fontsize=11, nodesep=0.18, ranksep=0.28,'
            f" compound=true, splines={splines}, {_BY_CLUSTERS}, bgcolor=white, label={self._head(title)}]",
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
            self.said[CARRY] = "dashed: to the next instance"
        elif self.sides[edge.source] == self.sides[edge.target] and self.sides[edge.source] in ("backward", "second"):
            source, target = target, source  # gradients flow up, beside the forward pass that flows down
            said += ["dir=back", f'color="{GRADIENT}"']
            self.said[GRADIENT] = "↑ gradients flow upward"
        self.lines.append(f"  {source} -> {target} [{', '.join(said)}]")

    def _end(self, box: Box) -> Box | Group:
        """Where an edge from one side to another ends: at the layer, not at each of its boxes."""
        layer: Box | Group = box
        for group in box.group.chain():
            if group.instances > 1 or group.index is not None:
                break
            if self.sides[box] not in ("backward", "second") or group.parent is not self.graph.root:
                layer = group
        return layer

    def _bundle(self, source: Box | Group, target: Box | Group, edges: list[Edge]) -> None:
        """One edge for all values that one layer hands to another side: residuals to backward, parameters to the optimizer.

        It does not take part in the ranking: forward and backward stand side by side.
        """
        nodes = {node for edge in edges for node in edge.values}
        kept = self.sides[edges[0].target] in ("backward", "second")
        color = KEPT if kept or any(not is_parameter(node) for node in nodes) else UPDATED
        single = isinstance(source, Box) and isinstance(target, Box)
        label = edge_label(edges[0]) if single else values_label(nodes, "value" if color == KEPT else "parameter")
        names = dict.fromkeys(box_label(edge.source).replace("\n", " ") for edge in edges)
        middle = edges[len(edges) // 2]
        said = [
            f"{_FREE}headlabel={_text(label)}", f"tooltip={_text(chr(10).join(names))}", f'color="{color}"', f'fontcolor="{color}"',
            *([] if single else ["penwidth=2", "arrowsize=0.8"]),
        ]  # fmt: skip
        if isinstance(source, Group):
            said.append(f"ltail={self.clusters[source]}")
        if isinstance(target, Group):
            said.append(f"lhead={self.clusters[target]}")
        self.said[color] = (
            ("→ kept by forward, read by backward" if kept else "→ read") if color == KEPT else "→ what is updated"
        )
        self.lines.append(f"  {self.ids[middle.source]} -> {self.ids[middle.target]} [{', '.join(said)}]")

    # ---- title, legend, notes ----

    def _head(self, title: str | None) -> str:
        graph = self.graph
        total = f"{graph.nodes + graph.contracted:,} operations in {len(graph.boxes):,} boxes"
        notes = [total, *([f"{graph.contracted:,} views are part of the edges"] if graph.contracted else []), *graph.notes]
        roles = {box.role for box in graph.boxes}
        looks = [look for role, look in LOOKS.items() if role in roles]
        cells = "".join(
            f'<TD BGCOLOR="{look.fill if self.tint is None else "#ffffff"}" COLOR="{look.border}" BORDER="{look.width:g}"'
            f"{_style(look.style)}>{look.legend}</TD>"
            for look in looks
        )
        keys = "".join(
            f'<TD BORDER="0"><FONT COLOR="{color}">{self.said[color]}</FONT></TD>'
            for color in (KEPT, GRADIENT, UPDATED, CARRY)
            if color in self.said
        )
        rows = [f'<FONT POINT-SIZE="16">{html.escape(title)}</FONT>'] if title else []
        rows += [html.escape("; ".join(notes)), _table(cells), *([_table(keys)] if keys else [])]
        if self.tint is not None:
            bar = "".join(
                f'<TD BGCOLOR="{color}" BORDER="1">{f"<FONT COLOR={chr(34)}white{chr(34)}>{text}</FONT>" if dark else text}</TD>'
                for color, text in self.tint.legend()
                for dark in (color == "#000000",)
            )
            rows.append(_table(f'<TD BORDER="0">{self.tint.what}</TD>{bar}', spacing=0))
            if "striped" in "".join(self.lines):
                rows.append("stripes: from the first instance to the last")
        return f'<<TABLE BORDER="0" CELLSPACING="0">{"".join(f"<TR><TD>{row}</TD></TR>" for row in rows)}</TABLE>>'


def _table(cells: str, spacing: int = 3) -> str:
    return f'<TABLE BORDER="0" CELLBORDER="1" CELLPADDING="3" CELLSPACING="{spacing}"><TR>{cells}</TR></TABLE>'


def _style(style: str) -> str:
    """The part of a box's style that a cell of a table can show."""
    shown = ",".join(word for word in ("rounded", "dashed") if word in style)
    return f' STYLE="{shown}"' if shown else ""


def _text(text: str) -> str:
    """A quoted DOT string; lines are centred."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
