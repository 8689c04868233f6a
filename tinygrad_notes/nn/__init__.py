"""Layer 6: modules, built from composites and primitives only."""

from . import functional, utils
from .containers import ModuleList, Sequential
from .layers import Dropout, Embedding, Linear
from .module import Module, Parameter
from .recurrent import LSTM, LSTMCell

__all__ = [
    "LSTM",
    "Dropout",
    "Embedding",
    "LSTMCell",
    "Linear",
    "Module",
    "ModuleList",
    "Parameter",
    "Sequential",
    "functional",
    "utils",
]
