"""Gradients as data and pictures: flow per parameter, saturation, dead units, norms through time against products of Jacobians."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn, optim
from tinygrad_notes.nn import functional as F
from tinygrad_notes.train.fit import Fit
from tinygrad_notes.train.gradient_pictures import draw_gradient_flow, draw_layers, draw_run, draw_through_time
from tinygrad_notes.train.gradients import GradientWatch, Watch, gradient_flow, gradient_through_time


def test_flow_says_what_each_gradient_is() -> None:
    model = nn.Linear(2, 2)
    frozen = nn.Linear(2, 1)
    model.other = frozen
    assert gradient_flow(model) == {}
    model.weight.grad = tn.tensor([[3.0, 0.0], [-4.0, 0.0]])
    nn.init.constant_(model.weight, 5.0)
    model.bias.grad = tn.zeros(2)
    nn.init.zeros_(model.bias)
    flow = gradient_flow(model)
    assert flow["weight"] == {"norm": 5.0, "mean": 1.75, "max": 4.0, "zeros": 0.5, "weight": 10.0, "ratio": 0.5}
    assert flow["bias"] == {"norm": 0.0, "mean": 0.0, "max": 0.0, "zeros": 1.0, "weight": 0.0, "ratio": 0.0}
    assert list(flow) == ["weight", "bias"]


def test_sigmoids_let_gradients_vanish_where_relus_do_not() -> None:
    """Ten layers with He's first values: the first layer's gradient beside the last's."""

    def ratio(activation: type[nn.Module]) -> float:
        tn.manual_seed(0)
        layers = [layer for _ in range(10) for layer in (nn.Linear(32, 32), activation())]
        model = nn.Sequential(*layers)
        for layer in layers[::2]:
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        (model(tn.randn(64, 32)) ** 2).mean().backward()
        flow = gradient_flow(model)
        return flow["0.weight"]["norm"] / flow["18.weight"]["norm"]

    assert ratio(nn.Sigmoid) < 1e-4
    assert 0.1 < ratio(nn.ReLU) < 10


# ---- layers ----


def test_saturation_and_dead_units_are_counted() -> None:
    class Pass(nn.Module):
        def __init__(self) -> None:
            self.tanh, self.sigmoid, self.relu = nn.Tanh(), nn.Sigmoid(), nn.ReLU()

        def forward(self, x: tn.Tensor) -> tn.Tensor:
            return self.tanh(x) + self.sigmoid(x) + self.relu(x)

    model = Pass()
    with Watch(model) as watch:
        model(tn.tensor([[-9.0, -1.0, 0.5, 9.0], [-8.0, -1.0, -0.5, 0.0]], requires_grad=True)).sum().backward()
        report = watch.report()
        model(tn.tensor([[1.0, -1.0, -1.0, -1.0]]))
        later = watch.report()
    model(tn.full((1, 4), 3.0))
    assert watch.report() == later, "outside it looks at nothing"
    assert report["tanh"]["saturated"] == 3 / 8
    assert report["sigmoid"]["saturated"] == 3 / 8
    assert (report["relu"]["saturated"], report["relu"]["dead"]) == (6 / 8, 2 / 4)
    assert later["relu"]["dead"] == 1 / 4, "unit 0 has lived since"
    assert report["relu"]["activation"]["max"] == 9.0
    assert sum(report["relu"]["activation"]["bars"]) == 8
    assert report["tanh"]["gradient"]["norm"] == pytest.approx(math.sqrt(8))
    assert "gradient" not in later["tanh"], "that one needed none"


def test_units_of_images_are_channels_and_outputs_may_be_tuples() -> None:
    model = nn.Sequential(nn.ReLU())
    x = -tn.ones(2, 3, 4, 4)
    x[0, 1, 2, 3] = 1.0
    with Watch(model) as watch:
        model(x)
    assert watch.report()["0"]["dead"] == pytest.approx(2 / 3)
    lstm = nn.LSTM(2, 3)
    with Watch(lstm, [""]) as watch:
        lstm(tn.ones(4, 1, 2))[0].sum().backward()
    assert watch.report()[""]["gradient"]["mean"] == 1.0
    with pytest.raises(ValueError, match="no modules 7; it has 0"):
        Watch(model, ["7"])


# ---- time ----


def linear_recurrence(T: int, scale: float) -> tuple[tn.Tensor, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    W = rng.normal(size=(3, 3)) * scale
    w, h = tn.tensor(W), tn.tensor(rng.normal(size=(1, 3)), requires_grad=True)
    for t in range(T):
        with tn.scope("step", t):
            h = h @ w
    return (h * tn.tensor([1.0, 2.0, 3.0]).double()).sum(), W, np.array([1.0, 2.0, 3.0])


@pytest.mark.parametrize("scale", [0.2, 1.5])
def test_norms_through_time_are_products_of_jacobians(scale: float) -> None:
    loss, W, g = linear_recurrence(6, scale)
    (norms,) = gradient_through_time(loss).values()
    expected = [np.linalg.norm(np.linalg.matrix_power(W, 5 - t) @ g) for t in range(6)]
    np.testing.assert_allclose(norms, expected, rtol=1e-12)
    assert (norms[0] < norms[-1]) == (scale < 1)
    loss.backward()
    with pytest.raises(RuntimeError, match="already used"):
        gradient_through_time(loss)


def test_of_an_lstm_the_state_is_h_and_c() -> None:
    lstm = nn.LSTM(2, 4, num_layers=2, dtype="float64")
    x = tn.randn(5, 3, 2, dtype="float64")
    norms = gradient_through_time((lstm(x)[0][-1] ** 2).sum())
    assert len(norms) == 2
    assert all(values.shape == (5,) and (values > 0).all() for values in norms.values())

    cells = [nn.LSTMCell(2, 4, dtype="float64"), nn.LSTMCell(4, 4, dtype="float64")]
    for layer, cell in enumerate(cells):
        cell.load_state_dict({n: getattr(lstm, f"{n}_l{layer}").detach() for n in cell.state_dict()})
    states = [(tn.zeros(3, 4, dtype="float64"),) * 2] * 2
    kept: list[list[tuple[tn.Tensor, tn.Tensor]]] = [[], []]
    for t in range(5):
        inner = x[t]
        for layer, cell in enumerate(cells):
            states[layer] = cell(inner, states[layer])
            for part in states[layer]:
                part.retain_grad()
            kept[layer].append(states[layer])
            inner = states[layer][0]
    (inner**2).sum().backward()
    for values, steps in zip(norms.values(), kept, strict=True):
        parts = [*steps[:-1], steps[-1][:1]]  # nobody reads the last c
        expected = [math.sqrt(sum(p.grad.square().sum().item() for p in pair)) for pair in parts]
        np.testing.assert_allclose(values, expected, rtol=1e-10)


def test_without_steps_there_is_nothing_to_say() -> None:
    with pytest.raises(RuntimeError, match=r"with tn\.scope"):
        gradient_through_time(nn.Linear(2, 1)(tn.ones(1, 2)).sum())
    with pytest.raises(RuntimeError, match="has no graph"):
        gradient_through_time(tn.ones(()))


# ---- in a run, and as pictures ----


def watched(every: int = 2) -> GradientWatch:
    x = tn.randn(12, 3)
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1), nn.Tanh())
    watch = GradientWatch(every)
    data = [(x[i : i + 4], x[i : i + 4, :1]) for i in (0, 4, 8)]
    Fit(model, F.mse_loss, optim.SGD(model.parameters(), lr=0.1), data, callbacks=[watch]).run(2)
    assert all(module._hooks is None or not module._hooks.forward for module in model.modules()), "the hooks are off again"
    return watch


def test_a_run_is_watched() -> None:
    records = watched().records
    assert [record["step"] for record in records] == [0, 2, 4]
    assert list(records[0]["flow"]) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert all("gradient" in entry for record in records for entry in record["layers"].values())
    assert records[0]["flow"] != records[1]["flow"]
    again = GradientWatch()
    again.load_state_dict(watched().state_dict())
    assert len(again.records) == 3
    with pytest.raises(ValueError, match="positive integer, got 0"):
        GradientWatch(0)


PICTURES: dict[str, Callable[[Path], Any]] = {
    "flow": lambda path: draw_gradient_flow(watched().records[0]["flow"], path, "flow"),
    "layers": lambda path: draw_layers(watched().records[0]["layers"], path, "layers"),
    "run": lambda path: draw_run(watched(1).records, path, "run"),
    "time": lambda path: draw_through_time({"loop": np.array([0.0, 0.1, 1.0])}, path, "time"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_pictures(name: str, tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    figure = PICTURES[name](path)
    assert path.read_bytes().startswith(b"\x89PNG")
    panels = {"flow": 1, "layers": 8, "run": 1, "time": 1}
    assert len(figure.axes) == panels[name]
    labels = [text.get_text() for axes in figure.axes for text in axes.get_yticklabels()]
    if name == "flow":
        assert labels == ["0.weight", "0.bias", "2.weight", "2.bias"]
        assert figure.axes[0].get_xscale() == "log"


def test_nothing_to_draw_is_said() -> None:
    for draw in (draw_gradient_flow, draw_layers, draw_through_time):
        with pytest.raises(ValueError, match="nothing to draw"):
            draw({})
