"""Layers with state, statistics or random numbers: replaying a recorded training step is running it again, to the last bit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn, optim
from tinygrad_notes.models.digits_net import DigitsNet
from tinygrad_notes.models.networks import MLP, LeNet, ResidualBlock
from tinygrad_notes.models.tabular_lstm import TabularLSTM


class First(nn.Module):
    """Of a recurrent layer only what it says, not its state."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: tn.Tensor) -> tn.Tensor:
        return self.layer(x)[0]


def encoder() -> nn.Module:
    """A Transformer's, with dropout."""
    return nn.TransformerEncoder(nn.TransformerEncoderLayer(6, 2, 8, dropout=0.2, batch_first=True), 2)


LAYERS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "BatchNorm1d": (lambda: nn.BatchNorm1d(3), (4, 3)),
    "BatchNorm1d, all batches alike": (lambda: nn.BatchNorm1d(3, momentum=None), (4, 3, 2)),
    "BatchNorm1d without affine": (lambda: nn.BatchNorm1d(3, affine=False, dtype="float64"), (4, 3)),
    "BatchNorm1d without statistics": (lambda: nn.BatchNorm1d(3, track_running_stats=False), (4, 3)),
    "BatchNorm2d": (lambda: nn.BatchNorm2d(3, momentum=0.3), (2, 3, 2, 2)),
    "BatchNorm2d in evaluation": (lambda: nn.BatchNorm2d(3).eval(), (2, 3, 2, 2)),
    "InstanceNorm1d": (lambda: nn.InstanceNorm1d(3, affine=True, track_running_stats=True), (2, 3, 4)),
    "LayerNorm": (lambda: nn.LayerNorm(3), (4, 3)),
    "RMSNorm": (lambda: nn.RMSNorm(3), (4, 3)),
    "GroupNorm": (lambda: nn.GroupNorm(3, 6), (2, 6, 2)),
    "PReLU": (lambda: nn.PReLU(3), (4, 3)),
    "RReLU": (lambda: nn.RReLU(), (4, 3)),
    "Maxout": (lambda: nn.Maxout(3, 2), (4, 3)),
    "Dropout": (lambda: nn.Dropout(), (4, 3)),
    "Dropout1d": (lambda: nn.Dropout1d(), (4, 3, 2)),
    "Dropout2d": (lambda: nn.Dropout2d(0.3), (4, 3, 2, 2)),
    "AlphaDropout": (lambda: nn.AlphaDropout(0.3), (4, 3)),
    "RNN": (lambda: First(nn.RNN(3, 5, num_layers=2, dropout=0.3, batch_first=True)), (2, 4, 3)),
    "RNN both ways": (lambda: First(nn.RNN(3, 5, nonlinearity="relu", bidirectional=True)), (4, 2, 3)),
    "GRU": (lambda: First(nn.GRU(3, 5, num_layers=2, dropout=0.3, batch_first=True)), (2, 4, 3)),
    "GRU both ways": (lambda: First(nn.GRU(3, 5, bidirectional=True)), (4, 2, 3)),
    "LSTM both ways": (lambda: First(nn.LSTM(3, 5, num_layers=2, dropout=0.3, bidirectional=True)), (4, 2, 3)),
    "Conv2d and pooling": (
        lambda: nn.Sequential(nn.Conv2d(2, 4, 3, padding=1, groups=2), nn.ReLU(), nn.MaxPool2d(2), nn.AdaptiveAvgPool2d(2)),
        (2, 2, 6, 6),
    ),
    "ConvTranspose2d": (lambda: nn.ConvTranspose2d(2, 3, 3, stride=2), (2, 2, 3, 3)),
    "TransformerEncoder": (encoder, (2, 4, 6)),
    "MLP": (lambda: MLP([3, 6, 2], dropout=0.5), (4, 3)),
    "LeNet": (LeNet, (2, 1, 28, 28)),
    "ResidualBlock": (lambda: ResidualBlock(2, 4, stride=2), (2, 2, 6, 6)),
    "TabularLSTM": (lambda: TabularLSTM(5), (3, 4)),
    "DigitsNet": (DigitsNet, (2, 1, 8, 8)),
    "together": (
        lambda: nn.Sequential(
            nn.Dropout(0.2), nn.Linear(3, 6), nn.BatchNorm1d(6), nn.RReLU(), nn.Maxout(6, 2), nn.Dropout(), nn.PReLU()
        ),
        (8, 3),
    ),
}


class Training:
    """A layer, learning to be like what it is shown, on batches that are written into one place."""

    def __init__(self, name: str) -> None:
        make, shape = LAYERS[name]
        tn.manual_seed(0)
        self.layer = make()
        self.batches = np.random.default_rng(0).normal(1.0, 2.0, (6, *shape))
        self.x = tn.zeros(shape, dtype="float64" if "affine" in name else "float32")
        self.optimizer = optim.SGD(list(self.layer.parameters()) or [tn.zeros(1, requires_grad=True)], lr=0.1, momentum=0.5)

    def feed(self, number: int) -> None:
        self.x.copy_(tn.tensor(self.batches[number]))

    def step(self) -> tn.Tensor:
        self.optimizer.zero_grad()
        y = self.layer(self.x)
        loss = ((y - 0.5) ** 2).mean()
        if loss.requires_grad:
            loss.backward()
        self.optimizer.step()
        return loss.detach()

    def state(self) -> list[np.ndarray]:
        return [*(value.numpy().copy() for value in self.layer.state_dict().values()), tn.get_rng_state().numpy()]


@pytest.mark.parametrize("name", LAYERS)
def test_replayed_steps_are_eager_steps(name: str) -> None:
    eager, expected = Training(name), []
    for number in range(6):
        eager.feed(number)
        loss = eager.step()
        expected.append((loss.item(), eager.state()))

    recorded = Training(name)
    for number in range(2):  # moments and statistics are born here
        recorded.feed(number)
        with tn.Tape() as tape:
            loss = recorded.step()
        assert loss.item() == expected[number][0]
    for number in range(2, 6):
        recorded.feed(number)
        (value,) = tape.replay(loss)
        assert value == expected[number][0]
        for ours, theirs in zip(recorded.state(), expected[number][1], strict=True):
            np.testing.assert_array_equal(ours, theirs)
