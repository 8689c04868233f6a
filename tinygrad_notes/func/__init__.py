"""Functions of functions: gradients, Jacobians, ``vmap``, and modules as functions of their parameters."""

from .vmap import vmap

__all__ = ["vmap"]
