# The source of 07_second_order.ipynb: `python notebooks/build.py` executes it and writes the notebook.

# %% [markdown]
# # 7 · Second order
#
# The gradient says which way is down, and nothing about how far. The **Hessian**, the gradient of the gradient, says how the
# slope changes along the way. This notebook looks at what it is good for. Newton's method jumps to the bottom of the fitted
# parabola: you will see its digits double from step to step, see it walk straight *into* a saddle, and count what it costs,
# in operations, against twenty thousand cheap steps. You will multiply by a Hessian without ever having one, and solve with
# it. Then the Hessian of a real network, all of its eigenvalues: most are nearly zero, some are negative, a few are large, and
# training drives the largest to exactly the value where gradient descent is about to fail. Last, what all this means for
# linear systems that are *ill-conditioned*: a blurred photograph that the exact inverse turns into noise, and four ways to
# bring it back.
#
# 梯度指出下坡的方向，却不说该走多远；**Hessian**（梯度的梯度）说明坡度沿途怎样变化。本节考察它的用处：
# 牛顿法在极小值附近每一步让正确的位数翻倍，也会径直走进鞍点，它的代价要用运算次数来数；不写出 Hessian 也能与它相乘、用它求解。
# 接着看一个真实网络的全部特征值：多数接近零，有些为负，少数很大，而训练会把最大的一个推到梯度下降即将失效的边缘。
# 最后是病态线性方程组：一张模糊的照片，精确求逆只得到噪声，用 Tikhonov、截断奇异值等四种方法可以救回来；PCA 与截断 SVD 的差别只在中心化。

# %%
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
from setting import claim, quick

import tinygrad_notes as tn
from tinygrad_notes import nn, optim
from tinygrad_notes.train.landscapes import ROSENBROCK, bowl, descend

plt.rcParams["figure.dpi"] = 80  # many pictures
rng = np.random.default_rng(0)

# %% [markdown]
# ## The gradient of the gradient
#
# `tn.func.hessian` differentiates twice. For Rosenbrock's $f = (1-x)^2 + 100\,(y - x^2)^2$ it can be written down by hand:
#
# $$ H = \begin{pmatrix} 2 - 400\,(y - x^2) + 800\,x^2 & -400\,x \\ -400\,x & 200 \end{pmatrix} $$

# %%
point = tn.tensor(ROSENBROCK.start, dtype=tn.float64)
x, y = ROSENBROCK.start
by_hand = np.array([[2 - 400 * (y - x**2) + 800 * x**2, -400 * x], [-400 * x, 200]])
found = tn.func.hessian(ROSENBROCK)(point).numpy()
np.testing.assert_allclose(found, by_hand)
curvatures, directions = np.linalg.eigh(found)
print(found, f"\ncurvatures {curvatures.round(1)}, condition number {curvatures[1] / curvatures[0]:.0f}")

# %% [markdown]
# Its eigenvectors are the directions of largest and smallest curvature, its eigenvalues the curvatures. The parabola that has
# the same value, slope and curvature,
#
# $$ q(\Delta) = f + g^\top \Delta + \tfrac12 \Delta^\top H \Delta , $$
#
# has its lowest point where $g + H\Delta = 0$. Newton's method goes there: $\Delta = -H^{-1} g$. On a bowl, which *is* its
# own parabola, that is one step from anywhere, whatever the condition number. "The Hessian stands in the place of the
# denominator", say the notes. But a matrix is no number. Try what one might try first, to divide each slope by the curvature
# along its own axis, on a bowl that lies askew:

# %%
askew = np.array([[101.0, 99.0], [99.0, 101.0]])  # curvatures 200 along (1, 1) and 2 along (1, -1)
there = np.array([1.0, -1.0])
by_division = there - askew @ there / np.diag(askew)
by_inverse = there - np.linalg.solve(askew, askew @ there)
of_gradient = tn.func.jacobian(tn.func.grad(ROSENBROCK))(point).numpy()
claim(
    "A3 denominator",
    "H is the gradient of the gradient; in several dimensions it stands in the place of the denominator.",
    "confirmed with limits",
    "The Jacobian of the gradient is the Hessian. But the step needs its inverse: to divide each slope by its own second "
    "derivative leaves nearly all of the way along a valley that lies askew.",
    "off < 1e-9 and inverse < 1e-9 and division > 0.9",
    off=np.abs(of_gradient - found).max(),
    inverse=np.abs(by_inverse).max(),
    division=np.abs(by_division).max(),
)

# %% [markdown]
# The inverse does it, on any bowl. Rosenbrock's valley is none. How many steps from $(-1.2, 1)$ to its lowest point?

# %%
narrow = bowl(1, 10_000)
one_step = descend(narrow, (0.7, -0.4), lambda p: optim.Newton(p), 1)
print("after one step:", one_step[-1])
assert np.abs(one_step[-1]).max() < 1e-12

fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4))
newton = descend(ROSENBROCK, ROSENBROCK.start, lambda p: optim.Newton(p), 7)
replace(ROSENBROCK, window=(-1.6, 1.6, -3.5, 1.7)).draw(left, {"Newton": newton}, color="tab:red", marker="o")
for k, (px, py) in enumerate(newton[:5]):
    left.annotate(str(k), (px, py), (5, 4), textcoords="offset points", color="tab:red")
left.set(title="Newton on Rosenbrock")
errors = np.linalg.norm(newton - 1, axis=1)
right.semilogy(np.maximum(errors, 1e-17), "o-", color="tab:red")
right.set(xlabel="step", ylabel="distance to the minimum")
fig.tight_layout()
plt.show()

# %% [markdown]
# Seven steps. And look at the last ones: the error is *squared* each time, so the number of correct digits doubles. To see it
# for longer, take a function in which more steps are needed and a start at a moderate distance,
# $f(x) = \sum_i \left(e^{x_i} - x_i\right) + \tfrac12 (\sum_i x_i)^2$, whose minimum is at 0:


# %%
def smooth(x):
    return (x.exp() - x).sum(-1) + 0.5 * x.sum(-1) ** 2


path = descend(smooth, np.linspace(1.0, 3.0, 5), lambda p: optim.Newton(p), 7)
errors = np.maximum(np.linalg.norm(path, axis=1), 1e-16)
digits = -np.log10(errors)
print("error      correct digits   error / (last error)²")
for k in range(1, 8):
    print(f"{errors[k]:9.1e} {digits[k]:13.1f} {errors[k] / errors[k - 1] ** 2:18.3f}")
doubling = digits[5:] / digits[4:-1]
claim(
    "A3 newton step",
    "Newton's method has no learning rate, because only the computed step leads exactly to the vertex of the parabola.",
    "confirmed with limits",
    "On a quadratic one step arrives, and near a minimum the digits double from step to step. But the parabola is not the "
    "function: from 1.1 on sqrt(1 + x²) the full step overshoots by ever more, half of it converges (from 2 half explodes too).",
    "bowl < 1e-12 and least_doubling > 1.7 and full > 1e6 and half < 1e-6",
    bowl=np.abs(one_step[-1]).max(),
    least_doubling=doubling.min(),
    full=abs(descend(lambda x: (1 + x**2).sqrt(), 1.1, lambda p: optim.Newton(p), 5)[-1]),
    half=abs(descend(lambda x: (1 + x**2).sqrt(), 1.1, lambda p: optim.Newton(p, lr=0.5), 40)[-1]),
)

# %% [markdown]
# For $\sqrt{1+x^2}$ Newton's step is $x \leftarrow -x^3$: from 0.9 it converges cubically, from 1.1 it explodes. That is why
# real implementations damp the step, by a share of it (`lr`) or by $H + \lambda I$ (`damping`), which turns it towards the
# gradient.
#
# ## Against gradient descent: in steps, and in operations
#
# Gradient descent on Rosenbrock at a rate just below its limit, against Newton. A step of Newton's is dearer, so count
# honestly: the numbers that all recorded operations of a step compute, forward, backward, Hessian and solution included.


# %%
def numbers_computed(make, function, start):
    """How many numbers the operations of one step compute."""
    x = tn.tensor(np.array(start, float), requires_grad=True)
    optimizer = make([x])
    with tn.Tape() as tape:
        if isinstance(optimizer, optim.Newton):
            optimizer.step(lambda: function(x).sum())
        else:
            function(x).sum().backward()
            optimizer.step()
    return sum(int(np.prod(node.shape)) for node in tape)


ways = {
    "gradient descent": (lambda p: optim.SGD(p, lr=0.0019), quick(20000, 200)),
    "heavy ball": (lambda p: optim.SGD(p, lr=0.0032, momentum=0.9), quick(1500, 200)),
    "Newton": (lambda p: optim.Newton(p), 8),
}
race = {}
fig, ax = plt.subplots()
for (name, (make, steps)), color in zip(ways.items(), ["tab:gray", "tab:orange", "tab:red"], strict=True):
    away = np.linalg.norm(descend(ROSENBROCK, ROSENBROCK.start, make, steps) - 1, axis=1)
    price = numbers_computed(make, ROSENBROCK, ROSENBROCK.start)
    arrived = np.argmax(away < 1e-6) if (away < 1e-6).any() else np.nan
    race[name] = arrived, arrived * price
    ax.loglog(
        np.arange(1, len(away)) * price, np.maximum(away[1:], 1e-16), color=color, label=f"{name}: {price} numbers a step"
    )
    print(f"{name:18} {arrived:8.0f} steps to 1e-6, {arrived * price:10.0f} numbers computed")
ax.set(xlabel="numbers computed", ylabel="distance to the minimum", ylim=(1e-12, 10))
ax.legend(frameon=False, fontsize=8, ncol=3, loc="lower center", bbox_to_anchor=(0.47, 1), columnspacing=1)
plt.show()

# %% [markdown]
# Newton needs three thousand times fewer steps, and a step costs six times as much. For two weights that is a bargain. For
# $n$ weights the Hessian has $n^2$ entries, and solving with it takes $n^3$ operations. "Too much computation", say the
# notes. But look at what is needed: not $H$, only what $H$ does to a vector. And that is the gradient of a number,
#
# $$ H v = \nabla\big( g(\theta)^\top v \big) , $$
#
# so it costs about as much as two gradients, however many weights there are. Rosenbrock in $n$ dimensions (the elimination
# is not measured but $n^3/3$, as the books have it):


# %%
def chain(x):
    return ((1 - x[..., :-1]) ** 2 + 100 * (x[..., 1:] - x[..., :-1] ** 2) ** 2).sum(-1)


def price(function, n):
    x = tn.tensor(rng.standard_normal(n))
    with tn.Tape() as tape:
        function(x)
    return sum(int(np.prod(node.shape)) for node in tape)


ns = np.array([4, 8, 16, 32, 64, 128])
prices = {
    "gradient": [price(tn.func.grad(chain), n) for n in ns],
    "Hessian times a vector": [price(lambda x: tn.func.hvp(chain, (x,), (tn.ones(len(x), dtype=tn.float64),)), n) for n in ns],
    "Hessian": [price(tn.func.hessian(chain), n) for n in ns],
}
prices["Hessian and elimination"] = [h + n**3 / 3 for h, n in zip(prices["Hessian"], ns, strict=True)]
fig, ax = plt.subplots()
for (name, counts), color in zip(prices.items(), ["tab:gray", "tab:blue", "tab:orange", "tab:red"], strict=True):
    ax.loglog(ns, counts, "o-", color=color, label=name)
ax.set(xlabel="weights n", ylabel="numbers computed")
ax.legend(frameon=False)
plt.show()
v = tn.tensor(rng.standard_normal(16))
x = tn.tensor(rng.standard_normal(16))
np.testing.assert_allclose(tn.func.hvp(chain, (x,), (v,))[1][0].numpy(), tn.func.hessian(chain)(x).numpy() @ v.numpy())

# %%
claim(
    "A3 newton cost",
    "Newton's disadvantage: computing such a matrix at each step is too much computation.",
    "confirmed with limits",
    "The matrix itself costs in proportion to n gradients, and its elimination n³. But its product with a vector costs a "
    "few gradients for any n, and conjugate gradients need only products.",
    "product_128 < 5 and abs(product_128 / product_8 - 1) < 0.5 and matrix_128 > 10 * matrix_8",
    product_8=prices["Hessian times a vector"][1] / prices["gradient"][1],
    product_128=prices["Hessian times a vector"][-1] / prices["gradient"][-1],
    matrix_8=prices["Hessian"][1] / prices["gradient"][1],
    matrix_128=prices["Hessian"][-1] / prices["gradient"][-1],
)

# %% [markdown]
# ## Hessian-free
#
# **Conjugate gradients** solve $H\Delta = -g$ by products alone. After $k$ products they have the best $\Delta$ that
# combinations of $g, Hg, \dots, H^{k-1}g$ allow; so they need as many products as $H$ has *different* eigenvalues, however
# many weights there are. `Newton(method="cg")` does that. Two bowls in 100 dimensions, both with $\kappa = 1000$; one step of
# Newton's with $k$ products, against $k$ steps of gradient descent at the best rate:

# %%
bowls = {
    "five different curvatures": np.repeat([1.0, 10.0, 50.0, 200.0, 1000.0], 20),
    "spread from 1 to 1000": np.geomspace(1, 1000, 100),
}
fig, panels = plt.subplots(1, 2, figsize=(10, 3.4), sharey=True)
left_after = {}
for ax, (name, curvatures) in zip(panels, bowls.items(), strict=True):
    halves = tn.tensor(curvatures / 2)
    hollow = lambda x, c=halves: (c * x * x).sum(-1)  # noqa: E731
    counts = np.arange(1, 41)
    ends = [descend(hollow, np.ones(100), lambda p, k=int(k): optim.Newton(p, method="cg", max_iter=k), 1)[-1] for k in counts]
    left_after[name] = np.linalg.norm(ends, axis=1) / 10
    plain = descend(hollow, np.ones(100), lambda p: optim.SGD(p, lr=2 / 1001), 40)
    ax.semilogy(counts, np.maximum(left_after[name], 1e-16), "o-", ms=4, color="tab:red", label="conjugate gradients")
    ax.semilogy(np.linalg.norm(plain, axis=1) / 10, color="tab:gray", label="gradient descent")
    ax.set(xlabel="products, or steps", title=name)
panels[0].set_ylabel("distance that is left")
panels[0].legend(frameon=False)
fig.tight_layout()
plt.show()
assert left_after["five different curvatures"][4] < 1e-8 < 1e-3 < left_after["five different curvatures"][3]

# %% [markdown]
# Five curvatures, five products. On the right a hundred different ones: there is no such end before the hundredth, but still
# the products are better used than the steps.
#
# ## Into the saddle
#
# $g + H\Delta = 0$ asks for a place where the gradient vanishes. It does not ask for a *minimum*. Here is a landscape with
# three valleys, $f = |z^3 - 1|^2$ with $z = x + iy$: its minima are the three cube roots of 1, and in the middle, at 0, there
# is one place more where the gradient vanishes: a saddle for a monkey, with three ways down, for two legs and a tail. Send
# every point of the plane on its way by each of three methods, and paint it in the colour of the minimum it ends in; black
# where it ends in none. Where will Newton's map be black?


# %%
def three_valleys(p):
    x, y = p[..., 0], p[..., 1]
    return (x**3 - 3 * x * y**2 - 1) ** 2 + (3 * x**2 * y - y**3) ** 2


roots = np.array([[np.cos(a), np.sin(a)] for a in (0, 2 * np.pi / 3, -2 * np.pi / 3)])
gradients = tn.func.vmap(tn.func.grad(three_valleys))
hessians = tn.func.vmap(tn.func.hessian(three_valleys))


def basins(direction, steps):
    """Which minimum each point of a grid ends in: 1, 2, 3, or 0."""
    size = quick(161, 21)
    axis = np.linspace(-1.5, 1.5, size)
    points = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    for _ in range(steps):
        x = tn.tensor(points)
        points = points + direction(gradients(x).numpy(), hessians(x).numpy() if direction is not downhill else None)
    near = np.linalg.norm(points[:, None] - roots, axis=-1) < 0.05
    if direction is newton_step:
        assert (near.any(1) | (np.linalg.norm(points, axis=1) < 0.05)).mean() > 0.99  # in a minimum, or in the middle
    return np.where(near.any(1), near.argmax(1) + 1, 0).reshape(size, size)


def downhill(g, _):
    return -0.02 * g / (1 + 0.1 * np.linalg.norm(g, axis=1, keepdims=True))


def newton_step(g, h):
    return -np.linalg.solve(h + 1e-12 * np.eye(2), g[..., None])[..., 0]


def turned_over(g, h):
    """Newton's step with the absolute values of the curvatures, bounded."""
    curvatures, directions = np.linalg.eigh(h)
    along = np.einsum("nij,ni->nj", directions, g) / np.maximum(np.abs(curvatures), 0.5)
    step = -np.einsum("nij,nj->ni", directions, along)
    return step / np.maximum(1, np.linalg.norm(step, axis=1, keepdims=True) / 0.3)


maps = {
    "gradient descent": basins(downhill, quick(400, 20)),
    "Newton": basins(newton_step, 40),
    "Newton, negative curvatures turned over": basins(turned_over, 40),
}
fig, panels = plt.subplots(1, 3, figsize=(10.5, 3.7))
palette = plt.matplotlib.colors.ListedColormap(["black", "#7fb3d5", "#f5b041", "#7dcea0"])
for ax, (name, ends) in zip(panels, maps.items(), strict=True):
    ax.imshow(ends, cmap=palette, vmin=-0.5, vmax=3.5, origin="lower", extent=(-1.5, 1.5, -1.5, 1.5), interpolation="nearest")
    ax.plot(*roots.T, "k*", ms=9)
    ax.set_title(f"{name}:\n{(ends == 0).mean():.0%} end in no minimum", fontsize=9)
fig.tight_layout()
plt.show()

# %% [markdown]
# The whole middle is black: nearly a third of the starts walk into the saddle, and near the borders a step can lead
# anywhere. Where a curvature is negative, the parabola has no lowest point in that direction, and the step runs *up* to its
# highest. Gradient descent is drawn to the saddle only along the ridges between the valleys (one lies on our grid), and is slow
# around it. With absolute values instead, $|H|$, the step runs down too, and fast.
#
# Our `Newton` does not turn curvatures over. Its full step goes to the saddle; damping that is larger than the most negative
# curvature heals it, and so do conjugate gradients, which stop as soon as they meet negative curvature and so far have gone
# downhill only:


# %%
def mountain_pass(x):
    return 0.5 * x[..., 0] ** 2 + 0.25 * (x[..., 1] ** 2 - 1) ** 2  # the pass is at 0, the minima at (0, ±1)


start = (0.8, 0.2)
for name, make in {
    "plain": lambda p: optim.Newton(p),
    "damping 1.5": lambda p: optim.Newton(p, damping=1.5),
    "conjugate gradients": lambda p: optim.Newton(p, method="cg"),
}.items():
    end = descend(mountain_pass, start, make, 60)[-1]
    height = mountain_pass(tn.tensor(end)).item()
    place = "the pass" if abs(height - 0.25) < 1e-6 else "a minimum"
    print(f"{name:20} ends at ({end[0]:.3f}, {end[1]:.3f}), height {height:.3f}: {place}")
    assert abs(end[1]) < 1e-6 if name == "plain" else abs(abs(end[1]) - 1) < 1e-6

# %% [markdown]
# ## The Hessian of a network
#
# 760 weights: ten tanh units on 200 digits. Its Hessian has 760 eigenvalues, few enough to look at them all, before training
# and after. How many directions do you think are steep?

# %%
from sklearn.datasets import load_digits

digits, labels = load_digits(return_X_y=True)
pixels, one_hot, classes = tn.tensor(digits[:200] / 16), tn.tensor(np.eye(10)[labels[:200]]), tn.tensor(labels[:200])


def network(theta):
    """Ten tanh units; theta holds all 760 weights."""
    hidden = (pixels @ theta[:640].reshape(64, 10) + theta[640:650]).tanh()
    return hidden @ theta[650:750].reshape(10, 10) + theta[750:]


def squared(theta):
    return 0.5 * ((network(theta) - one_hot) ** 2).sum(1).mean()


def logarithmic(theta):
    return nn.functional.cross_entropy(network(theta), classes)


first = np.concatenate([rng.normal(0, 0.04, 640), np.zeros(10), rng.normal(0, 0.1, 100), np.zeros(10)])
trained = descend(logarithmic, first, lambda p: optim.SGD(p, lr=0.5), quick(300, 20))[-1]
fig, panels = plt.subplots(1, 2, figsize=(10, 3.6), sharey=True)
spectra = {}
for ax, (name, theta) in zip(panels, {"before training": first, "after 300 steps": trained}.items(), strict=True):
    spectra[name] = np.linalg.eigvalsh(tn.func.hessian(logarithmic)(tn.tensor(theta)).numpy())[::-1]
    ax.plot(np.arange(1, 761), spectra[name], ".", ms=4, color="tab:blue")
    ax.set(xscale="log", xlabel="rank", title=name)
    ax.set_yscale("symlog", linthresh=1e-3)
    ax.axhline(0, color="gray", lw=0.5)
    large, zero, negative = (
        (spectra[name] > 0.05 * spectra[name][0]).sum(),
        (abs(spectra[name]) < 1e-3).mean(),
        (spectra[name] < -1e-3).sum(),
    )
    ax.text(0.03, 0.05, f"{large} above a twentieth of the largest\n{zero:.0%} within ±0.001\n{negative} below −0.001",
            transform=ax.transAxes, va="bottom", fontsize=9)  # fmt: skip
panels[0].set_ylabel("eigenvalue")
fig.tight_layout()
plt.show()

# %% [markdown]
# A landscape of canyons: flat in most of its 760 directions (110 of them are weights of pixels that are blank in all these
# digits, but that is a small part), steep in about a hundred of them at first and in about fifteen after training. Some
# eigenvalues are negative, so we are near no minimum, nor do we need to be.
#
# ### The largest eigenvalue and the learning rate
#
# Gradient descent is stable below $\alpha = 2/\lambda_{\max}$ ([notebook 5](05_gradient_descent.ipynb)). For a network
# $\lambda_{\max}$ changes on the way. It can be followed without the Hessian: multiply a vector by $H$ again and again, and
# it turns towards the steepest direction (**power iteration**, one `hvp` each). Train with the *squared* loss and three
# rates. Where will $\lambda_{\max}$ go?


# %%
def sharpness_while_training(loss, rate, steps, every=10):
    """Loss of every step, and the largest curvature every few steps."""
    theta = tn.tensor(first, requires_grad=True)
    optimizer, losses, sharpness = optim.SGD([theta], lr=rate), [], []
    v = tn.tensor(np.random.default_rng(1).standard_normal(760))
    for step in range(steps):
        if step % every == 0:
            for _ in range(6 if step else 40):
                product = tn.func.hvp(loss, (theta.detach(),), (v,))[1][0]
                largest = ((v @ product) / (v @ v)).item()
                v = product / (product @ product).sqrt()
            sharpness.append(largest)
        optimizer.zero_grad()
        value = loss(theta)
        value.backward()
        optimizer.step()
        losses.append(value.item())
    return np.array(losses), np.array(sharpness)


steps = quick(1500, 60)
rates = {0.1: "tab:blue", 0.2: "tab:orange", 0.4: "tab:red"}
edge = {rate: sharpness_while_training(squared, rate, steps) for rate in rates}
fig, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8))
for rate, color in rates.items():
    losses, sharpness = edge[rate]
    left.semilogy(losses, color=color, lw=0.8, label=f"α = {rate}")
    right.plot(np.arange(len(sharpness)) * 10, sharpness, color=color)
    right.axhline(2 / rate, color=color, ls=":", lw=1.2)
left.set(xlabel="step", ylabel="squared loss")
left.legend(frameon=False)
right.set(xlabel="step", ylabel="largest curvature  (dotted: 2 / α)", ylim=(0, 22))
fig.tight_layout()
plt.show()
if quick(True, False):
    for rate in (0.2, 0.4):
        assert abs(np.median(edge[rate][1][-50:]) * rate / 2 - 1) < 0.05
    assert edge[0.2][1][0] < 2 / 0.2  # it began below

# %% [markdown]
# It *rises* to $2/\alpha$ and stays there, at the edge (the smallest rate is still on its way): training makes the landscape
# steeper until gradient descent is about to become unstable. There the loss trembles and still falls, because the instability
# itself keeps the curvature from rising further (Cohen and others saw it in 2021, Damian and others explain it). So "keep
# $\alpha$ below $2/\lambda_{\max}$" is no rule that one follows; training finds the limit by itself.
#
# With cross-entropy, it ends differently: once the examples are classified, the loss flattens, and the curvature falls. What
# matters is its beginning:

# %%
losses, sharpness = sharpness_while_training(logarithmic, 0.5, quick(600, 60))
fig, ax = plt.subplots()
ax.plot(np.arange(len(sharpness)) * 10, sharpness, color="tab:green")
ax.set(xlabel="step", ylabel="largest curvature, cross-entropy", ylim=(0, None))
plt.show()
peak, end = sharpness.max(), sharpness[-1]
print(f"at its peak {peak:.2f}, at the end {end:.2f}: the largest stable rate grows from {2 / peak:.1f} to {2 / end:.1f}")

# %% [markdown]
# For a while near the beginning, only a rate several times smaller than in the end is stable. That is one reason for a warm-up.
#
# ### Newton for a network
#
# Hessian-free, with the damping of Levenberg and Marquardt: if a step helped, trust the parabola more and halve $\lambda$; if
# it did not, take it back and multiply $\lambda$ by four. A step with $k$ products costs about as much as $1 + 2k$ gradients,
# and that is the honest axis.


# %%
def levenberg_marquardt(loss, steps, products=30):
    """Loss before each step, and gradients' worth of work until then."""
    theta = tn.tensor(first, requires_grad=True)
    optimizer = optim.Newton([theta], method="cg", damping=1.0, max_iter=products)
    group, curve = optimizer.param_groups[0], []
    for _ in range(steps):
        before = theta.detach().clone()
        value = optimizer.step(lambda: loss(theta)).item()
        curve.append(value)
        if loss(theta.detach()).item() < value:
            group["damping"] *= 0.5
        else:
            group["damping"] *= 4.0
            with tn.no_grad():
                theta.copy_(before)
    return np.array(curve), np.arange(steps) * (1 + 2 * products)


def first_order(make, loss, steps):
    path = descend(loss, first, make, steps)
    every = np.unique(np.geomspace(1, steps, 60).astype(int))
    return np.array([loss(tn.tensor(path[k])).item() for k in every]), every


work = quick(3600, 120)
contest = {
    "Newton, 30 products": levenberg_marquardt(squared, work // 61),
    "Adam": first_order(lambda p: optim.Adam(p, lr=0.01), squared, work),
    "heavy ball": first_order(lambda p: optim.SGD(p, lr=0.1, momentum=0.9), squared, work),
    "gradient descent": first_order(lambda p: optim.SGD(p, lr=0.2), squared, work),
}
fig, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), sharey=True)
for (name, (curve, cost)), color in zip(contest.items(), ["tab:red", "tab:purple", "tab:orange", "tab:gray"], strict=True):
    left.loglog(cost / 61 + 1 if name.startswith("Newton") else cost, curve, color=color, label=name)
    right.loglog(cost + 1, curve, color=color)
left.set(xlabel="steps", ylabel="squared loss")
right.set(xlabel="work, in gradients")
left.legend(frameon=False, fontsize=8)
fig.tight_layout()
plt.show()

# %% [markdown]
# In steps Newton is far ahead of all. In work it overtakes gradient descent and the heavy ball in the end, and Adam, which is
# nearly free, stays ahead. With gradients that are noisy besides, that is the usual outcome for networks, and the reason why
# first-order methods rule there. Newton shines where weights are few or digits are wanted.
#
# ## Systems that are ill-conditioned
#
# Newton solves $H\Delta = -g$. What if $H$ is nearly singular? One of the notes warns: change one element of an ill-conditioned
# matrix a little, and the solution changes a lot. How much? With the singular values $\sigma_1 \ge \dots \ge \sigma_n$ of $A$
# and $\kappa = \sigma_1/\sigma_n$,
#
# $$ \frac{\|\delta x\|}{\|x\|} \;\le\; \kappa\, \frac{\|\delta b\|}{\|b\|} . $$
#
# The Hilbert matrix, $A_{ij} = 1/(i + j + 1)$, is the classic. Disturb $b$ at random, in the worst direction and in the best;
# then each of the 64 elements of $A$ alone, which to first order is a disturbance $\delta b = -\delta\!A\,x$:

# %%
size = np.arange(8)
hilbert = 1 / (size[:, None] + size + 1)
u, s, vt = np.linalg.svd(hilbert)
kappa = s[0] / s[-1]


def amplification(b, disturbance):
    """How many times larger the relative change of the solution is than that of b."""
    x = vt.T @ ((u.T @ b) / s)
    change = vt.T @ ((u.T @ disturbance) / s)
    return np.linalg.norm(change) / np.linalg.norm(x) / (np.linalg.norm(disturbance) / np.linalg.norm(b))


b = hilbert @ np.ones(8)
random = np.array([amplification(b, rng.standard_normal(8)) for _ in range(1000)])
inverse_columns = np.linalg.norm(vt.T / s @ u.T, axis=0)  # how much a change of b in one place changes x
elements = s[0] * inverse_columns[:, None] * np.ones(8) / np.sqrt(8)  # of A_ij, for the solution of ones
worst = amplification(u[:, 0], u[:, -1])
harmless = amplification(b, u[:, 0])
claim(
    "F ill-conditioned",
    "Solutions of ill-conditioned systems are extremely sensitive: change an element a little and the result changes a lot.",
    "confirmed",
    "κ is the bound, and it is reached in the worst case; a random change comes within a factor of ten of it. Whichever "
    "element of the matrix is changed, the solution changes, relatively, more than ten thousand times as much. Along the first singular "
    "vector a change is harmless.",
    "abs(worst / kappa - 1) < 1e-3 and median > kappa / 10 and least_element > 1e4 and harmless < 2",
    kappa=kappa,
    worst=worst,
    median=np.median(random),
    least_element=elements.min(),
    most_element=elements.max(),
    harmless=harmless,
)

# %% [markdown]
# ### A photograph, blurred and unblurred
#
# Every blurred picture is such a system: each pixel of the blur is an average of neighbours, $b = Ax + \text{noise}$. A
# photograph of 128 × 128 pixels from scikit-learn, blurred, and with noise of a fifth of a percent, less than the eye sees. The
# blur acts on rows and columns separately, $B = K X K^\top$, so its singular values are the products $\sigma_i \sigma_j$.

# %%
from sklearn.datasets import load_sample_image

pixels_at = slice(150, 278), slice(250, 378)
sharp = load_sample_image("china.jpg")[pixels_at].mean(-1) / 255
offsets = np.arange(128)[:, None] - np.arange(128)
blur = np.exp(-0.5 * (offsets / 1.7) ** 2)
blur /= blur.sum(1, keepdims=True)
blurred = blur @ sharp @ blur.T + rng.normal(0, 0.002, sharp.shape)

u, s, vt = np.linalg.svd(blur)
values = np.outer(s, s)
print(f"condition number of the blur: {values.max() / values.min():.0e}")


def restored(shares):
    """The picture whose components are those of the exact inverse, times a share for each singular value."""
    return vt.T @ (shares / values * (u.T @ blurred @ u)) @ vt


def error(picture):
    return np.sqrt(np.mean((picture - sharp) ** 2))


# %% [markdown]
# The exact inverse divides each component by its singular value, noise included. All four remedies that the notes name do the
# same thing: they keep a *share* $\varphi(\sigma)$ of each component of the exact solution, nearly all where $\sigma$ is
# large and nearly nothing where the noise would win. (How strong a remedy should be, we find with the sharp picture at hand;
# who has only the blurred one must estimate the noise.)
#
# | remedy | minimizes, or does | share $\varphi(\sigma)$ |
# |---|---|---|
# | Tikhonov (ridge) | $\|Ax - b\|^2 + \lambda \|x\|^2$ | $\sigma^2 / (\sigma^2 + \lambda)$ |
# | truncated SVD | drops small $\sigma$ | 1 or 0 |
# | corrected singular values | lifts small $\sigma$ to a floor $\tau$ | $\min(1, \sigma/\tau)$ |
# | iteration, stopped early | $k$ steps of gradient descent | $1 - (1 - \alpha\sigma^2)^k$ |

# %%
rate = 1 / values.max() ** 2
remedies = {
    "Tikhonov": (lambda w: values**2 / (values**2 + w), np.geomspace(1e-7, 1, 40)),
    "truncated SVD": (lambda w: (values > w).astype(float), np.geomspace(1e-4, 0.9, 40)),
    "corrected values": (lambda w: np.minimum(1, values / w), np.geomspace(1e-4, 1, 40)),
    "gradient descent": (lambda w: 1 - (1 - rate * values**2) ** w, np.geomspace(1, 1e5, 40)),
}
best = {}
fig, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6))
tones = ["tab:red", "tab:blue", "tab:green", "tab:purple"]
for (name, (share, strengths)), color in zip(remedies.items(), tones, strict=True):
    errors = np.array([error(restored(share(w))) for w in strengths])
    best[name] = strengths[errors.argmin()]
    flat = np.argsort(values.ravel())
    left.semilogx(values.ravel()[flat], share(best[name]).ravel()[flat], color=color, label=name)
    strength = np.linspace(0, 1, 40) if name != "gradient descent" else np.linspace(1, 0, 40)
    right.semilogy(strength, errors, color=color)
left.set(xlabel="singular value σ", ylabel="share that is kept, at its best", xlim=(1e-6, 1))
left.legend(frameon=False, fontsize=8, loc="upper left")
right.axhline(error(blurred), color="gray", ls=":", label="the blurred picture")
right.legend(frameon=False, fontsize=8, loc="upper right")
right.set(xlabel="strength of the remedy: from hardly any to too much", ylabel="error", xticks=[], ylim=(0.07, 1))
fig.tight_layout()
plt.show()

# %%
pictures = {"sharp": sharp, "blurred": blurred, "exact inverse, clipped": np.clip(restored(np.ones_like(values)), 0, 1)}
pictures["Tikhonov, λ too small"] = restored(remedies["Tikhonov"][0](best["Tikhonov"] / 100))
pictures |= {name: restored(share(best[name])) for name, (share, _) in remedies.items()}
fig, panels = plt.subplots(2, 4, figsize=(9, 5.2), layout="constrained")
for ax, (name, picture) in zip(panels.flat, pictures.items(), strict=True):
    ax.imshow(picture, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    ax.set_title(f"{name}\nerror {error(picture):.3f}" if name != "sharp" else name, fontsize=9)
    ax.axis("off")
plt.show()

# %% [markdown]
# Is the last share in the table really that of our own optimizer? $k$ steps of `SGD` from 0 on $\tfrac12\|KXK^\top - B\|^2$:

# %%
k = quick(200, 20)
kernel, seen = tn.tensor(blur), tn.tensor(blurred)
start, make = np.zeros((128, 128)), lambda p: optim.SGD(p, lr=rate)
descent = descend(lambda x: 0.5 * ((kernel @ x @ kernel.T - seen) ** 2).sum((0, 1)), start, make, k)[-1]
np.testing.assert_allclose(descent, restored(remedies["gradient descent"][0](k)), atol=1e-9)

claim(
    "F ill-conditioned remedies",
    "Against ill-conditioning there are mainly Tikhonov, truncated singular values, corrected singular values and iteration.",
    "confirmed",
    "The exact inverse is useless, each of the four brings the picture nearer to the sharp one than the blurred is, and "
    "they differ by little: each is a filter on singular values.",
    "inverse > 1 and max(tikhonov, truncated, corrected, iteration) < 0.9 * blurred",
    blurred=error(blurred),
    inverse=error(restored(np.ones_like(values))),
    tikhonov=error(pictures["Tikhonov"]),
    truncated=error(pictures["truncated SVD"]),
    corrected=error(pictures["corrected values"]),
    iteration=error(pictures["gradient descent"]),
)

# %% [markdown]
# One line of the table deserves a second thought: *stopping gradient descent early is a regularization*. It learns the steep
# directions first, and it is in the flat ones that noise is blown up.
#
# Tikhonov's is scikit-learn's `Ridge`, and the same as weight decay when it has converged. Three ways to one solution, on the
# Hilbert system:

# %%
from sklearn.linear_model import Ridge

strength = 1e-3
noisy_b = hilbert @ np.ones(8) + rng.normal(0, 1e-4, 8)
closed = np.linalg.solve(hilbert.T @ hilbert + strength * np.eye(8), hilbert.T @ noisy_b)
ridge = Ridge(alpha=strength, fit_intercept=False, solver="svd").fit(hilbert, noisy_b).coef_
matrix, vector = tn.tensor(hilbert), tn.tensor(noisy_b)
decayed = descend(
    lambda x: 0.5 * ((matrix @ x - vector) ** 2).sum(0),
    np.zeros(8),
    lambda p: optim.SGD(p, lr=0.6, momentum=0.95, weight_decay=strength),
    2000,
)[-1]
print("wanted:        ", *[1] * 8)
print("exact solution:", *(f"{x:.0f}" for x in np.linalg.solve(hilbert, noisy_b)))
print("Tikhonov:      ", *(f"{x:.2f}" for x in closed))
np.testing.assert_allclose(ridge, closed, atol=1e-10)
np.testing.assert_allclose(decayed, closed, atol=1e-8)

# %% [markdown]
# ## PCA and truncated SVD
#
# "TSVD is much like PCA; but SVD is done on the data matrix, PCA on the matrix of covariances." Is *that* the difference? The
# notes' example is the iris data, two components (and then it looks at `iris_data`, not at what came out). Three runs: PCA,
# truncated SVD as in the notes, and truncated SVD after subtracting the mean.

# %%
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA, TruncatedSVD

iris, species = load_iris(return_X_y=True)
centred = iris - iris.mean(0)
views = {
    "PCA": PCA(2).fit(iris),
    "truncated SVD": TruncatedSVD(2, algorithm="arpack").fit(iris),
    "truncated SVD of the centred data": TruncatedSVD(2, algorithm="arpack").fit(centred),
}
scores = {name: view.transform(centred if "centred" in name else iris) for name, view in views.items()}
fig, panels = plt.subplots(1, 3, figsize=(10, 3.4))
for ax, (name, points) in zip(panels, scores.items(), strict=True):
    points = points * np.sign(views[name].components_[:, 2])  # the sign of a component is arbitrary
    ax.scatter(*points.T, c=species, s=12, cmap="viridis")
    ax.axhline(0, color="gray", lw=0.5)
    ax.axvline(0, color="gray", lw=0.5)
    ax.set(title=name, xlabel="first component", ylabel="second")
    ax.title.set_fontsize(9)
fig.tight_layout()
plt.show()

# %%
mean = iris.mean(0) / np.linalg.norm(iris.mean(0))
pca, plain, of_centred = (view.components_ for view in views.values())
of_covariance = np.linalg.eigh(np.cov(iris.T))[1][:, ::-1][:, :2].T
claim(
    "I7 pca",
    "Truncated SVD is like PCA; the difference is that SVD is done on the data, PCA on their covariance matrix.",
    "refuted",
    "On centred data they are the same, to rounding: eigenvectors of a covariance matrix are singular vectors of the "
    "centred data. The difference is the centring. Without it the first component points at the mean of the data, not along "
    "their spread.",
    "centred < 1e-9 and covariance < 1e-9 and to_mean > 0.99 and first_angle > 20",
    centred=np.abs(np.abs(of_centred) - np.abs(pca)).max(),
    covariance=np.abs(np.abs(of_covariance) - np.abs(pca)).max(),
    to_mean=abs(plain[0] @ mean),
    first_angle=np.degrees(np.arccos(abs(plain[0] @ pca[0]))),
)

# %% [markdown]
# In the middle panel the first axis is nothing but "how large is the flower", the distance from the origin. (It is useful all
# the same where the origin means something: word counts, ratings. There subtracting a mean would turn a sparse matrix into a
# full one, and truncated SVD is what one uses.)

# %%
u, s, vt = np.linalg.svd(iris, full_matrices=False)
claim(
    "I7 tsvd",
    "Unlike SVD, truncated SVD yields a decomposition of a chosen number of dimensions, and so reduces dimensions.",
    "confirmed",
    "Its scores are the first columns of the full SVD, U S, and no other matrix of that rank is nearer to the data: the "
    "distance left is the root of the sum of the squares of the singular values that were dropped.",
    "same < 1e-9 and abs(left_out / dropped - 1) < 1e-9",
    same=np.abs(np.abs(scores["truncated SVD"]) - np.abs(u[:, :2] * s[:2])).max(),
    left_out=np.linalg.norm(iris - scores["truncated SVD"] @ plain),
    dropped=np.sqrt((s[2:] ** 2).sum()),
)

# %% [markdown]
# ## What was seen
#
# - Newton's step arrives at once on a quadratic and doubles the digits near a minimum. Farther away it may explode or run
#   into a saddle; damping, absolute curvatures or conjugate gradients that stop in time mend that.
# - The Hessian costs $n$ gradients, its product with a vector a few.
# - A network's Hessian is flat in most directions, steep in a few, and negative in some. Gradient descent on the
#   squared loss works at the edge $\lambda_{\max} = 2/\alpha$.
# - Ill-conditioned means that noise is divided by small singular values. All remedies are filters on them, early stopping
#   included.
# - PCA is truncated SVD of centred data.
#
# ## Things to try
#
# 1. Start Newton on `BEALE` from (1, 1.5), from (3.5, 0.6) and from (0, 1). Where does it end, and what are the curvatures
#    there? (All three at (0, 1), with curvatures of both signs.)
# 2. Paint the basins of Newton with `lr=0.5`. Does the black middle vanish? (Only the coloured fringes get thinner.)
# 3. Follow $\lambda_{\max}$ with momentum 0.9 and a rate of 0.3. The edge should lie at $2(1+\mu)/\alpha$ ([notebook
#    5](05_gradient_descent.ipynb)). Does it get there? (Not in 1,500 steps: it rises to about three quarters of it.) What
#    happens at 0.6?
# 4. Follow it with batches of 20 instead of all 200 digits. Does it still reach $2/\alpha$? (It stays below; the noise keeps it
#    there.)
# 5. Take the Hessian's steepest eigenvectors after training and move by half a unit along one of them. Which digits does the
#    network confuse? (A quarter or more of all, mostly for one and the same digit. Half a unit in a random direction changes
#    hardly any.)
# 6. Make the noise of the photograph ten times smaller, or larger. How do the best strengths move, how much is gained?
# 7. In `levenberg_marquardt`, use 5 or 100 products. Which is best per work?
# 8. Precondition: let conjugate gradients work on weights scaled by the square root of the Hessian's diagonal. How many
#    products are saved on `chain`?
#
# ## Where to look
#
# - Functions: [`hessian` and `jacobian`](../tinygrad_notes/func/jacobians.py), [`hvp`,
#   `grad`](../tinygrad_notes/func/gradients.py), [`Newton`](../tinygrad_notes/optim/newton.py),
#   [`vmap`](../tinygrad_notes/func/vmap.py).
# - Tests: [Newton against closed forms](../tests/test_newton.py), [Hessians](../tests/test_func_gradients.py), [ridge by
#   descent](../tests/test_regularization.py).
# - B. A. Pearlmutter, *Fast exact multiplication by the Hessian*, Neural Computation 6, 1994.
#   [doi](https://doi.org/10.1162/neco.1994.6.1.147)
# - J. Martens, *Deep learning via Hessian-free optimization*, ICML 2010.
#   [paper](https://icml.cc/Conferences/2010/papers/458.pdf)
# - Y. N. Dauphin and others, *Identifying and attacking the saddle point problem in high-dimensional non-convex
#   optimization*, NeurIPS 2014: absolute values of curvatures. [arXiv](https://arxiv.org/abs/1406.2572)
# - L. Sagun and others, *Empirical analysis of the Hessian of over-parametrized neural networks*, 2017.
#   [arXiv](https://arxiv.org/abs/1706.04454)
# - J. M. Cohen and others, *Gradient descent on neural networks typically occurs at the edge of stability*, ICLR 2021.
#   [arXiv](https://arxiv.org/abs/2103.00065)
# - A. Damian, E. Nichani, J. D. Lee, *Self-stabilization: the implicit bias of gradient descent at the edge of stability*,
#   ICLR 2023. [arXiv](https://arxiv.org/abs/2209.15594)
# - P. C. Hansen, J. G. Nagy, D. P. O'Leary, *Deblurring images: matrices, spectra, and filtering*, SIAM 2006.
#   [doi](https://doi.org/10.1137/1.9780898718874)
