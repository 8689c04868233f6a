"""Layer-wise pre-training: each layer learns first to keep what it is shown (Bengio et al. 2007), then all are fine-tuned."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from .. import nn, optim
from ..functions.creation import as_tensor
from ..modes import no_grad
from ..nn.functional import dropout, mse_loss
from ..tensor import Tensor

__all__ = ["pretrain"]


def pretrain(
    net: nn.Sequential,
    x: Tensor,
    *,
    epochs: int = 10,
    batch: int = 32,
    lr: float = 1e-3,
    corruption: float = 0.0,
    seed: int = 0,
) -> list[list[float]]:
    """Train every linear layer of ``net`` but the last, one after the other, without labels.

    A layer and what follows it up to the next one encode; a new linear layer decodes; Adam makes the mean square of what is lost
    small. What the layer gives then is what the next one is shown. Fine-tuning is training as usual.

    net         linear layers with activations (and dropout, normalisation) between them; the last one is the head
    x           examples ``(N, in)``
    corruption  share of the input that is hidden from the encoder and to be restored: denoising (Vincent et al. 2008)
    seed        of the order of examples; first values and corruption are drawn from the default generator
    Returns, for each layer, the mean loss of each epoch. Raises ValueError where ``net`` has nothing to pre-train.
    """
    blocks = _blocks(net)
    if epochs < 1 or batch < 1 or not len(x):
        raise ValueError(f"pretrain: needs examples, epochs and a batch of 1 or more, got {x._type()}, {epochs} and {batch}")
    rng, history = np.random.default_rng(seed), []
    x = x.detach()
    for block in blocks:
        width, inputs = block[0].get_parameter("weight").shape
        decoder = nn.Linear(width, inputs, dtype=x.dtype)
        parameters = [q for module in (*block, decoder) for q in module.parameters()]
        optimizer = optim.Adam(parameters, lr=lr)
        losses = []
        for _ in range(epochs):
            order, total = rng.permutation(len(x)), 0.0
            for start in range(0, len(x), batch):
                shown = x[as_tensor(order[start : start + batch])]
                optimizer.zero_grad()
                loss = mse_loss(decoder(_through(block, dropout(shown, corruption))), shown)
                loss.backward()
                optimizer.step()
                total += loss.item() * len(shown)
            losses.append(total / len(x))
        history.append(losses)
        x = _encoded(block, x)
    for parameter in net.parameters():
        parameter.grad = None
    return history


def _blocks(net: nn.Sequential) -> list[list[nn.Module]]:
    """The linear layers but the last, each with what stands between it and the next."""
    modules = list(net)
    starts = [i for i, module in enumerate(modules) if isinstance(module, nn.Linear)]
    if len(starts) < 2 or starts[0] != 0:
        raise ValueError("pretrain: needs a Sequential that begins with a Linear and has another one as its head")
    return [modules[start:end] for start, end in pairwise(starts)]


def _through(block: list[nn.Module], x: Tensor) -> Tensor:
    for module in block:
        x = module(x)
    return x


def _encoded(block: list[nn.Module], x: Tensor) -> Tensor:
    """What the block gives in evaluation; each module goes back to the mode it was in."""
    modes = [(part, part.training) for module in block for part in module.modules()]
    try:
        with no_grad():
            for module in block:
                module.eval()
            return _through(block, x)
    finally:
        for part, mode in modes:
            part.training = mode
