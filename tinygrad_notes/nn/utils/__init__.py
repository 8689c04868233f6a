"""Utilities under PyTorch's name ``nn.utils``: clipping of gradients, sequences of unequal lengths."""

from . import clip_grad, rnn
from .clip_grad import *

__all__ = ["rnn"]
__all__ += clip_grad.__all__
