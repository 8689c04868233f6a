"""A define-by-run autograd engine for the CPU, with PyTorch's habits: ``import tinygrad_notes as tn``.

The tape is data and everything else only reads it. Start with ``tn.tensor``, ``.backward()`` and ``with tn.Tape() as tape``.
"""

from __future__ import annotations

import importlib
from math import e, inf, nan, pi
from typing import TYPE_CHECKING, Any

from numpy import dtype, finfo, iinfo

from . import autograd, einops_backend, methods
from .anomaly import is_anomaly_check_nan_enabled, is_anomaly_enabled
from .dtypes import (
    bool_,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    promote_types,
    uint8,
    uint32,
    uint64,
)
from .dtypes import bool_ as bool
from .dtypes import float32 as float
from .dtypes import float64 as double
from .dtypes import int16 as short
from .dtypes import int32 as int
from .dtypes import int64 as long
from .functions.activation import *
from .functions.bounds import *
from .functions.convert import *
from .functions.counting import *
from .functions.creation import *
from .functions.device import device
from .functions.einsum import *
from .functions.generator import *
from .functions.index import *
from .functions.linalg import *
from .functions.logic import *
from .functions.moments import *
from .functions.moving import *
from .functions.pieces import *
from .functions.pointwise import *
from .functions.random import *
from .functions.reduce import *
from .functions.rounding import *
from .functions.scan import *
from .functions.scatter import *
from .functions.select import *
from .functions.shape import *
from .functions.sort import *
from .functions.trigonometry import *
from .interop import from_dlpack
from .kernels.team import get_num_threads, set_num_threads
from .modes import enable_grad, inference_mode, is_grad_enabled, no_grad, scope, set_grad_enabled
from .tape import Tape
from .tensor import Tensor

if TYPE_CHECKING:
    from . import func, information, linalg, nn, optim, testing, train, utils, viz
    from .custom import primitive
    from .func import vmap
    from .io import load, save

methods.attach()
einops_backend.announce()

__version__ = "0.1.0"
_LAZY = {
    "func": "func", "information": "information", "linalg": "linalg", "nn": "nn", "optim": "optim", "testing": "testing",
    "train": "train", "utils": "utils", "viz": "viz", "primitive": "custom", "vmap": "func", "save": "io", "load": "io",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """Rooms that cost time to import are opened when first used."""
    if name not in _LAZY:
        raise AttributeError(f"module 'tinygrad_notes' has no attribute {name!r}")
    module = importlib.import_module(f".{_LAZY[name]}", __name__)
    value = getattr(module, name) if _LAZY[name] != name else module
    globals()[name] = value
    return value
