"""The notes' network for tables: the features of a row, one after the other, as the steps of an LSTM."""

from __future__ import annotations

from typing import Any

from .. import nn
from ..tensor import Tensor

__all__ = ["TabularLSTM"]


class TabularLSTM(nn.Module):
    """A score per row: above 0 for the positive class.

    hidden  LSTM units H
    """

    def __init__(self, hidden: int = 200, dtype: Any = None) -> None:
        self.lstm = nn.LSTM(1, hidden, dtype=dtype)
        self.head = nn.Linear(hidden, 1, dtype=dtype)

    def forward(self, x: Tensor) -> Tensor:
        """x ``(N, features)``; result: logits ``(N,)``."""
        outputs, _ = self.lstm(x.T.unsqueeze(-1))
        logits: Tensor = self.head(outputs[-1]).squeeze(-1)
        return logits
