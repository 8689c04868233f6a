"""Pictures: what is merged, what is folded, what is written, what is drawn.

``python tests/test_viz.py`` writes the golden files again; look at the difference before it is committed.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.viz import picture as picture_module
from tinygrad_notes.viz.rollup import Box, Edge, Graph, Group
from tinygrad_notes.viz.sides import sides_of

GOLDEN = Path(__file__).parent / "golden"
LEAVES = ("parameter", "state", "data", "constant")


# ---- recordings ----


def recurrent(steps: int, size: int = 3) -> tuple[tn.Tape, tn.Tensor]:
    """A recurrent network by hand: every step reads the state of the one before; then backward."""
    rng = np.random.default_rng(0)
    w = tn.tensor(rng.normal(size=(size, size)).astype("f4"), requires_grad=True)
    x = tn.tensor(rng.normal(size=(steps, 2, size)).astype("f4"))
    with tn.Tape() as tape:
        tape.names[w._current_node()] = "rnn.weight"
        with tn.scope("rnn"):
            h = tn.zeros(2, size)
            for t in range(steps):
                with tn.scope("step", t):
                    h = (x[t] + h @ w).tanh()
        with tn.scope("loss"):
            loss = (h * h).sum()
        loss.backward()
        with tn.no_grad(), tn.scope("sgd"):
            w -= 0.1 * w.grad
    return tape, loss


def training_step(steps: int) -> tn.Tape:
    """Embedding, LSTM, head, cross-entropy, backward, clipping, Adam: as a user writes it."""

    class Net(tn.nn.Module):
        def __init__(self) -> None:
            self.embedding = tn.nn.Embedding(11, 4)
            self.lstm = tn.nn.LSTM(4, 5, batch_first=True)
            self.head = tn.nn.Linear(5, 11)

        def forward(self, x: tn.Tensor) -> tn.Tensor:
            return self.head(self.lstm(self.embedding(x))[0])

    tn.manual_seed(0)
    net = Net()
    optimizer = tn.optim.Adam(net.parameters())
    rng = np.random.default_rng(0)
    x, y = (tn.tensor(rng.integers(0, 11, (2, steps))) for _ in range(2))
    with tn.Tape() as tape:
        loss = tn.nn.functional.cross_entropy(net(x).reshape(-1, 11), y.reshape(-1))
        loss.backward()
        tn.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
    return tape


@pytest.fixture(scope="module")
def tape64() -> tn.Tape:
    return recurrent(64)[0]


@pytest.fixture(scope="module")
def real() -> tn.Tape:
    return training_step(16)


def path(box: Box) -> str:
    return "/".join(group.label for group in box.group.chain())


def find(graph: Graph, op: str, where: str) -> Box:
    """The one box of an operation in a scope."""
    (found,) = (box for box in graph.boxes if box.fold is None and box.members[0].op.name == op and path(box) == where)
    return found


def between(graph: Graph, source: Box, target: Box) -> Edge:
    (found,) = (edge for edge in graph.edges if edge.source is source and edge.target is target)
    return found


def labels(text: str) -> list[str]:
    return re.findall(r'label="((?:[^"\\]|\\.)*)"', text)


# ---- merging ----


@pytest.mark.parametrize("views", [False, True])
@pytest.mark.parametrize("which", ["tape64", "real"])
def test_every_node_is_in_exactly_one_box(which: str, views: bool, request: pytest.FixtureRequest) -> None:
    tape = request.getfixturevalue(which)
    graph = tn.viz.graph(tape, views=views, max_nodes=10_000)
    members = [node for box in graph.boxes for node in box.members]
    assert len(members) == len(set(members))
    computed = [node for box in graph.boxes if box.role not in LEAVES for node in box.members]
    assert len(computed) + graph.contracted == len(tape.nodes)
    assert (graph.contracted == 0) == views
    read = {source for node in tape.nodes for source in node.inputs if source.op.kind != "literal"}
    assert set(members) >= read - {node for node in tape.nodes if node.op.kind == "view"}


def child(group: Group, name: str) -> Group:
    (found,) = (child for child in group.children.values() if child.name == name)
    return found


def test_steps_become_one_group(tape64: tn.Tape) -> None:
    graph = tn.viz.graph(tape64)
    assert [child.label for child in child(graph.root, "rnn").children.values()] == ["step ×64"]
    steps = [box for box in graph.boxes if path(box) == "rnn/step ×64"]
    assert [(box.members[0].op.name, len(box.members)) for box in steps] == [("matmul", 64), ("add", 64), ("tanh", 64)]
    assert "backward/rnn/step ×64" in {path(box) for box in graph.boxes}


def test_carry_leads_to_the_next_step(tape64: tn.Tape) -> None:
    graph = tn.viz.graph(tape64)
    matmul, add, tanh = (find(graph, op, "rnn/step ×64") for op in ("matmul", "add", "tanh"))
    carry = between(graph, tanh, matmul)
    assert carry.carry is child(child(graph.root, "rnn"), "step")
    assert (carry.count, carry.strides) == (63, {1})
    within = between(graph, matmul, add)
    assert (within.carry, within.count) == (None, 64)
    backward = {edge.carry.parent.name: edge.strides for edge in graph.edges if edge.carry and edge.source.role == "gradient"}
    assert backward == {"rnn": {-1}}
    text = tn.viz.dot(tape64)
    assert "step t→t+1\\n2×3 (×63)" in labels(text)
    assert any("step t+1→t" in label for label in labels(text))


def test_what_only_some_instances_do_is_a_box_of_its_own() -> None:
    x = tn.tensor([1.0], requires_grad=True)
    with tn.Tape() as tape:
        y = x
        for i in range(5):
            with tn.scope("block", i):
                y = y * 2.0
                if i in (0, 3):
                    y = y.exp()
                y = y.tanh()
    found = [(box.members[0].op.name, len(box.members)) for box in tn.viz.graph(tape).boxes if box.role == "forward"]
    assert found == [("mul", 5), ("exp", 2), ("tanh", 5)]
    assert {"mul · 2", "exp ×2", "tanh"} <= set(labels(tn.viz.dot(tape)))


def test_calls_of_a_scope_without_index_are_instances_too() -> None:
    h, w = tn.tensor([[1.0, 2.0]]), tn.tensor([[1.0, 0.5], [0.5, 1.0]], requires_grad=True)
    with tn.Tape() as tape:
        for _ in range(6):
            with tn.scope("cell"):
                h = (h @ w).tanh()
    graph = tn.viz.graph(tape)
    assert {path(box) for box in graph.boxes if box.role == "forward"} == {"cell ×6"}
    assert between(graph, find(graph, "tanh", "cell ×6"), find(graph, "matmul", "cell ×6")).count == 5
    weight = next(box for box in graph.boxes if box.role == "parameter")
    assert (path(weight), len(weight.members)) == ("", 1)


def test_groups_in_groups_count_inside_their_parent() -> None:
    x = tn.tensor([1.0], requires_grad=True)
    with tn.Tape() as tape:
        for layer in range(2):
            for t in range(3):
                with tn.scope("layer", layer), tn.scope("step", t):
                    x = x.sin()
    graph = tn.viz.graph(tape)
    sin = find(graph, "sin", "layer ×2/step ×3")
    assert len(sin.members) == 6
    assert {edge.carry.name: edge.count for edge in graph.edges if edge.carry} == {"step": 4, "layer": 1}


def test_parameters_of_an_optimizer_merge_across_shapes(real: tn.Tape) -> None:
    graph = tn.viz.graph(real)
    assert child(child(graph.root, "adam"), "param").label == "param ×7"
    assert {len(box.members) for box in graph.boxes if path(box) == "adam/param ×7"} == {7}
    assert {path(box) for box in graph.boxes if box.role == "state"} == {"adam/param ×7"}
    assert len(find(graph, "clone", "backward").members) == 7  # the gradients: as many as feed the repeated scope


def test_roles_and_homes_of_leaves(real: tn.Tape) -> None:
    graph = tn.viz.graph(real)
    parameters = {name: path(box) for box in graph.boxes if box.role == "parameter" for name in box.names}
    assert parameters["net.embedding.weight"] == "net/embedding"
    assert parameters["net.lstm.weight_hh_l0"] == "net/lstm/layer 0"
    assert len(parameters) == 7
    for box in graph.boxes:
        in_backward = path(box).startswith("backward")
        assert (box.role == "gradient") <= in_backward
        assert (box.role == "write") == box.members[0].op.writes


# ---- folding ----


def test_depth_folds_scopes_to_boxes(real: tn.Tape) -> None:
    graph = tn.viz.graph(real, depth=1)
    folded = {box.fold: box for box in graph.boxes if box.fold is not None}
    assert set(folded) == {"net", "cross_entropy", "backward", "clip_grad_norm", "adam"}
    assert (folded["net"].role, folded["backward"].role, folded["adam"].role) == ("forward", "gradient", "update")
    assert "net\\n" in tn.viz.dot(real, depth=1)
    assert any(re.fullmatch(r"net\\n\d+ ops\\n7 parameters", label) for label in labels(tn.viz.dot(real, depth=1)))
    assert "folded at depth 1" in tn.viz.dot(real, depth=1)
    assert "nodesep=0.9," in tn.viz.dot(real, depth=1)  # room for the labels of edges between boxes side by side
    assert "nodesep=0.18," in tn.viz.dot(real)
    assert "backward/net" in {path(box) + "/" + (box.fold or "") for box in tn.viz.graph(real, depth=2).boxes}


@pytest.mark.parametrize("limit", [1, 5, 12, 30, 60, 100])
def test_the_cap_is_kept_and_said(real: tn.Tape, limit: int) -> None:
    whole = tn.viz.graph(real, max_nodes=10_000)
    assert len(whole.boxes) > 100
    assert not whole.notes
    graph = tn.viz.graph(real, max_nodes=limit)
    assert len(graph.boxes) <= limit
    assert f"folded to fit {limit} boxes" in graph.notes[0]
    assert sum(len(box.members) for box in graph.boxes) == sum(len(box.members) for box in whole.boxes)
    assert graph.notes[0] in tn.viz.dot(real, max_nodes=limit)


def test_a_write_that_gradients_see_is_a_part_of_forward() -> None:
    x = tn.ones(2, 3, requires_grad=True)
    with tn.Tape() as tape:
        y = x * 2.0
        y[0].mul_(3.0)
        y.sum()
    graph = tn.viz.graph(tape)
    assert {box.role for box in graph.boxes} == {"parameter", "forward", "write"}
    assert set(sides_of(graph).values()) == {"forward"}


def test_a_folded_loop_keeps_its_carry(tape64: tn.Tape) -> None:
    graph = tn.viz.graph(tape64, depth=2)
    step = next(box for box in graph.boxes if box.fold == "step ×64")
    assert between(graph, step, step).carry is not None


def test_a_tape_without_scopes_is_cut_with_a_note() -> None:
    with tn.Tape() as tape:
        x = tn.tensor([1.0])
        for _ in range(40):
            x = x + 1.0
    graph = tn.viz.graph(tape, max_nodes=10)
    assert len(graph.boxes) == 10
    assert graph.notes == ["the first 9 of 41 boxes are drawn, the others are one box"]
    text = tn.viz.dot(tape, max_nodes=10)
    assert "… and 32 more operations" in labels(text)
    assert "splines=line" in text


@pytest.mark.parametrize("limits", [{"depth": 0}, {"max_nodes": 0}])
def test_limits_below_one_are_refused(tape64: tn.Tape, limits: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"depth >= 1 and max_nodes >= 1"):
        tn.viz.dot(tape64, **limits)


# ---- text ----


def golden_texts() -> dict[str, str]:
    """A picture of every main form; what is computed for a tint is exact, so that every machine writes the same bytes."""
    tape, _ = recurrent(3)
    x = tn.tensor([0.5, 1.0], requires_grad=True)
    with tn.Tape() as halving:
        h, zero = x, tn.tensor([0.0], requires_grad=True)
        for t in range(8):
            with tn.scope("step", t):
                h = h * 0.5
        (h.sum() + zero.log().sum()).backward()
    with tn.Tape() as long:
        h = x
        for _ in range(40):
            h = h * 2.0 + 1.0
    tn.manual_seed(0)
    lstm = tn.nn.LSTM(2, 3)
    layers = tn.nn.Sequential(
        tn.nn.Linear(2, 3), *(tn.nn.Linear(3, 3) for _ in range(4)), tn.nn.Dropout(0.5), tn.nn.Linear(3, 1)
    )
    return {
        "rnn_step.dot": tn.viz.dot(tape, title="recurrent, 3 steps"),
        "rnn_step.svg": tn.viz.draw(tape, title="recurrent, 3 steps").plain,
        "rnn_graph.dot": tn.viz.dot(recurrent(2)[1], views=True),
        "double_backward.dot": tn.viz.dot(
            (x * x.sin()).sum(), order=2, title="x sin x, its gradient, and the gradient of that"
        ),
        "tint.dot": tn.viz.dot(halving, tint="grad", title="halved 8 times; and a logarithm of 0"),
        "tint.svg": tn.viz.draw(halving, tint="grad", title="halved 8 times; and a logarithm of 0").plain,
        "lstm.dot": tn.viz.dot(lstm, inputs=tn.zeros(6, 1, 2), order=1, title="LSTM, 6 steps"),
        "module.dot": tn.viz.dot(layers, inputs=tn.zeros(2, 2), title="Sequential"),
        "cap.dot": tn.viz.dot(long, max_nodes=10, title="80 operations in 10 boxes"),
    }


@pytest.fixture(scope="module")
def drawn() -> dict[str, str]:
    return golden_texts()


@pytest.mark.parametrize("name", sorted(path.name for path in GOLDEN.iterdir()))
def test_golden(name: str, drawn: dict[str, str]) -> None:
    assert drawn[name] == (GOLDEN / name).read_text("utf-8")


def test_every_golden_picture_is_kept(drawn: dict[str, str]) -> None:
    assert {path.name for path in GOLDEN.iterdir()} == set(drawn)


def test_the_same_program_gives_the_same_text(real: tn.Tape) -> None:
    again = training_step(16)
    assert tn.viz.dot(again) == tn.viz.dot(real) == tn.viz.dot(real)
    assert tn.viz.dot(again, views=True, max_nodes=400) == tn.viz.dot(real, views=True, max_nodes=400)


def test_the_age_of_leaves_does_not_matter() -> None:
    def drawn(order: str, draw: Any) -> str:
        made = {name: tn.tensor([1.0, 2.0], requires_grad=True) for name in order}
        a, b = made["a"], made["b"]
        with tn.Tape() as tape:
            tape.names.update({a._current_node(): "a", b._current_node(): "b"})
            out = (a * 2.0).sin() + b * a
        return str(draw(tape, out.sum()))

    pictures = (
        lambda tape, _: tn.viz.dot(tape),
        lambda tape, _: tn.viz.draw(tape).plain,
        lambda _, out: tn.viz.dot(out, order=2),
    )
    for draw in pictures:
        assert drawn("ab", draw) == drawn("ba", draw)


def test_a_scope_of_the_users_called_backward_is_none_of_gradients() -> None:
    def tape(name: str) -> tn.Tape:
        x = tn.ones(3, requires_grad=True)
        with tn.Tape() as tape:
            with tn.scope(name), tn.scope("cell"):
                y = x * x * x
            (g,) = tn.autograd.grad(y.sum(), [x], create_graph=True)
            g.sum().backward()
        return tape

    for draw in (tn.viz.dot, lambda tape: tn.viz.draw(tape).plain):
        assert str(draw(tape("backward"))) == str(draw(tape("upstairs"))).replace("upstairs", "backward")


def test_labels_say_literals_shapes_and_dtypes() -> None:
    x, n = tn.tensor([[1.0, 2.0]], requires_grad=True), tn.tensor([1, 0])
    with tn.Tape() as tape:
        (1.0 - tn.where(x > 0.5, x, 0.0)).transpose(0, 1)[n].sum()
    said = labels(tn.viz.dot(tape))
    assert {"gt · 0.5", "where(·, ·, 0)", "sub(1, ·)", "take", "bool 1×2", "i64 2", "2×1"} <= set(said)
    assert not any("permute" in label for label in said)
    assert "via permute" in tn.viz.dot(tape)
    assert "permute" in labels(tn.viz.dot(tape, views=True))


def test_titles_are_escaped(tape64: tn.Tape) -> None:
    text = tn.viz.dot(tape64, title='a <b> & "c"')
    assert "a &lt;b&gt; &amp; &quot;c&quot;" in text
    assert tn.viz.draw(tape64, title='a <b> & "c"', depth=1).render("svg").count(b"<svg") == 1


def test_the_legend_names_what_occurs(tape64: tn.Tape) -> None:
    _, loss = recurrent(2)
    assert ">gradient</TD>" in tn.viz.dot(tape64)
    assert ">gradient</TD>" not in tn.viz.dot(loss)
    assert ">forward</TD>" in tn.viz.dot(loss)


def test_a_tensor_shows_the_graph_behind_it() -> None:
    x = tn.tensor([1.0, 2.0], requires_grad=True)
    graph = tn.viz.graph((x * 3.0).sum() + (x * 4.0).sum())
    assert sorted(box.members[0].op.name for box in graph.boxes) == ["add", "leaf", "mul", "mul", "sum", "sum"]
    with pytest.raises(tn.errors.GraphError, match="no graph behind it"):
        tn.viz.dot(x)


# ---- pictures ----


@pytest.fixture
def no_dot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert shutil.which("dot") is None


@pytest.mark.usefixtures("no_dot")
@pytest.mark.parametrize(
    ("suffix", "magic"), [("svg", b"<?xml"), ("png", b"\x89PNG\r\n\x1a\n"), ("pdf", b"%PDF-"), ("gv", b"digraph")]
)
def test_draws_without_the_dot_program(
    tape64: tn.Tape, tmp_path: Path, suffix: str, magic: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tn.viz.draw(tape64, tmp_path / f"step.{suffix}")
    assert path.read_bytes().startswith(magic)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("no_dot")
def test_text_is_readable_with_matplotlibs_fonts_alone(tmp_path: Path) -> None:
    import matplotlib.image

    def ink(label: str) -> float:
        text = f'digraph {{ a [label="{label}", shape=none, fixedsize=true, width=2, height=1, fontname="DejaVu Sans"] }}'
        path = tn.viz.Picture(text, "").save(tmp_path / "text.png")
        return float(1.0 - matplotlib.image.imread(path)[..., :3].mean())

    narrow, wide = ink("...."), ink("MMMM")
    assert 0 < 5 * narrow < wide  # a missing font draws every letter as the same empty box, or not at all


def engine(folder: Path, script: str) -> None:
    dot = folder / "dot"
    dot.write_text(f"#!/bin/sh\n{script}\n")
    dot.chmod(0o755)


def test_the_dot_program_comes_first(tape64: tn.Tape, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine(tmp_path, "read line; echo drawn by dot: $line; while read line; do :; done")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert tn.viz.draw(tape64).render("svg") == b"drawn by dot: digraph tape {\n"


def test_a_broken_dot_program_is_replaced(tape64: tn.Tape, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine(tmp_path, "echo no such plugin >&2; exit 1")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert b"<svg" in tn.viz.draw(tape64).render("svg")
    monkeypatch.setattr(picture_module, "_with_pygraphviz", refuse)
    picture = tn.viz.draw(tape64)
    with pytest.raises(tn.viz.PictureError, match=r"no such plugin.*; broken too"):
        picture.render("png")
    assert picture.render("svg") == picture.plain.encode()


@pytest.mark.usefixtures("no_dot")
def test_text_that_graphviz_fails_on_is_drawn_in_a_sturdier_form(tape64: tn.Tape, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def fails_on_labels(text: str, format: str) -> bytes:
        tried.append(text)
        if "constraint=false, label=" in text:
            raise subprocess.CalledProcessError(-6, "python", stderr=b"fixLabelOrder: Assertion failed")
        return b"drawn"

    monkeypatch.setattr(picture_module, "_with_pygraphviz", fails_on_labels)
    assert tn.viz.draw(tape64).render("svg") == b"drawn"
    assert len(tried) == 2
    assert "constraint=false, xlabel=" in tried[1]
    assert "newrank=true" in tried[1]


def refuse(text: str, format: str) -> bytes:
    raise subprocess.CalledProcessError(1, "python", stderr=b"broken too")


@pytest.mark.usefixtures("no_dot")
def test_without_an_engine_there_is_an_svg_of_our_own_and_the_way_out_is_said(
    tape64: tn.Tape, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture_module, "find_spec", lambda name: None)
    picture = tn.viz.draw(tape64)
    with pytest.raises(tn.viz.PictureError, match=r"to draw a png: `pip install pygraphviz.*picture is saved as .*step\.svg"):
        picture.save(tmp_path / "step.png")
    assert [entry.name for entry in tmp_path.iterdir()] == ["step.svg"]
    assert (tmp_path / "step.svg").read_text("utf-8") == picture.plain == picture.render("svg").decode()
    assert set(picture._repr_mimebundle_()) == {"image/svg+xml", "text/plain"}


def test_a_file_appears_whole_or_not_at_all(tape64: tn.Tape, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "step.dot"
    target.write_text("before")

    def full(self: Path, target: Path) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="disk full"):
        tn.viz.draw(tape64, target)
    assert target.read_text() == "before"
    assert list(tmp_path.iterdir()) == [target]


def test_an_unknown_format_is_refused(tape64: tn.Tape, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no picture of format 'jpeg'"):
        tn.viz.draw(tape64, tmp_path / "step.jpeg")
    with pytest.raises(ValueError, match="no picture of format ''"):
        tn.viz.draw(tape64, tmp_path / "step")


@pytest.mark.usefixtures("no_dot")
def test_notebooks_show_the_picture(tape64: tn.Tape) -> None:
    shown = tn.viz.draw(tape64, depth=1)._repr_mimebundle_(include=None, exclude=None)
    assert "<svg" in shown["image/svg+xml"]
    assert base64.b64decode(shown["image/png"]).startswith(b"\x89PNG")
    assert json.loads(json.dumps(shown)) == shown


@pytest.mark.usefixtures("no_dot")
def test_a_training_step_draws_in_seconds_and_is_no_strip(real: tn.Tape) -> None:
    svg = tn.viz.draw(real, title="training step").render("svg").decode()
    width, height = (float(n) for n in re.search(r'width="([\d.]+)pt" height="([\d.]+)pt"', svg).groups())  # type: ignore[union-attr]
    assert 1 / 4 < width / height < 4
    for word in ("step ×16", "param ×7", "backward", "clip_grad_norm", "adam", "weight_ih_l0"):
        assert word in svg


@pytest.mark.skipif(shutil.which("dot") is None, reason="the dot program is not installed")
@pytest.mark.parametrize("name", sorted(path.name for path in GOLDEN.iterdir() if path.suffix == ".dot"))
def test_the_real_dot_program_draws_the_golden_pictures(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_module, "_with_pygraphviz", refuse)
    text = (GOLDEN / name).read_text("utf-8")
    svg = tn.viz.Picture(text, "plain").render("svg").decode()
    boxes = len(re.findall(r"^ *n\d+ \[", text, re.MULTILINE))
    edges = len(re.findall(r"^ *n\d+ -> ", text, re.MULTILINE))
    assert (svg.count('class="node"'), svg.count('class="edge"')) == (boxes, edges)


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for name, text in golden_texts().items():
        (GOLDEN / name).write_text(text, "utf-8")
