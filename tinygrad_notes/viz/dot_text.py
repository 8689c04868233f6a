"""A rolled-up graph as DOT text, in the language of graphviz. The same graph gives the same bytes."""

from __future__ import annotations

import html

from .labels import box_label, box_tooltip, edge_label, edge_tooltip
from .rollup import Box, Edge, Graph, Group, is_parameter

__all__ = ["sturdier", "to_dot"]

_FONT = "DejaVu Sans,Verdana,Helvetica,sans-serif"

_LOOKS = {  # role: fill, border, shape, what the legend says
    "parameter": ("#ffe08a", "#b8860b", "box", "parameter"),
    "state": ("#e3d4f5", "#7b52ab", "cylinder", "state"),
    "data": ("#ececec", "#777777", "ellipse", "data"),
    "constant": ("#ffffff", "#999999", "ellipse", "constant"),
    "forward": ("#cfe5fa", "#3b78ad", "box", "forward"),
    "gradient": ("#fbd3cd", "#c0503f", "box", "gradient"),
    "update": ("#d8efd3", "#5c9a52", "box", "no gradient flows"),
    "write": ("#c9b3e6", "#5b2c91", "box", "written in place"),
}
_CARRY, _GRADIENT, _KEPT, _UPDATED = "#8b1fa9", "#b0503f", "#7f97b2", "#c79a2a"

_FREE, _BY_CLUSTERS = "constraint=false, ", "newrank=false"


def to_dot(graph: Graph, title: str | None = None) -> str:
    """The DOT text of ``graph`` under ``title``: nested clusters, a legend of what occurs, notes of what is left out."""
    return "\n".join(_Writer(graph, title).lines) + "\n"


def sturdier(text: str) -> str:
    """The same picture in a form that graphviz cannot fail on: it may abort at labels of edges that do not take part in the
    ranking, and lose edges where clusters feed each other in a circle. Labels then lie where there is room, over boxes too.
    """
    return text.replace(f"{_FREE}label=", f"{_FREE}xlabel=").replace(_BY_CLUSTERS, "newrank=true")


class _Writer:
    def __init__(self, graph: Graph, title: str | None) -> None:
        self.graph = graph
        self.ids = {box: f"n{i}" for i, box in enumerate(graph.boxes)}
        self.inside: dict[Group, list[Box]] = {}
        for box in graph.boxes:
            self.inside.setdefault(box.group, []).append(box)
        self.sides = self._sides()
        self.clusters: dict[Group, str] = {}
        # curves around a long column of boxes, all to the box of the rest, take graphviz twenty seconds
        splines = "line" if any(box.fold == "" for box in graph.boxes) else "true"
        self.lines = [
            "digraph tape {",
            f'  graph [rankdir=TB, labelloc=t, fontname="{_FONT}", fontsize=11, nodesep=0.18, ranksep=0.28,'
            f" compound=true, splines={splines}, {_BY_CLUSTERS}, bgcolor=white, label={self._head(title)}]",
            f'  node [fontname="{_FONT}", fontsize=10, style="filled,rounded", margin="0.09,0.04", height=0.28, width=0.3]',
            f'  edge [fontname="{_FONT}", fontsize=8, arrowsize=0.6, color="#5a6470", fontcolor="#4a525c"]',
        ]
        self._group(graph.root, "  ")
        across: dict[tuple[Box | Group, Box | Group], list[Edge]] = {}
        for edge in graph.edges:
            if self.sides[edge.source] == "forward" != self.sides[edge.target]:
                across.setdefault((self._end(edge.source), self._end(edge.target)), []).append(edge)
            else:
                self._edge(edge)
        for ends, edges in across.items():
            self._bundle(*ends, edges)
        self.lines.append("}")

    # ---- clusters and boxes ----

    def _group(self, group: Group, pad: str) -> None:
        for box in self.inside.get(group, ()):
            self.lines.append(f"{pad}{self.ids[box]} [{self._box(box)}]")
        for child in group.children.values():
            if not self._occupied(child):
                continue
            color = "#fdf3f1" if child.chain()[0].name == "backward" else "#f6f8fa"
            self.clusters[child] = f"cluster_{len(self.clusters)}"
            self.lines += [
                f"{pad}subgraph {self.clusters[child]} {{",
                f'{pad}  graph [label={_text(child.label)}, labeljust=l, labelloc=t, style="filled,rounded", '
                f'color="{_CARRY if child.instances > 1 else "#9aa5b1"}", fillcolor="{color}", '
                f"penwidth={1.6 if child.instances > 1 else 0.8}, fontsize=12, margin=10, tooltip={_text(child.label)}]",
            ]
            self._group(child, pad + "  ")
            self.lines.append(f"{pad}}}")

    def _occupied(self, group: Group) -> bool:
        return group in self.inside or any(self._occupied(child) for child in group.children.values())

    def _box(self, box: Box) -> str:
        fill, border, shape, _ = _LOOKS[box.role]
        said = [
            f"label={_text(box_label(box))}",
            f'fillcolor="{fill}"',
            f'color="{border}"',
            f"tooltip={_text(box_tooltip(box))}",
        ]
        if box.fold is not None:
            said += ["shape=box3d", "style=filled", 'margin="0.2,0.1"']
        elif shape != "box":
            said += [f"shape={shape}", "style=filled"] + (['margin="0.03,0.02"'] if shape == "ellipse" else [])
        else:
            said += ["shape=box"]
        if box.role in ("parameter", "write") and box.fold is None:
            said.append("penwidth=2")
        return ", ".join(said)

    # ---- edges ----

    def _sides(self) -> dict[Box, str]:
        """forward, backward or update, for every box: what feeds the forward pass belongs to it, and an outermost group is
        on one side as a whole."""
        sources: dict[Box, list[Box]] = {}
        for edge in self.graph.edges:
            sources.setdefault(edge.target, []).append(edge.source)
        stack = [box for box in self.graph.boxes if box.role == "forward"]
        feeding = set(stack)
        while stack:
            for source in sources.get(stack.pop(), ()):
                if source not in feeding and source.role not in ("gradient", "write"):
                    feeding.add(source)
                    stack.append(source)
        found = {
            box: "backward" if box.role == "gradient" else "forward" if box in feeding else "update" for box in self.graph.boxes
        }
        whole: dict[Group, set[str]] = {}
        for box, side in found.items():
            if box.group.parent is not None:
                whole.setdefault(box.group.chain()[0], set()).add(side)
        for box in found:
            if box.group.parent is not None:
                found[box] = min(whole[box.group.chain()[0]], key=("forward", "backward", "update").index)
        return found

    def _edge(self, edge: Edge) -> None:
        source, target = self.ids[edge.source], self.ids[edge.target]
        said = [f"label={_text(edge_label(edge))}", f"tooltip={_text(edge_tooltip(edge))}"]
        if edge.carry is not None:
            said = [f"{_FREE}{said[0]}", said[1], "style=dashed", f'color="{_CARRY}"', f'fontcolor="{_CARRY}"']
        elif self.sides[edge.source] == self.sides[edge.target] == "backward":
            source, target = target, source  # gradients flow up, beside the forward pass that flows down
            said += ["dir=back", f'color="{_GRADIENT}"']
        self.lines.append(f"  {source} -> {target} [{', '.join(said)}]")

    def _end(self, box: Box) -> Box | Group:
        """Where an edge from the forward side to another ends: at the layer, not at each of its boxes."""
        layer: Box | Group = box
        for group in box.group.chain():
            if group.instances > 1 or group.index is not None:
                break
            if self.sides[box] != "backward" or group.parent is not self.graph.root:
                layer = group
        return layer

    def _bundle(self, source: Box | Group, target: Box | Group, edges: list[Edge]) -> None:
        """One edge for all values that one layer hands to another side: residuals to backward, parameters to the optimizer.

        It does not take part in the ranking: forward and backward stand side by side.
        """
        nodes = {node for edge in edges for node in edge.values}
        many = len(nodes)
        kept = self.sides[edges[0].target] == "backward"
        what, color = ("value", _KEPT) if kept or any(not is_parameter(node) for node in nodes) else ("parameter", _UPDATED)
        names = dict.fromkeys(box_label(edge.source).replace("\n", " ") for edge in edges)
        middle = edges[len(edges) // 2]
        said = [
            f'{_FREE}label="{many:,} {what}{"s" * (many > 1)}{" kept" * kept}"', f"tooltip={_text(chr(10).join(names))}",
            f'color="{color}"', f'fontcolor="{color}"', "penwidth=2", "arrowsize=0.8",
        ]  # fmt: skip
        if isinstance(source, Group):
            said.append(f"ltail={self.clusters[source]}")
        if isinstance(target, Group):
            said.append(f"lhead={self.clusters[target]}")
        self.lines.append(f"  {self.ids[middle.source]} -> {self.ids[middle.target]} [{', '.join(said)}]")

    # ---- title, legend, notes ----

    def _head(self, title: str | None) -> str:
        graph = self.graph
        total = f"{graph.nodes + graph.contracted:,} operations in {len(graph.boxes):,} boxes"
        notes = [total, *([f"{graph.contracted:,} views are part of the edges"] if graph.contracted else []), *graph.notes]
        roles = {box.role for box in graph.boxes}
        cells = "".join(
            f'<TD BGCOLOR="{fill}" COLOR="{border}">{legend}</TD>'
            for role, (fill, border, _, legend) in _LOOKS.items()
            if role in roles
        )
        if any(edge.carry is not None for edge in graph.edges):
            cells += f'<TD BORDER="0"><FONT COLOR="{_CARRY}">dashed: to the next instance</FONT></TD>'
        if "backward" in self.sides.values():
            cells += f'<TD BORDER="0"><FONT COLOR="{_GRADIENT}">↑ gradients flow upward</FONT></TD>'
        rows = [f'<FONT POINT-SIZE="16">{html.escape(title)}</FONT>'] if title else []
        rows += [html.escape("; ".join(notes)), f'<TABLE BORDER="0" CELLBORDER="1" CELLPADDING="3"><TR>{cells}</TR></TABLE>']
        return f'<<TABLE BORDER="0">{"".join(f"<TR><TD>{row}</TD></TR>" for row in rows)}</TABLE>>'


def _text(text: str) -> str:
    """A quoted DOT string; lines are centred."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
