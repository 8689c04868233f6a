"""A small convolutional classifier of images of 8 × 8 pixels (LeCun et al. 1998)."""

from __future__ import annotations

from .. import nn
from ..tensor import Tensor

__all__ = ["DigitsNet"]


class DigitsNet(nn.Module):
    """Two convolutions, pooling, two linear layers.

    classes  K
    dropout  probability before each linear layer, in training
    """

    def __init__(self, classes: int = 10, dropout: float = 0.3) -> None:
        self.features = nn.Sequential(
            nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()
        )
        self.head = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(64 * 4 * 4, 128), nn.ReLU(), nn.Dropout(dropout), nn.Linear(128, classes)
        )

    def forward(self, x: Tensor) -> Tensor:
        """x ``(N, 1, 8, 8)``; result: logits ``(N, K)``."""
        logits: Tensor = self.head(self.features(x))
        return logits
