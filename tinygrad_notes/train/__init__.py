"""Layer 7: training loops, what they draw, and what they measure."""

from . import callbacks, curves, fit, objectives
from .callbacks import *
from .curves import *
from .fit import *
from .objectives import *

__all__: list[str] = []
__all__ += callbacks.__all__
__all__ += curves.__all__
__all__ += fit.__all__
__all__ += objectives.__all__
