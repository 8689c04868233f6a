"""Functions of functions: gradients, Jacobians, ``vmap``, and modules as functions of their parameters."""

from .gradients import grad, grad_and_value, hvp, jvp, linearize, vjp
from .jacobians import hessian, jacfwd, jacobian, jacrev
from .stateless import functional_call, stack_module_state
from .vmap import vmap

__all__ = [
    "functional_call", "grad", "grad_and_value", "hessian", "hvp", "jacfwd", "jacobian", "jacrev", "jvp", "linearize",
    "stack_module_state", "vjp", "vmap",
]  # fmt: skip
