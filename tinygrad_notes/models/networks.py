"""Small networks that the notes draw: multilayer perceptron, LeNet, residual block."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from .. import nn
from ..errors import ShapeError
from ..tensor import Tensor

__all__ = ["MLP", "LeNet", "ResidualBlock"]


class MLP(nn.Sequential):
    """Linear layers with a nonlinearity, and dropout, between them.

    widths      of the input, of the hidden layers, of the output: ``MLP([784, 256, 128, 10])``
    activation  makes the nonlinearity
    dropout     probability behind each hidden layer, in training
    """

    def __init__(self, widths: Sequence[int], activation: Callable[[], nn.Module] = nn.ReLU, dropout: float = 0.0) -> None:
        if len(widths) < 2 or min(widths) < 1:
            raise ValueError(f"MLP: widths are at least those of input and output, all positive, got {list(widths)}")
        layers: list[nn.Module] = []
        for i, (before, after) in enumerate(pairwise(widths)):
            if i:
                layers += [activation(), *([nn.Dropout(dropout)] if dropout else [])]
            layers.append(nn.Linear(before, after))
        super().__init__(*layers)

    def _of(self, modules: list[nn.Module]) -> nn.Sequential:
        return nn.Sequential(*modules)  # a part of the layers is no MLP


class LeNet(nn.Module):
    """LeNet-5 (LeCun et al. 1998) with ReLU and largest values: two convolutions, each pooled, and three linear layers.

    classes   scores of the result
    channels  of the image
    size      its height and width, at least 12; 28 as in the paper's data set
    """

    def __init__(self, classes: int = 10, channels: int = 1, size: int = 28) -> None:
        if size < 12:
            raise ValueError(f"LeNet: images must be at least 12 x 12, got {size}")
        self.features = nn.Sequential(
            nn.Conv2d(channels, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2)
        )
        left = (size // 2 - 4) // 2
        self.head = nn.Sequential(nn.Flatten(), MLP([16 * left * left, 120, 84, classes]))

    def forward(self, x: Tensor) -> Tensor:
        """x ``(N, channels, size, size)``; result: scores ``(N, classes)``."""
        scores: Tensor = self.head(self.features(x))
        return scores


class ResidualBlock(nn.Module):
    """``relu(x + f(x))``, f two convolutions 3 x 3 with batch normalisation (He et al. 2016): the gradient has a way around f.

    in_channels, out_channels  of input and result
    stride                     of the first convolution
    Where shapes change, a 1 x 1 convolution takes x along.
    """

    def __init__(self, in_channels: int, out_channels: int | None = None, stride: int = 1) -> None:
        width = in_channels if out_channels is None else out_channels
        self.in_channels = in_channels
        self.conv1 = nn.Conv2d(in_channels, width, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or width != in_channels:
            self.shortcut = nn.Sequential(nn.Conv2d(in_channels, width, 1, stride, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        """x ``(N, in, H, W)``; result ``(N, out, H / stride, W / stride)``."""
        if x.ndim != 4 or x.shape[1] != self.in_channels:
            raise ShapeError(f"ResidualBlock: needs (N, {self.in_channels}, H, W), got {x._type()}")
        inner = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))
        out: Tensor = (self.shortcut(x) + inner).relu()
        return out
