"""Our own layered SVG: it stands in for graphviz, so it must hold everything, overlap nothing, and be the same everywhere."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET

import pytest
from test_viz import recurrent, training_step

import tinygrad_notes as tn
from tinygrad_notes.viz.layered import Place, layout
from tinygrad_notes.viz.looks import SIDES
from tinygrad_notes.viz.rollup import Box, Graph, Group
from tinygrad_notes.viz.sides import UPWARD, bundles, sides_of


@pytest.fixture(scope="module")
def real() -> tn.Tape:
    return training_step(8)


def places(graph: Graph) -> tuple[dict[Box | Group, Place], float, float]:
    return layout(graph, sides_of(graph), tuple(SIDES), UPWARD, lambda box: (60.0, 30.0))


def apart(a: Place, b: Place) -> bool:
    return a.x + a.w <= b.x or b.x + b.w <= a.x or a.y + a.h <= b.y or b.y + b.h <= a.y


def contains(outer: Place, inner: Place) -> bool:
    return (
        outer.x <= inner.x
        and outer.y <= inner.y
        and inner.x + inner.w <= outer.x + outer.w + 1e-9
        and inner.y + inner.h <= outer.y + outer.h + 1e-9
    )


def test_nothing_overlaps_and_everything_is_in_its_cluster(real: tn.Tape) -> None:
    graph = tn.viz.graph(real, max_nodes=1000)
    at, width, height = places(graph)
    assert {what for what in at if isinstance(what, Box)} == set(graph.boxes)
    for a, b in itertools.combinations(at.values(), 2):
        inside = [(x, y) for x, y in ((a, b), (b, a)) if isinstance(x.what, Group) and x.what in _chain(y.what)]
        assert contains(*inside[0]) if inside else apart(a, b)
    whole = Place(graph.root, width, height, 0)
    assert all(contains(whole, place) for place in at.values())


def _chain(what: Box | Group) -> tuple[Group, ...]:
    return what.group.chain() if isinstance(what, Box) else what.chain()[:-1]


def test_forward_flows_down_and_gradients_up() -> None:
    x = tn.tensor([1.0, 2.0], requires_grad=True)
    graph = tn.viz.graph((x.sin().exp() * x.cos()).sum(), order=1)
    sides, (at, _, _) = sides_of(graph), places(graph)
    plain, _ = bundles(graph, sides)
    assert {sides[edge.source] for edge in plain} == {"forward", "backward"}
    for edge in plain:
        source, target = at[edge.source], at[edge.target]
        lower, upper = (target, source) if sides[edge.source] == "forward" else (source, target)
        assert upper.y + upper.h < lower.y
    columns = {side: [at[box].x for box in graph.boxes if sides[box] == side] for side in ("forward", "backward")}
    assert max(columns["forward"]) < min(columns["backward"])


@pytest.mark.parametrize("options", [{}, {"tint": "grad"}, {"depth": 1}, {"max_nodes": 10}, {"views": True, "max_nodes": 400}])
def test_the_svg_is_well_formed_and_says_what_the_dot_text_says(real: tn.Tape, options: dict) -> None:
    picture = tn.viz.draw(real, title="a <step> & more", **options)
    svg = ET.fromstring(picture.plain)
    said = [text.text for text in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert "a <step> & more" in said
    labels = re.findall(r'^ *n\d+ \[label="((?:[^"\\]|\\.)*)"', picture.text, re.MULTILINE)
    assert len(labels) == len(tn.viz.graph(real, **{key: options[key] for key in options if key != "tint"}).boxes)
    assert {line for label in labels for line in label.split("\\n")} <= set(said)
    assert tn.viz.draw(real, title="a <step> & more", **options).plain == picture.plain


def test_striped_boxes_and_double_borders_are_drawn() -> None:
    tape, _ = recurrent(30)
    svg = tn.viz.draw(tape, tint="value").plain
    assert svg.count("stripes: first to last instance") == 1
    x = tn.tensor([1.0], requires_grad=True)
    second = tn.viz.draw((x * x * x).sum(), order=2)
    drawn = sum(box.role == "second" for box in tn.viz.graph((x * x * x).sum(), order=2).boxes)
    assert second.text.count("peripheries=2") == drawn > 0


def test_an_empty_tape_is_a_picture_too() -> None:
    svg = tn.viz.draw(tn.Tape(), title="nothing").plain
    assert "0 operations in 0 boxes" in svg
    ET.fromstring(svg)


def test_a_thousand_boxes_are_laid_out_in_seconds() -> None:
    x = tn.tensor([1.0], requires_grad=True)
    with tn.Tape() as tape:
        for _ in range(500):
            x = x * x.sin()
    svg = tn.viz.draw(tape, max_nodes=2000).plain
    assert svg.count("<title>") > 1000
