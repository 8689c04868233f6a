"""Layer 6: modules, built from composites and primitives only."""

from . import (
    activation,
    attention,
    containers,
    convolution,
    dropout,
    functional,
    init,
    layers,
    loss,
    module,
    normalization,
    pooling,
    positional,
    recurrent,
    regularization,
    transformer,
    utils,
)
from .activation import *
from .attention import *
from .containers import *
from .convolution import *
from .dropout import *
from .layers import *
from .loss import *
from .module import *
from .normalization import *
from .pooling import *
from .positional import *
from .recurrent import *
from .transformer import *

__all__ = ["functional", "init", "regularization", "utils"]
__all__ += activation.__all__
__all__ += attention.__all__
__all__ += containers.__all__
__all__ += dropout.__all__
__all__ += convolution.__all__
__all__ += layers.__all__
__all__ += loss.__all__
__all__ += module.__all__
__all__ += normalization.__all__
__all__ += positional.__all__
__all__ += pooling.__all__
__all__ += recurrent.__all__
__all__ += transformer.__all__
