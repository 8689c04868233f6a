"""Layer 6: optimizers and schedules, every update a tape of primitives."""

from . import lr_scheduler
from .adam import Adam, Adamax, AdamW, NAdam, RAdam
from .adaptive import Adadelta, Adagrad, RMSprop
from .newton import Newton
from .optimizer import Optimizer
from .sgd import SGD

__all__ = [
    "SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "NAdam", "Newton", "Optimizer", "RAdam", "RMSprop", "lr_scheduler",
]  # fmt: skip
