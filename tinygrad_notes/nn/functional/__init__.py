"""Functions of neural networks under PyTorch's names: composites, made of primitives only."""

from . import activation, layer, loss
from .activation import *
from .layer import *
from .loss import *

__all__: list[str] = []
__all__ += activation.__all__
__all__ += layer.__all__
__all__ += loss.__all__
