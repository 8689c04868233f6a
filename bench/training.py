"""Training steps, forward, backward and optimizer, eager: ours against the same code in torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tinygrad_notes as tn

from .peers import libraries
from .workloads import Bench, Workload, bench

V, E, H, B, T = 65, 64, 128, 32, 64
"""Of the LSTM: symbols, width of the embedding, units, batch, steps of time."""


def lstm(lib: Any, batch: int = B, steps: int = T) -> Callable[[], Any]:
    """The main job's model written step by step, in the vocabulary that both libraries share; clipping and Adam."""
    rng = np.random.default_rng(0)

    def parameter(*shape: int) -> Any:
        return lib.from_numpy((rng.standard_normal(shape) * 0.05).astype("f4")).requires_grad_()

    embed, w_x, w_h, b, w_o = parameter(V, E), parameter(E, 4 * H), parameter(H, 4 * H), parameter(4 * H), parameter(H, V)
    parameters = [embed, w_x, w_h, b, w_o]
    x, y = (lib.from_numpy(rng.integers(0, V, (steps, batch))) for _ in range(2))
    optimizer = lib.optim.Adam(parameters, lr=1e-3)
    f = lib.nn.functional

    def step() -> Any:
        optimizer.zero_grad()
        gates_x = f.embedding(x, embed) @ w_x + b
        h, c, outputs = lib.zeros(batch, H), lib.zeros(batch, H), []
        for t in range(steps):
            i, forget, g, o = (gates_x[t] + h @ w_h).chunk(4, -1)
            c = forget.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            outputs.append(h)
        logits = lib.stack(outputs) @ w_o
        loss = f.cross_entropy(logits.flatten(0, 1), y.flatten())
        loss.backward()
        lib.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        return loss

    return step


def mlp(lib: Any) -> Callable[[], Any]:
    """784-256-128-10 with ReLU, batch 64, Adam."""
    nn = lib.nn
    model = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10))
    return classifier(lib, model, (64, 784))


def classifier(lib: Any, model: Any, shape: tuple[int, ...], classes: int = 10) -> Callable[[], Any]:
    """A step of Adam on the cross-entropy of a model of images, all sides with the same parameters and data."""
    rng = np.random.default_rng(0)
    with lib.no_grad():
        for parameter in model.parameters():
            parameter.copy_(lib.from_numpy((rng.standard_normal(tuple(parameter.shape)) * 0.05).astype("f4")))
    x = lib.from_numpy(rng.standard_normal(shape).astype("f4"))
    y = lib.from_numpy(rng.integers(0, classes, shape[0]))
    optimizer = lib.optim.Adam(model.parameters(), lr=1e-3, **FUSED.get(lib.__name__, {}))

    def step() -> Any:
        optimizer.zero_grad()
        loss = lib.nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return step


FUSED = {"torch": {"fused": True}}
"""torch's own form of a step that is faster than its default."""
MODELS: dict[str, Callable[[Any], Callable[[], Any]]] = {
    f"LSTM language model by steps, V{V} E{E} H{H} B{B} T{T}": lstm,
    "MLP 784-256-128-10, B64": mlp,
}


@bench("training")
def training(quick: bool) -> Bench:
    """Milliseconds per step."""
    for name, model in MODELS.items():

        def sides(model: Any = model) -> dict[str, Callable[[], Any]]:
            return {side: model(lib) for side, lib in libraries(tn).items()}

        yield Workload("training step, eager, float32", name, sides, unit="ms", rounds=5 if quick else 21)
