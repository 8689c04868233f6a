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
    optimizer = lib.optim.Adam(parameters, lr=1e-3, **FUSED.get(lib.__name__, {}))
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
    """784-256-128-10 with ReLU, batch 64."""
    nn = lib.nn
    model = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10))
    return step_of(lib, model, *images(lib, (64, 784)))


def lenet(lib: Any) -> Callable[[], Any]:
    """LeNet-5 on 28×28, batch 64, with ReLU and largest values."""
    nn = lib.nn
    model = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip
    return step_of(lib, model, *images(lib, (64, 1, 28, 28)))


def transformer(lib: Any) -> Callable[[], Any]:
    """A Transformer language model: 2 layers of width 128 with 4 heads, causal, batch 32 of 64 symbols, no dropout."""
    nn, width, length = lib.nn, 128, 64

    class Model(nn.Module):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(V, width)
            self.position = nn.Parameter(lib.zeros(length, width))
            layer = nn.TransformerEncoderLayer(width, 4, 4 * width, dropout=0.0, batch_first=True)
            self.encoder = nn.TransformerEncoder(layer, 2)
            self.output = nn.Linear(width, V)
            self.mask = nn.Transformer.generate_square_subsequent_mask(length)

        def forward(self, x: Any) -> Any:
            h = self.encoder(self.embedding(x) + self.position, mask=self.mask, is_causal=True)
            return self.output(h).flatten(0, 1)

    rng = np.random.default_rng(0)
    x, y = (lib.from_numpy(rng.integers(0, V, (32, length))) for _ in range(2))
    return step_of(lib, Model(), x, y.flatten())


def images(lib: Any, shape: tuple[int, ...]) -> tuple[Any, Any]:
    """Random images and their classes, of ten."""
    rng = np.random.default_rng(0)
    return lib.from_numpy(rng.standard_normal(shape).astype("f4")), lib.from_numpy(rng.integers(0, 10, shape[0]))


def step_of(lib: Any, model: Any, x: Any, y: Any) -> Callable[[], Any]:
    """A step of Adam on the cross-entropy of a model; all sides have the same parameters. Gives the loss."""
    rng = np.random.default_rng(1)
    with lib.no_grad():
        for parameter in model.parameters():
            parameter.copy_(lib.from_numpy((rng.standard_normal(tuple(parameter.shape)) * 0.05).astype("f4")))
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
MODELS: dict[str, Callable[..., Callable[[], Any]]] = {
    f"LSTM LM by steps, V{V} E{E} H{H} B{B} T{T}": lstm,
    "Transformer LM, d128, 2 layers, B32 T64": transformer,
    "LeNet 28×28, B64": lenet,
    "MLP 784-256-128-10, B64": mlp,
}


@bench("training")
def training(quick: bool) -> Bench:
    """Milliseconds per step."""
    for name, model in MODELS.items():

        def sides(model: Any = model) -> dict[str, Callable[[], Any]]:
            return {side: model(lib) for side, lib in libraries(tn).items()}

        yield Workload("training step, eager, float32", name, sides, unit="ms", rounds=5 if quick else 21)
