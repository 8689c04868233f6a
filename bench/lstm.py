"""A training step of the main job's model, forward, backward, clipping and Adam: ours against the same code in torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from timing import Row, compare, interleaved

import tinygrad_notes as tn

V, E, H, B, T = 65, 64, 128, 32, 64


def written_out(lib: Any) -> Callable[[], Any]:
    """An LSTM language model written step by step, in the vocabulary that both libraries share."""
    rng = np.random.default_rng(0)

    def parameter(*shape: int) -> Any:
        return lib.from_numpy((rng.standard_normal(shape) * 0.05).astype("f4")).requires_grad_()

    embed, w_x, w_h, b, w_o = parameter(V, E), parameter(E, 4 * H), parameter(H, 4 * H), parameter(4 * H), parameter(H, V)
    parameters = [embed, w_x, w_h, b, w_o]
    x, y = (lib.from_numpy(rng.integers(0, V, (T, B))) for _ in range(2))
    optimizer = lib.optim.Adam(parameters, lr=1e-3)
    f = lib.nn.functional

    def step() -> None:
        optimizer.zero_grad()
        gates_x = f.embedding(x, embed) @ w_x + b
        h, c, outputs = lib.zeros(B, H), lib.zeros(B, H), []
        for t in range(T):
            i, forget, g, o = (gates_x[t] + h @ w_h).chunk(4, -1)
            c = forget.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            outputs.append(h)
        logits = lib.stack(outputs) @ w_o
        f.cross_entropy(logits.flatten(0, 1), y.flatten()).backward()
        lib.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()

    return step


def measure(quick: bool, torch: Any) -> list[Row]:
    """Milliseconds per step."""
    runs = {"ours": written_out(tn)} | ({} if torch is None else {"torch": written_out(torch)})
    times = interleaved(runs, 4 if quick else 20, 1e3)
    group = f"LSTM language model written step by step, V{V} E{E} H{H} B{B} T{T}; peer: the same in torch"
    return [compare(group, "training step", "ms", times, "torch")]
