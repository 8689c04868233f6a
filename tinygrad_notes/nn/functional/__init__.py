"""Functions of neural networks under PyTorch's names: composites, made of primitives only."""

from . import activation, attention, bags, classes, convolution, distance, dropping, layer, loss, margin, normalization, pooling
from .activation import *
from .attention import *
from .bags import *
from .classes import *
from .convolution import *
from .distance import *
from .dropping import *
from .layer import *
from .loss import *
from .margin import *
from .normalization import *
from .pooling import *

__all__: list[str] = []
__all__ += activation.__all__
__all__ += attention.__all__
__all__ += bags.__all__
__all__ += classes.__all__
__all__ += convolution.__all__
__all__ += distance.__all__
__all__ += dropping.__all__
__all__ += layer.__all__
__all__ += loss.__all__
__all__ += margin.__all__
__all__ += normalization.__all__
__all__ += pooling.__all__
