"""Newton's method: closed forms on quadratics, Rosenbrock, damping, negative curvature, replays, bad input."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn, optim

METHODS = ["hessian", "cg"]
RNG = np.random.default_rng(0)
N = 6
ROOT = RNG.standard_normal((N, N))
A = tn.tensor(ROOT @ ROOT.T + 0.1 * np.eye(N))
B = tn.tensor(RNG.standard_normal(N))


def quadratic(x: tn.Tensor) -> tn.Tensor:
    return 0.5 * (x @ A @ x) - B @ x


def rosenbrock(x: tn.Tensor) -> tn.Tensor:
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] * x[0]) ** 2


@pytest.mark.parametrize("method", METHODS)
def test_a_quadratic_takes_one_step(method: str) -> None:
    x = tn.tensor(RNG.standard_normal(N), requires_grad=True)
    optimizer = optim.Newton([x], method=method)
    before = quadratic(x).item()
    assert optimizer.step(lambda: quadratic(x)).item() == before
    np.testing.assert_allclose(x.detach().numpy(), np.linalg.solve(A.numpy(), B.numpy()), rtol=1e-9)
    assert x.grad is None


@pytest.mark.parametrize("method", METHODS)
def test_rate_and_damping_have_their_closed_form(method: str) -> None:
    start = RNG.standard_normal(N)
    x = tn.tensor(start.copy(), requires_grad=True)
    optimizer = optim.Newton([x], lr=0.5, damping=2.0, method=method)
    for _ in range(2):
        optimizer.step(lambda: quadratic(x))
        start = start - 0.5 * np.linalg.solve(A.numpy() + 2 * np.eye(N), A.numpy() @ start - B.numpy())
    np.testing.assert_allclose(x.detach().numpy(), start, rtol=1e-10)


@pytest.mark.parametrize("method", METHODS)
def test_groups_of_all_shapes_have_their_own_damping(method: str) -> None:
    start = RNG.standard_normal(N)
    a, b, c = (tn.tensor(v, requires_grad=True) for v in (start[:4].reshape(2, 2), start[4], start[5:]))
    unused, frozen = tn.ones(3, requires_grad=True), tn.ones(2)
    optimizer = optim.Newton([{"params": [a, unused, b, frozen]}, {"params": [c], "damping": 3.0, "lr": 0.1}], method=method)
    optimizer.step(lambda: quadratic(tn.cat([a.flatten(), b.reshape(1), c])))
    step = np.linalg.solve(A.numpy() + np.diag([0.0] * 5 + [3.0]), A.numpy() @ start - B.numpy()) * ([1.0] * 5 + [0.1])
    found = np.concatenate([p.detach().numpy().ravel() for p in (a, b, c)])
    np.testing.assert_allclose(found, start - step, rtol=1e-8)
    assert unused.tolist() == [1.0] * 3


@pytest.mark.parametrize(("method", "damping"), [("hessian", 0.0), ("cg", 0.0), ("hessian", 1.0), ("cg", 1.0)])
def test_rosenbrock(method: str, damping: float) -> None:
    x = tn.tensor([-1.2, 1.0], dtype=tn.float64, requires_grad=True)
    optimizer = optim.Newton([x], damping=damping, method=method)
    errors = []
    for _ in range(40):
        optimizer.step(lambda: rosenbrock(x))
        optimizer.param_groups[0]["damping"] *= 0.5
        errors.append(np.abs(x.detach().numpy() - 1).max())
    assert errors[-1] < 1e-10
    if damping == 0:
        assert errors[8] < 1e-10, "Newton's method is quadratic near the end"


def test_the_last_steps_double_the_digits() -> None:
    x = tn.tensor([1.1, 1.2], dtype=tn.float64, requires_grad=True)
    optimizer = optim.Newton([x])
    errors = []
    for _ in range(5):
        optimizer.step(lambda: (tn.cosh(x - 0.5)).sum())
        errors.append(np.abs(x.detach().numpy() - 0.5).max())
    assert all(b < 2 * a**2 or b < 1e-15 for a, b in itertools.pairwise(errors))
    assert errors[-1] < 1e-15


def test_conjugate_gradients_go_downhill_from_negative_curvature() -> None:
    def saddle() -> tn.Tensor:
        return x[0] ** 2 - x[1] ** 2 + 0.25 * x[1] ** 4

    x = tn.tensor([0.0, 0.1], dtype=tn.float64, requires_grad=True)
    before = saddle().item()
    optim.Newton([x], method="cg").step(saddle)
    assert saddle().item() < before
    assert x.tolist()[1] == pytest.approx(0.1 + 0.2 - 0.001), "along the gradient"
    y = x = tn.tensor([0.3, 0.1], dtype=tn.float64, requires_grad=True)
    optim.Newton([y]).step(saddle)
    assert abs(y.tolist()[1]) < 0.01, "the plain method goes to the saddle"


def test_a_network_in_few_steps() -> None:
    """Logistic regression, convex: the gradient vanishes."""
    tn.manual_seed(0)
    model = nn.Linear(3, 1).to(tn.float64)
    x = tn.tensor(RNG.standard_normal((40, 3)))
    y = tn.tensor((RNG.random((40, 1)) < 0.5).astype(float))
    loss = lambda: nn.functional.binary_cross_entropy_with_logits(model(x), y)  # noqa: E731
    for method in METHODS:
        optimizer = optim.Newton(model.parameters(), damping=1e-6, method=method)
        losses = [optimizer.step(loss).item() for _ in range(8)]
        loss().backward()
        assert losses[-1] < losses[0] or method == "cg"
        assert max(np.abs(p.grad.numpy()).max() for p in model.parameters()) < 1e-12
        optimizer.zero_grad()
        with tn.no_grad():
            model.weight.add_(0.1)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", [tn.float32, tn.float64])
def test_replays_are_eager_steps(method: str, dtype) -> None:
    def run(replayed: bool) -> list[bytes]:
        x = tn.tensor([-1.2, 1.0], dtype=dtype, requires_grad=True)
        optimizer = optim.Newton([x], lr=0.5, damping=0.1, method=method, max_iter=3)
        schedule = optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
        with tn.Tape() as tape:
            loss = optimizer.step(lambda: rosenbrock(x))
            schedule.step()
        found = []
        for _ in range(20):
            if replayed:
                value = tape.replay(loss)[0]
            else:
                value = optimizer.step(lambda: rosenbrock(x)).detach().numpy()
                schedule.step()
            found += [value.tobytes(), x.detach().numpy().tobytes()]
        return found

    assert run(True) == run(False)


def test_state_and_options() -> None:
    x = tn.ones(2, requires_grad=True)
    optimizer = optim.Newton([x], lr=0.5, damping=0.1)
    other = optim.Newton([x])
    other.load_state_dict(optimizer.state_dict())
    assert other.state_dict() == optimizer.state_dict()
    assert [g["damping"].item() for g in other.param_groups] == [0.1]


x = tn.tensor([1.0, 2.0], requires_grad=True)


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: optim.Newton([x], lr=-1.0), ValueError, "lr must lie in"),
        (lambda: optim.Newton([x], damping=-1.0), ValueError, "damping must lie in"),
        (lambda: optim.Newton([x], method="bfgs"), ValueError, "'hessian' or 'cg', got 'bfgs'"),
        (lambda: optim.Newton([x], max_iter=0), ValueError, "max_iter"),
        (lambda: optim.Newton([x], tol=1.0), ValueError, "tol"),
        (lambda: optim.Newton([x]).step(), TypeError, "needs a closure"),
        (lambda: optim.Newton([x]).step(lambda: 3.0), TypeError, "returned a float"),
        (lambda: optim.Newton([x]).step(lambda: x * x), RuntimeError, "one number"),
        (lambda: optim.Newton([x]).step(lambda: tn.ones(())), RuntimeError, "does not require grad"),
        (lambda: optim.Newton([tn.ones(1, requires_grad=True)]).step(lambda: x.sum()), RuntimeError, "does not depend on any"),
        (lambda: optim.Newton([x]).step(lambda: x.sum()), RuntimeError, "Hessian of 2 numbers is singular"),
        (lambda: optim.Newton([x]).step(lambda: (x.sum()) ** 2), RuntimeError, "singular"),
        (lambda: optim.Newton([x]).step(lambda: (x * x * float("nan")).sum()), RuntimeError, "not finite"),
    ],
)
def test_bad_input(call, error, match) -> None:
    with pytest.raises(error, match=match):
        call()
    assert x.tolist() == [1.0, 2.0]


def test_a_closure_that_calls_backward_is_refused() -> None:
    def closure() -> tn.Tensor:
        loss = (x * x).sum()
        loss.backward()
        return loss

    with pytest.raises(RuntimeError, match=r"second time|retain_graph|freed"):
        optim.Newton([x]).step(closure)
