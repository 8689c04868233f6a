"""The explorer's file: what it says of every node is true, it holds no markup of the user's, and making it changes nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn
from tinygrad_notes.errors import GraphError
from tinygrad_notes.functions.generator import default_generator
from tinygrad_notes.viz.statistics import BINS, summary


def data_of(page: str) -> dict[str, Any]:
    """The data that a page carries."""
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    found: dict[str, Any] = json.loads(text)
    return found


def explored(source: Any, **options: Any) -> dict[str, Any]:
    return data_of(tn.viz.explore(source, **options).page)


def ops(data: dict[str, Any]) -> list[str]:
    return [data["ops"][row["op"]]["name"] for row in data["nodes"]]


def row_of(data: dict[str, Any], op: str, role: str = "forward") -> dict[str, Any]:
    (row,) = (row for row, name in zip(data["nodes"], ops(data), strict=True) if name == op and row["role"] == role)
    return row


def path_of(data: dict[str, Any], row: dict[str, Any]) -> str:
    parts, number = [], row["scope"]
    while number:
        parent, name, index, _ = data["scopes"][number]
        parts.append(name if index is None else f"{name} {index}")
        number = parent
    return "/".join(reversed(parts))


class Net(nn.Module):
    def __init__(self) -> None:
        self.rnn = nn.LSTM(3, 4)
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(4, 2)

    def forward(self, x: tn.Tensor) -> tn.Tensor:
        logits: tn.Tensor = self.head(self.drop(self.rnn(x)[0]))
        return logits


def training(steps: int = 5) -> tuple[tn.Tape, Net, tn.optim.Adam]:
    net = Net()
    optimizer = tn.optim.Adam(net.parameters())
    x = tn.rand(steps, 2, 3)

    def step() -> None:
        optimizer.zero_grad()
        loss = net(x).pow(2).mean()
        loss.backward()
        optimizer.step()

    step()  # moments are born here
    with tn.Tape() as tape:
        step()
    return tape, net, optimizer


# ---- statistics ----

ARRAYS = {
    "normal": np.random.default_rng(0).normal(size=(40, 50)),
    "float32": np.random.default_rng(1).normal(3, 1e-3, size=1000).astype(np.float32),
    "integers": np.arange(-7, 20),
    "booleans": np.array([True, False, True]),
    "one value": np.full(5, 2.5),
    "scalar": np.array(-3.0),
    "large": np.array([1e200, -1e200, 3e199]),
    "tiny": np.array([3e-200, -4e-200, 0.0]),
    "uint64": np.array([0, 2**64 - 1], np.uint64),
}


@pytest.mark.parametrize("array", ARRAYS.values(), ids=ARRAYS.keys())
def test_statistics_are_numpys(array: np.ndarray) -> None:
    said, x = summary(array), array.astype(np.float64)
    scale = np.abs(x).max() or 1.0
    expected = {
        "min": x.min(), "max": x.max(), "mean": x.mean(), "std": (x / scale).std() * scale,
        "norm": np.linalg.norm((x / scale).ravel()) * scale,
    }  # fmt: skip
    for name, value in expected.items():
        assert said[name] == pytest.approx(value, rel=1e-6, abs=1e-12 * scale), name
    assert said.get("zeros", 0) == np.sum(x == 0)
    assert "nan" not in said
    assert "inf" not in said
    assert len(said["bars"]) == BINS
    assert sum(said["bars"]) == x.size


def test_bars_are_numpys_histogram() -> None:
    for array in (ARRAYS["normal"], ARRAYS["float32"].astype(np.float64)):
        expected, edges = np.histogram(array, BINS)
        assert np.abs(array.ravel()[:, None] - edges[1:-1]).min() > 1e-12, "no value on an edge"
        assert summary(array)["bars"] == expected.tolist()


def test_what_is_not_finite_is_counted_and_left_out() -> None:
    said = summary(np.array([1.0, np.nan, np.inf, -np.inf, 3.0, 0.0]))
    assert (said["nan"], said["inf"], said["zeros"]) == (1, 2, 1)
    assert (said["min"], said["max"], sum(said["bars"])) == (0.0, 3.0, 3)
    assert said["mean"] == pytest.approx(4 / 3)
    assert summary(np.full(3, np.nan)) == {"nan": 3}
    assert summary(np.zeros((0, 3))) == {}
    extremes = summary(np.array([-1.7e308, 1.7e308]))
    assert (extremes["min"], sum(extremes["bars"])) == (-1.7e308, 2)
    json.dumps(extremes, allow_nan=False)


# ---- what is said of nodes ----


def test_values_gradients_and_rules_of_a_tape() -> None:
    x = tn.tensor([[0.5, -1.0], [2.0, 0.25]], requires_grad=True)
    with tn.Tape() as tape:
        with tn.scope("layer", 3):
            y = x.tanh()
        loss = (y * 3.0).sum()
        loss.backward()
    data = explored(tape)
    tanh = row_of(data, "tanh")
    value = np.tanh(x.detach().numpy().astype(np.float64))
    assert tanh["stats"]["mean"] == pytest.approx(value.mean(), rel=1e-6)
    assert tanh["stats"]["norm"] == pytest.approx(np.linalg.norm(value), rel=1e-6)
    (g,) = tanh["grads"]
    assert data["nodes"][g]["stats"]["min"] == data["nodes"][g]["stats"]["max"] == 3.0
    leaf = data["nodes"][tanh["in"][0]]
    assert (leaf["role"], leaf["type"]) == ("parameter", "f32[2,2]")
    gradient = data["nodes"][leaf["grads"][0]]
    assert gradient["stats"]["mean"] == pytest.approx(x.grad.numpy().mean(dtype=np.float64), rel=1e-6)
    assert gradient["role"] == "gradient"
    assert data["nodes"][gradient["origin"]] is tanh, "the rule of tanh recorded it"
    assert data["ops"][tanh["op"]] | {"kind": ""} == {
        "name": "tanh", "kind": "", "args": ["x"], "forward": "tanh(x)", "rules": ["g - g * out * out"],
    }  # fmt: skip
    assert path_of(data, tanh) == "layer 3"
    assert path_of(data, gradient) == "backward/layer 3"
    mirror = data["scopes"][tanh["scope"]][3]
    assert mirror == gradient["scope"]
    assert row_of(data, "mul")["in"][1] == "3"
    where, text = data["lines"][tanh["line"]]
    assert where.startswith("tests/test_explore.py:") or where.endswith(f"test_explore.py:{where.rpartition(':')[2]}")
    assert text == "y = x.tanh()"


def test_numbers_are_those_of_the_listing() -> None:
    tape, _, _ = training()
    data = explored(tape)
    lines = str(tape).splitlines()[1:]
    assert len(lines) == len(data["nodes"])
    for number, (line, name, row) in enumerate(zip(lines, ops(data), data["nodes"], strict=True)):
        assert re.match(rf"%{number}:{re.escape(row['type'])} = {name}\b", line)


def test_a_training_step_is_told_whole() -> None:
    tape, net, _ = training()
    data = explored(tape)
    assert all("stats" in row for row in data["nodes"])
    assert {row["role"] for row in data["nodes"]} >= {"parameter", "state", "data", "forward", "gradient", "update", "write"}
    named = {row["name"]: row for row in data["nodes"] if row.get("name")}
    weight = named["net.head.weight"]
    assert path_of(data, weight) == "net/head", "a weight stands in its layer"
    assert weight["stats"]["norm"] == pytest.approx(np.linalg.norm(net.head.weight.detach().numpy()), rel=1e-6)
    (last,) = weight["grads"]
    assert data["nodes"][last]["type"] == weight["type"]
    tops = {data["scopes"][int(number)][1]: side for number, side in data["sides"].items()}
    assert tops == {"net": "forward", "backward": "backward", "adam": "update"}


def test_many_nodes_without_scopes_get_rooms() -> None:
    x = tn.tensor(1.0, requires_grad=True)
    with tn.Tape() as tape:
        y = x
        for _ in range(150):
            y = y * 1.01
        y.backward()
    data = explored(tape)
    inside: dict[int, int] = {}
    for row in data["nodes"]:
        inside[row["scope"]] = inside.get(row["scope"], 0) + 1
    assert max(inside.values()) <= 61
    assert [path_of(data, row) for row in data["nodes"] if row["role"] == "forward"][::60] == ["part 1", "part 2", "part 3"]


# ---- other sources ----


def test_behind_a_tensor() -> None:
    w = tn.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    x = tn.tensor([[0.1, 0.2]])
    loss = (x @ w).exp().sum()
    data = explored(loss)
    e = row_of(data, "exp")
    expected = np.exp(x.numpy() @ w.detach().numpy())
    assert e["stats"]["max"] == pytest.approx(expected.max(), rel=1e-6)
    leaf = next(row for row in data["nodes"] if row["role"] == "parameter")
    gradient = data["nodes"][leaf["grads"][0]]["stats"]
    loss.backward()
    assert gradient["norm"] == pytest.approx(np.linalg.norm(w.grad.numpy()), rel=1e-6)
    after = explored(loss)
    assert "already used by an earlier backward" in " ".join(after["notes"])
    assert "not in memory any more" in " ".join(after["notes"])
    assert not [row for row in after["nodes"] if row["role"] == "gradient"]


def test_a_tensor_of_a_tape_leaves_the_tape_whole() -> None:
    w, x = tn.tensor([[1.0, 2.0]], requires_grad=True), tn.tensor([[0.5], [0.25]])
    with tn.Tape() as tape:
        loss = ((x * 2.0 + 1.0) @ w * (w.detach() * 3.0)).sum()
    listed = str(tape)
    data = explored(loss)
    kept = next(row for row, name in zip(data["nodes"], ops(data), strict=True) if name == "add")
    assert kept["stats"]["max"] == 2.0, "what the rule of matmul needs"
    assert str(tape) == listed
    assert tape.replay(loss)[0] == loss.item()


def test_a_module_is_called_with_its_inputs() -> None:
    net = Net()
    data = explored(net, inputs=tn.rand(4, 2, 3))
    assert data["title"] == "Net"
    named = {row["name"]: row for row in data["nodes"] if row.get("name")}
    assert named["net.head.bias"]["grads"]
    ones = data["nodes"][named["net.head.bias"]["grads"][0]]["stats"]
    assert ones["min"] == ones["max"] == 8.0, "the gradient of the sum over 4 steps and 2 sequences"
    second = explored(lambda x: x.pow(3), inputs=tn.tensor(2.0, requires_grad=True), order=2)
    assert {row["role"] for row in second["nodes"]} >= {"forward", "gradient", "second"}
    forward = explored(net, inputs=tn.rand(4, 2, 3), order=0)
    assert not [row for row in forward["nodes"] if row["role"] == "gradient"]


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        (lambda: tn.ones(3), GraphError, "no graph behind it"),
        (lambda: 3, TypeError, "draws a Tape, a Tensor, or a module"),
        (Net, TypeError, "it must be called; give inputs=x"),
    ],
    ids=["leaf", "number", "module without inputs"],
)
def test_bad_sources(source: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        tn.viz.explore(source())


# ---- nothing changes, nothing gets in ----


def test_exploring_changes_nothing() -> None:
    tape, net, optimizer = training()
    moments = [value for state in optimizer.state.values() for value in state.values()]
    tensors = [*net.parameters(), *(q.grad for q in net.parameters()), *moments, default_generator.get_state()]
    before = [t.detach().numpy().tobytes() for t in tensors]
    listed, nodes = str(tape), [q._current_node() for q in net.parameters()]
    loss = net(tn.ones(2, 2, 3)).sum()
    state = default_generator.get_state().numpy().tobytes()
    for _ in range(2):
        tn.viz.explore(tape)
        tn.viz.explore(loss)
    assert default_generator.get_state().numpy().tobytes() == state
    assert before[:-1] == [t.detach().numpy().tobytes() for t in tensors][:-1]
    assert str(tape) == listed
    assert [q._current_node() for q in net.parameters()] == nodes
    tape.replay()
    loss.backward()


def test_the_same_tape_gives_the_same_bytes(tmp_path: Path) -> None:
    tape, _, _ = training()
    path = tn.viz.explore(tape, tmp_path / "a.html")
    assert path == tmp_path / "a.html"
    assert path.read_bytes() == tn.viz.explore(tape).page.encode()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.html"]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tape, _, _ = training()
    path = tmp_path / "a.html"
    path.write_text("old")

    def fail(self: Path, target: Path) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        tn.viz.explore(tape, path)
    monkeypatch.undo()
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.html"]


def test_no_markup_of_the_users_and_no_network() -> None:
    evil = "</script><script>alert(1)</script><img src=x onerror=alert(2)>{{script}}"
    x = tn.tensor([1.0, float("nan")], requires_grad=True)
    with tn.Tape() as tape:
        tape.names[x._current_node()] = evil
        with tn.scope(evil):
            (x * 2.0).sum().backward()
    page = tn.viz.explore(tape, title=evil).page
    assert "<img" not in page
    assert page.count("</script>") == page.count("<script") == 2
    data = data_of(page)
    assert data["title"] == evil
    assert data["nodes"][0]["name"] == evil
    addresses = set(re.findall(r"\w+://[^\s\"'`)]*", page))
    assert addresses == {"http://www.w3.org/2000/svg"}, "the name of a format, not a place"
    assert "default-src 'none'" in page


def test_a_notebook_shows_it() -> None:
    tape, _, _ = training()
    explorer = tn.viz.explore(tape)
    shown = explorer._repr_html_()
    assert shown.startswith('<iframe sandbox="allow-scripts"')
    assert shown.count("<") == 2, "everything else is inside srcdoc"
    assert re.fullmatch(r"<Explorer: 0\.\d MB of HTML; \.save\('tape\.html'\) writes it>", repr(explorer))


def test_a_tape_that_cannot_run_again_is_shown_as_far_as_it_can() -> None:
    x, index = tn.ones(4), tn.tensor([0, 2])
    with tn.Tape() as tape:
        y = x * 2.0
        y.index_select(0, index)
    index.copy_(tn.tensor([0, 9]))
    data = explored(tape)
    assert any("running the tape again fails there" in note for note in data["notes"])
    assert row_of(data, "mul", "update")["stats"]["max"] == 2.0
    assert "stats" not in data["nodes"][-1]
