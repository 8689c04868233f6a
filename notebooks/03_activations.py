# The source of 03_activations.ipynb: `python notebooks/build.py` executes it and writes the notebook.

# %% [markdown]
# # 3 · Activations: what a unit makes of its sum
#
# A unit adds up its inputs and then *bends* the sum; without the bend a network is a single matrix. Which bend? You will see
# fifteen of them with their slopes and curvatures; push them to the edge of what numbers can hold, where textbook formulas
# break and the right ones do not; turn scores into probabilities, and find out what softmax does not care about; and let
# networks learn the shape of the bend itself. Then come the stories that everybody tells, each put to the test: sigmoids
# saturate, ReLUs die, leaky ones do not, ReLU learns faster, swish is a little better. Some hold, some hold for another reason
# than the one that is given, and some do not hold here.
#
# 神经元先求和，再“弯曲”：没有弯曲，再多的层也只是一个矩阵。本节把笔记里的激活函数逐一画出（函数值、一阶与二阶导数），
# 推到 0、±1e4、±inf 去看会不会溢出；说明 softmax 为什么不在乎平移、在乎缩放；让 PReLU 与 maxout 自己学出形状。
# 然后用实验检验常见说法：sigmoid 饱和导致梯度消失吗？ReLU 怎样“死”，哪些激活能让它复活？ReLU 真比 sigmoid 与 tanh 收敛快吗？
# swish 更好吗？每个说法都给出数字与结论，包括笔记里写错的 tanh 公式。

# %%
import math
import warnings

import matplotlib.pyplot as plt
import numpy as np
from setting import claim, quick
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import tinygrad_notes as tn
from tinygrad_notes import nn
from tinygrad_notes.models.networks import MLP
from tinygrad_notes.models.stacked import Stacked
from tinygrad_notes.train.gradients import Watch, gradient_flow

F = nn.functional
INF = float("inf")

# %% [markdown]
# ## The gallery
#
# Each panel shows a function, its slope and its curvature; the engine differentiates it twice. Some take more than one number,
# so a way through them was chosen: of maxout, the largest of three lines; of softmax and log-softmax, the first of the two
# scores $(x, 0)$. Three questions to look for answers to: which slopes exceed 1? Which functions fall somewhere? Which
# curvatures are zero wherever they exist?


# %%
def pair(x):
    return tn.stack([x, tn.zeros_like(x)])


ACTIVATIONS = {
    "step": F.step,
    "sigmoid": F.sigmoid,
    "tanh": F.tanh,
    "ReLU": F.relu,
    "leaky ReLU": lambda x: F.leaky_relu(x, 0.1),
    "PReLU": lambda x: F.prelu(x, tn.tensor(0.25, dtype=x.dtype)),
    "RReLU, used": F.rrelu,
    "RReLU, training": lambda x: F.rrelu(x, training=True),
    "ELU": F.elu,
    "SELU": F.selu,
    "GELU": F.gelu,
    "swish, SiLU": F.silu,
    "softplus": F.softplus,
    "maxout": lambda x: F.maxout(tn.stack([-0.5 * x - 1, tn.zeros_like(x), x - 1], -1), 3)[..., 0],
    "softmax": lambda x: F.softmax(pair(x), 0)[0],
    "log-softmax": lambda x: F.log_softmax(pair(x), 0)[0],
}


def derivatives(f, points):
    """Value, slope and curvature of f at each point; what no gradient reaches has the slope 0."""
    x = tn.tensor(points, dtype=tn.float64, requires_grad=True)
    found = [f(x)]
    for _ in range(2):
        last = found[-1]
        found += (
            tn.autograd.grad(last.sum(), [x], create_graph=True, materialize_grads=True)
            if last.requires_grad
            else [tn.zeros_like(x)]
        )
    return [curve.detach().numpy() for curve in found]


tn.manual_seed(0)
points = np.linspace(-4, 4, 401)
fig, axes = plt.subplots(4, 4, figsize=(10, 8.4), sharex=True, sharey=True)
steepest = {}
for ax, (name, f) in zip(axes.flat, ACTIVATIONS.items(), strict=True):
    value, slope, curvature = derivatives(f, points)
    steepest[name] = slope.max()
    ax.axhline(0, color="black", lw=0.4)
    ax.axvline(0, color="black", lw=0.4)
    style = "." if name == "RReLU, training" else "-"
    for curve, color, label in zip(
        (curvature, slope, value), ("tab:orange", "tab:blue", "black"), ("f″", "f′", "f"), strict=True
    ):
        ax.plot(points, curve, style, ms=1, color=color, lw=2 if label == "f" else 1.2, label=label)
    ax.set(title=name, ylim=(-1.6, 2.4))
axes[0, 0].legend(frameon=False, ncols=3, fontsize=8, loc="upper left", handlelength=1)
fig.tight_layout()
plt.show()
print("steepest slope:", {name: round(float(slope), 3) for name, slope in steepest.items()})

# %% [markdown]
# Steeper than 1 somewhere: SELU (1.76 just left of 0, 1.05 to the right), GELU and swish. Falling: GELU and swish have a dip
# left of 0, and of maxout's three lines one falls. The piecewise straight ones have no curvature; all that bends in them
# happens at kinks.
#
# The notes describe the two classics like this: *sigmoid has a derivative everywhere, which goes to 0 on both sides; that of
# tanh lies in [0, 1].*

# %%
wide = np.linspace(-40, 40, 4001)
_, sigmoid_slope, _ = derivatives(F.sigmoid, wide)
_, tanh_slope, _ = derivatives(F.tanh, wide)

claim(
    "B slopes",
    "Sigmoid has a derivative everywhere, which goes to 0 on both sides; the derivative of tanh lies in [0, 1].",
    "confirmed",
    "Sigmoid is steepest at 0, with 1/4, and loses a factor e per unit further out; tanh is steepest at 0, with 1.",
    "sigmoid_at_0 == 0.25 and sigmoid_at_40 < 1e-16 and sigmoid_everywhere == 1 and tanh_at_0 == 1 and tanh_lowest >= 0",
    sigmoid_at_0=sigmoid_slope.max(),
    sigmoid_at_40=max(sigmoid_slope[0], sigmoid_slope[-1]),
    sigmoid_everywhere=np.isfinite(sigmoid_slope).all(),
    tanh_at_0=tanh_slope.max(),
    tanh_lowest=tanh_slope.min(),
)

# %% [markdown]
# ## Far out
#
# In training, sums now and then become huge: a rate was too large, an input was not scaled. What an activation then returns
# decides whether a run recovers or fills with NaN. We ask every function for value, slope and curvature at $0$, at $\pm 10^4$
# and at $\pm\infty$, with warnings turned into errors. A sum of $+\infty$ is a sum that overflowed.

# %%
edges = [-INF, -1e4, 0.0, 1e4, INF]
print(f"{'':16}{'value at':>10}{'':30}{'slope at':>10}{'':24}curvature")
print(f"{'':16}" + "".join(f"{x:>8g}" for x in edges * 2) + "      at 0")
undefined = {}
with warnings.catch_warnings():
    warnings.simplefilter("error")
    for name, f in ACTIVATIONS.items():
        value, slope, curvature = derivatives(f, edges)
        print(f"{name:16}" + "".join(f"{number + 0.0:>8.3g}" for number in [*value, *slope]) + f"{curvature[2]:>10.3g}")
        undefined[name] = np.isnan([value, slope, curvature]).any(0)
assert [name for name, where in undefined.items() if where.any()] == ["softmax", "log-softmax"]
assert undefined["softmax"].tolist() == [False] * 4 + [True]

# %% [markdown]
# Every slope is the limit that mathematics asks for. Two entries are NaN on purpose: the softmax of a score of $+\infty$. If
# *two* scores were infinite, their shares could be anything; there is no limit to return. (A score of $-\infty$, which masks a
# class, is fine.) Where slopes jump, at a kink, the engine takes the left one: 0 for ReLU.
#
# That such a table can be filled is not a matter of course. Here is $\tanh$ as the notes' code has it,
#
# $$ \tanh x = \frac{e^x - e^{-x}}{e^x + e^{-x}} $$
#
# which is right on paper. Where will it break, in float32, whose largest number is $3.4\cdot 10^{38} = e^{88.7}$? And its
# derivative?


# %%
def tanh_of_the_notes(x):
    return (x.exp() - (-x).exp()) / (x.exp() + (-x).exp())


def value_and_slope(f, points, dtype):
    x = tn.tensor(points, dtype=dtype, requires_grad=True)
    y = f(x)
    (slope,) = tn.autograd.grad(y.sum(), [x])
    return y.detach().numpy(), slope.numpy()


steps = np.arange(0, 800, 0.5)
breaks = {}
for dtype in (tn.float32, tn.float64):
    for what, numbers in zip(("value", "slope"), value_and_slope(tanh_of_the_notes, steps, dtype), strict=True):
        breaks[what, dtype] = steps[np.isnan(numbers).argmax()]
        print(f"{dtype}: the {what} of the formula is NaN from x = {breaks[what, dtype]:g} on")
    assert np.isfinite(value_and_slope(F.tanh, [*steps, 1e4, INF], dtype)).all()

small = np.geomspace(1e-9, 1, 60)
error = {f: np.abs(value_and_slope(f, small, tn.float32)[0] / np.tanh(small) - 1) for f in (tanh_of_the_notes, F.tanh)}
fig, ax = plt.subplots(figsize=(6, 2.8))
ax.loglog(small, error[tanh_of_the_notes] + 1e-9, color="tab:red", label="the formula")
ax.loglog(small, error[F.tanh] + 1e-9, color="tab:blue", label="F.tanh")
ax.set(xlabel="x", ylabel="relative error, float32")
ax.legend(frameon=False)
plt.show()

# %%
claim(
    "I1 tanh",
    "In code, tanh is (e^x − e^−x) / (e^x + e^−x).",
    "refuted",
    "True of real numbers, not of floating-point ones: value and derivative are NaN where e^x overflows, and near 0 the "
    "difference of two numbers close to 1 loses all digits.",
    "value_breaks_at < 100 and slope_breaks_at < 100 and error_near_0 > 0.5 and library_error_near_0 < 1e-6",
    value_breaks_at=breaks["value", tn.float32],
    slope_breaks_at=breaks["slope", tn.float32],
    value_breaks_at_in_float64=breaks["value", tn.float64],
    error_near_0=error[tanh_of_the_notes].max(),
    library_error_near_0=error[F.tanh].max(),
)

# %% [markdown]
# The notes' sigmoid is $1/(1 + e^{-x})$, and their softmax subtracts the largest score first. Same questions. (numpy warns of
# an overflow; the engine is silent and returns what the arithmetic gives.)


# %%
def sigmoid_of_the_notes(x):
    return 1 / (1 + (-x).exp())


negative = -steps
value, slope = value_and_slope(sigmoid_of_the_notes, negative, tn.float32)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    1.0 / (1.0 + np.exp(-np.float32(negative)))

claim(
    "B sigmoid formula",
    "In code, sigmoid is 1 / (1 + e^−x).",
    "confirmed with limits",
    "The value is right everywhere: where e^−x overflows, 1/∞ is the 0 that is wanted, though numpy warns. But differentiated "
    "as it stands the formula gives NaN for very negative x, where the derivative is 0.",
    "wrong_value < 1e-6 and numpy_warnings >= 1 and slope_is_nan_below > -100 and library_slope_is_finite == 1",
    wrong_value=np.abs(value - value_and_slope(F.sigmoid, negative, tn.float32)[0]).max(),
    numpy_warnings=len(caught),
    slope_is_nan_below=negative[np.isnan(slope).argmax()],
    library_slope_is_finite=np.isfinite(value_and_slope(F.sigmoid, negative, tn.float32)[1]).all(),
)

# %% [markdown]
# ## Softmax: shifts do not matter, scales do
#
# $$ p_i = \frac{e^{z_i}}{\sum_j e^{z_j}} $$
#
# turns scores into shares. Add 100 to every score: numerator and denominator both gain the factor $e^{100}$, and nothing
# changes. So one may subtract the largest score first, and then the largest exponential is $e^0 = 1$: no overflow, whatever the
# scores. But *multiply* the scores by 4? Predict the bars before you look.

# %%
scores = np.array([2.0, 1.0, 0.2, -1.0])
variants = {
    "z": scores, "z + 1000": scores + 1000, "z / 4": scores / 4, "4 z": 4 * scores,
}  # fmt: skip
shares = {name: F.softmax(tn.tensor(z), 0).numpy() for name, z in variants.items()}
np.testing.assert_allclose(shares["z + 1000"], shares["z"], atol=1e-13)
np.testing.assert_allclose(F.softmax(tn.tensor([0.7, 0.0]), 0).numpy()[0], F.sigmoid(tn.tensor(0.7)).item(), rtol=1e-6)

fig, axes = plt.subplots(1, 4, figsize=(9, 2.2), sharey=True)
for ax, (name, p) in zip(axes, shares.items(), strict=True):
    ax.bar(range(4), p, color=["tab:blue", "tab:orange", "tab:green", "tab:red"])
    ax.set(title=f"softmax({name})", xticks=[])
axes[0].set_ylabel("share")
fig.tight_layout()
plt.show()

plain = tn.tensor(scores + 1000, dtype=tn.float32)
without = (plain.exp() / plain.exp().sum()).numpy()
print("without subtracting the largest:", without)

# %%
claim(
    "B softmax shift",
    "In code, softmax subtracts the largest score before it exponentiates.",
    "confirmed",
    "A shift changes nothing but overflow: without it scores near 1,000 give NaN, with it the shares are those of the "
    "unshifted scores.",
    "differs < 1e-12 and nan_without == 4",
    differs=np.abs(shares["z + 1000"] - shares["z"]).max(),
    nan_without=np.isnan(without).sum(),
)

# %% [markdown]
# Dividing the scores by a number $T$ (the *temperature*) makes shares more equal, multiplying makes one of them win: softmax is
# a soft arg max. With two scores $(x, 0)$ it *is* the sigmoid. And since a common shift does nothing, the gradient has no
# component along it: $\sum_i \partial L/\partial z_i = 0$ for any loss $L$ of the shares.
#
# What do the ranges in the notes' table say, and what do floating-point numbers make of them? Sigmoid: $[0, 1]$; tanh: $[-1,
# 1]$; softmax: between 0 and 1, all of them adding up to 1.

# %%
first_one = {dtype: steps[(value_and_slope(F.sigmoid, steps, dtype)[0] == 1).argmax()] for dtype in (tn.float32, tn.float64)}
certain = F.softmax(tn.tensor([0.0, 200.0]), 0).numpy()
logs = F.log_softmax(tn.tensor([0.0, 200.0]), 0).numpy()
print("softmax of (0, 200):", certain, "  log-softmax:", logs)

claim(
    "B ranges",
    "Sigmoid lies in [0, 1], tanh in [-1, 1], ReLU in [0, ∞], leaky ReLU anywhere; softmax between 0 and 1, adding up to 1.",
    "confirmed with limits",
    "For real numbers the ends are never reached, (0, 1) and (-1, 1); in floating point they are, and not far out. A "
    "probability that has been rounded to 0 has lost its logarithm, log-softmax has not: take logarithms from scores.",
    "sigmoid_is_1_at < 18 and sigmoid_is_1_at_in_float64 < 38 and smallest_share == 0 and its_logarithm == -200",
    sigmoid_is_1_at=first_one[tn.float32],
    sigmoid_is_1_at_in_float64=first_one[tn.float64],
    smallest_share=certain.min(),
    its_logarithm=logs.min(),
)

# %% [markdown]
# ## Shapes that are learned
#
# **PReLU** makes the slope on the left a parameter. It is moved by negative sums only, since $\partial f/\partial a = \min(x,
# 0)$. **RReLU** draws that slope anew for every number while training, and uses the mean afterwards (the cloud in the gallery).
# **Maxout** goes furthest: a unit is the largest of $k$ straight lines, all learned, so it can become any convex polygon: ReLU
# and $|x|$ with two lines, a parabola nearly, with more. A difference of two such units can become anything.
#
# First PReLU: we give it data of which the right slope is known.

# %%
x = tn.tensor(np.random.default_rng(0).normal(size=200), dtype=tn.float64)
learned = {}
for name, target in {"|x|": x.abs(), "x": x, "relu(x)": x.relu(), "-0.3 on the left": tn.where(x > 0, x, -0.3 * x)}.items():
    layer = nn.PReLU(init=0.25).to(tn.float64)
    optimizer = tn.optim.SGD(layer.parameters(), lr=0.5)
    for _ in range(60):
        optimizer.zero_grad()
        F.mse_loss(layer(x), target).backward()
        optimizer.step()
    learned[name] = layer.weight.item()
print({name: round(slope, 3) for name, slope in learned.items()})
assert np.allclose(list(learned.values()), [-1, 1, 0, -0.3], atol=1e-3)

# %% [markdown]
# Now maxout, with 2, 3 and 6 lines, on a parabola, and the difference of two units on a wave. Thin lines are the pieces. A
# convex polygon with $k$ sides misses a parabola by $\sim 1/k^2$. How much better will three lines be than two?


# %%
class Difference(nn.Module):
    """One maxout unit minus another."""

    def __init__(self, pieces):
        self.units = nn.Maxout(1, 2, pieces)

    def forward(self, x):
        both = self.units(x)
        return both[..., :1] - both[..., 1:]


def fit(make, f, starts, steps):
    """The best of several starts, and its error."""
    inputs = tn.tensor(np.linspace(-1, 1, 101, dtype=np.float32)[:, None])
    target = tn.tensor(f(inputs.numpy()))
    tn.manual_seed(0)
    nets = Stacked([make() for _ in range(starts)])
    optimizer = tn.optim.Adam(nets.parameters(), lr=0.05)
    for _ in range(steps):
        optimizer.zero_grad()
        F.mse_loss(nets(inputs), target.expand(starts, 101, 1), reduction="sum").backward()
        optimizer.step()
    with tn.no_grad():
        errors = (nets(inputs) - target).square().mean((1, 2)).sqrt().numpy()
    return nets[int(errors.argmin())], float(errors.min())


def parabola(x):
    return x**2


def wave(x):
    return 0.5 * np.sin(5 * x) + 0.3


grid = np.linspace(-1, 1, 201, dtype=np.float32)
panels = [("2 lines", nn.Maxout, 2, parabola), ("3 lines", nn.Maxout, 3, parabola), ("6 lines", nn.Maxout, 6, parabola)]
fig, axes = plt.subplots(1, 4, figsize=(10, 2.8), sharey=True)
for ax, (title, _, pieces, f) in zip(axes, panels, strict=False):
    unit, rms = fit(lambda pieces=pieces: nn.Maxout(1, 1, pieces), f, quick(8, 2), quick(500, 20))
    weight, bias = unit.linear.weight.detach().numpy()[:, 0], unit.linear.bias.detach().numpy()
    ax.plot(grid, grid[:, None] * weight + bias, color="tab:blue", lw=0.7, alpha=0.7)
    ax.plot(grid, f(grid), color="lightgray", lw=4)
    ax.plot(grid, unit(tn.tensor(grid[:, None])).detach().numpy()[:, 0], color="tab:blue")
    ax.set(title=f"{title}, error {rms:.3f}", ylim=(-0.6, 1.2))
net, rms = fit(lambda: Difference(5), wave, quick(8, 2), quick(500, 20))
axes[3].plot(grid, wave(grid), color="lightgray", lw=4)
axes[3].plot(grid, net(tn.tensor(grid[:, None])).detach().numpy()[:, 0], color="tab:purple")
axes[3].set_title(f"5 lines minus 5, error {rms:.3f}")
fig.tight_layout()
plt.show()
lines = unit.linear.weight.detach().numpy()[:, 0] * grid[:, None] + unit.linear.bias.detach().numpy()
print("lines of the third unit that are the largest somewhere:", len(np.unique(lines.argmax(1))), "of 6")

# %% [markdown]
# Three lines leave half the error of two, as $1/k^2$ says. Six could leave a quarter of that again, and hardly ever do: some
# of them do not touch the curve. A piece that is never the largest gets no gradient and stays where it is. Maxout units do not
# die, but their pieces do.
#
# ## Around zero, or not
#
# The table in the notes lists it among the faults of sigmoid and ReLU that they are not centred on zero, and among the merits
# of tanh that it is. Fed with sums of mean 0, what is the mean of what comes out? And does it hurt? Take ten fixed random units
# and learn only the linear layer behind them, by gradient descent on squares. Its loss is a bowl, whose curvatures are the
# eigenvalues of $H = \frac1N \tilde{h}^\top\tilde h$; the ratio of the largest to the smallest, the *condition number*, says
# how many times slower the flattest direction is than the steepest. A common mean adds one large eigenvalue, along which all
# outputs rise together. To see that mean alone at work, we compare with the very same outputs minus their mean.


# %%
def random_units(seed):
    """The sums of ten random units over 2,000 inputs, and what the activations make of them."""
    rng = np.random.default_rng(seed)
    sums = rng.normal(size=(2_000, 5)) @ rng.normal(size=(5, 10)) * 0.7
    return sums, {name: ACTIVATIONS[name](tn.tensor(sums)).numpy() for name in ("sigmoid", "tanh", "ReLU")}


def condition(h):
    """Of a linear layer with a bias behind h."""
    return float(np.linalg.cond(np.column_stack([h, np.ones(len(h))])) ** 2)


def descent(h, sums, steps):
    """How the loss above the least one falls, by gradient descent with the rate 1 / λmax."""
    lifted = tn.tensor(np.column_stack([h, np.ones(len(h))]))
    target = tn.tensor(np.sin(sums[:, 0]))
    weights = tn.zeros(11, dtype=tn.float64, requires_grad=True)
    least = ((np.linalg.lstsq(lifted.numpy(), target.numpy())[0] @ lifted.numpy().T - target.numpy()) ** 2).mean()
    optimizer, above = tn.optim.SGD([weights], lr=len(h) / np.linalg.norm(lifted.numpy(), 2) ** 2), []
    for _ in range(steps):
        loss = F.mse_loss(lifted @ weights, target) / 2
        above.append(2 * loss.item() - least)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return above


sums, outputs = random_units(0)
fig, ax = plt.subplots(figsize=(7, 3.2))
for (name, h), color in zip(outputs.items(), ("tab:red", "tab:green", "tab:blue"), strict=True):
    for label, moved, style in ((name, h, "-"), (f"{name} minus its mean", h - h.mean(), "--")):
        curve = descent(moved, sums, quick(1_500, 20))
        ax.semilogy(curve, style, color=color, label=f"{label}: condition {condition(moved):,.0f}")
ax.set(xlabel="step", ylabel="loss above the least", ylim=(1e-12, 1))
ax.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
plt.show()

# %% [markdown]
# The curves of tanh lie on each other. This was one draw of ten units; the claim below takes the median of twenty.

# %%
draws = [random_units(seed)[1] for seed in range(quick(20, 2))]
means = {name: np.median([h[name].mean() for h in draws]) for name in outputs}
longer = {name: np.median([condition(h[name]) / condition(h[name] - h[name].mean()) for h in draws]) for name in outputs}

claim(
    "B zero-centred",
    "Tanh is centred on zero, which is good; sigmoid and ReLU are not, which is bad.",
    "confirmed",
    "Means of about 0.5 (sigmoid), 0.6 (ReLU) and 0 (tanh), for sums of mean 0. The mean alone makes the next layer's bowl 2 to 4 "
    "times longer than it is wide. (For sigmoid the small slope does more harm than the mean.)",
    "abs(mean_tanh) < 0.02 and mean_sigmoid > 0.45 and mean_relu > 0.3 and sigmoid_longer_by > 1.5 and relu_longer_by > 1.5 "
    "and abs(tanh_longer_by - 1) < 0.05",
    mean_sigmoid=means["sigmoid"],
    mean_tanh=means["tanh"],
    mean_relu=means["ReLU"],
    sigmoid_longer_by=longer["sigmoid"],
    tanh_longer_by=longer["tanh"],
    relu_longer_by=longer["ReLU"],
)

# %% [markdown]
# ## "Sigmoid saturates"
#
# The notes: *sigmoids saturate and kill the gradient; it vanishes, and deep networks cannot be trained.* Let us look for the
# saturated units. Ten layers of 64 units, weights of variance $s^2/64$ (Xavier's is $s = 1$), one backward pass from a random
# direction. We measure three things: how much smaller the gradient of the first layer's weights is than that of the last
# layer's, which share of units is *saturated* (slope below 5 % of the steepest), and how both depend on $s$. What do you expect
# of a network of sigmoids whose weights are so small that nothing is saturated?


# %%
class Units(nn.Sequential):
    """``depth`` layers of 64 units, weights of variance scale² / 64, biases 0."""

    def __init__(self, make, scale, depth=10):
        super().__init__()
        for _ in range(depth):
            self.extend([nn.Maxout(64, 64, 2)] if make is nn.Maxout else [nn.Linear(64, 64), make()])
        for name, p in self.named_parameters():
            nn.init.normal_(p, 0.0, scale / 8) if name.endswith("weight") else nn.init.zeros_(p)


def flow(make, scale, seeds):
    """First over last weight gradient, and the share of saturated units; medians over seeds."""
    found = []
    for seed in range(seeds):
        tn.manual_seed(seed)
        net = Units(make, scale)
        with Watch(net) as watch:
            (net(tn.randn(64, 64)) * tn.randn(64, 64)).mean().backward()
        norms = [entry["norm"] for name, entry in gradient_flow(net).items() if name.endswith("weight")]
        saturated = [entry["saturated"] for entry in watch.report().values() if "saturated" in entry]
        found.append((norms[0] / norms[-1], np.mean(saturated) if saturated else 0.0))
    return np.median(found, 0)


scales = [0.5, 1, 2, 4, 8, 16]
kinds = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "ReLU": nn.ReLU, "maxout": nn.Maxout}
flows = {name: np.array([flow(make, scale, quick(3, 1)) for scale in scales]).T for name, make in kinds.items()}

fig, (left, right) = plt.subplots(1, 2, figsize=(10, 3.4))
for name, color in zip(kinds, ("tab:red", "tab:green", "tab:blue", "tab:purple"), strict=True):
    left.loglog(scales, flows[name][0], "o-", color=color, label=name)
    if name in ("sigmoid", "tanh"):
        right.semilogx(scales, flows[name][1], "o-", color=color)
left.set(ylabel="gradient of the first layer / last layer")
right.set(ylabel="share of saturated units", ylim=(-0.02, 1))
for ax in (left, right):
    ax.set_xlabel("scale s of the weights")
    ax.set_xticks(scales, [str(scale) for scale in scales])
    ax.set_xticks([], minor=True)
left.legend(frameon=False)
fig.tight_layout()
plt.show()

# %% [markdown]
# The stories separate here. With Xavier's weights not one sigmoid is saturated, and yet the first layer's gradient is a few
# *millionths* of the last one's: it is the slope of at most $1/4$ that multiplies ten times, $4^{-10} \approx 10^{-6}$. Where
# about half of the units *are* saturated, at $s = 8$ to $16$, the gradient gets through, because large weights multiply as
# well. ReLU and maxout keep the ratio near 1 at *every* scale. (That is no accident: if all weights of one layer are doubled,
# so is the output, so the product of weights and gradient is the same in all layers.)

# %%
claim(
    "I6 sigmoid saturates",
    "Sigmoids saturate at 0 and 1 and kill the gradient, so that it vanishes and deep networks cannot be trained.",
    "confirmed with limits",
    "With ordinary weights the gradient vanishes, but no unit is saturated: the slope of at most 1/4 does it. With weights so "
    "large that units do saturate the gradient comes through. (With weights four times Xavier's five layers of sigmoids do "
    "learn, see the race below.)",
    "ratio_at_1 < 1e-4 and saturated_at_1 < 0.01 and ratio_at_16 > 0.1 and saturated_at_16 > 0.5",
    ratio_at_1=flows["sigmoid"][0][1],
    saturated_at_1=flows["sigmoid"][1][1],
    ratio_at_16=flows["sigmoid"][0][-1],
    saturated_at_16=flows["sigmoid"][1][-1],
)

# %%
claim(
    "B relu maxout",
    "ReLU or maxout in place of sigmoid mitigate vanishing gradients.",
    "confirmed",
    "In ten layers with Xavier's weights the gradient of the first layer is as large as that of the last, where sigmoid "
    "leaves some millionths.",
    "sigmoid < 1e-4 and 0.3 < relu < 3 and 0.3 < maxout < 3",
    sigmoid=flows["sigmoid"][0][1],
    relu=flows["ReLU"][0][1],
    maxout=flows["maxout"][0][1],
)

# %% [markdown]
# ## "ReLU dies"
#
# A ReLU whose sum is negative for *every* example has the slope 0 for every example: no gradient reaches its weights, and
# nothing moves them any more. How does a healthy unit get there? Take a single one, $a = \mathrm{relu}(w x + b)$, and a line to
# learn, $y = x$. There are only two parameters, so we can look at the whole landscape. The hatched part is the plateau on which
# the unit is silent for all data. The red walk has a step that is *not* too large for this bowl; it is merely unlucky.

# %%
x_map = np.linspace(0.2, 1, 9)
inputs, targets = tn.tensor(x_map), tn.tensor(x_map)


def walk(activation, rate, steps=60):
    p = tn.tensor([1.6, 1.1], dtype=tn.float64, requires_grad=True)
    optimizer, path = tn.optim.SGD([p], lr=rate), []
    for _ in range(steps):
        path.append(p.tolist())
        optimizer.zero_grad()
        F.mse_loss(activation(inputs * p[0] + p[1]), targets).backward()
        optimizer.step()
    return np.array(path)


w_map, b_map = np.meshgrid(np.linspace(-1.5, 2.2, 160), np.linspace(-1.6, 1.4, 160))
sums_map = w_map[..., None] * x_map + b_map[..., None]
silent = (sums_map <= 0).all(-1)
fig, axes = plt.subplots(1, 2, figsize=(10, 3.8), sharey=True)
ends = {}
for ax, (name, activation) in zip(
    axes, {"ReLU": F.relu, "leaky ReLU, slope 0.1": lambda z: F.leaky_relu(z, 0.1)}.items(), strict=True
):
    landscape = ((activation(tn.tensor(sums_map)).numpy() - x_map) ** 2).mean(-1)
    ax.contourf(w_map, b_map, landscape, levels=np.geomspace(1e-3, 8, 24), cmap="Greys", norm="log", alpha=0.6)
    if name == "ReLU":
        ax.contourf(w_map, b_map, silent, levels=[0.5, 1.5], colors="none", hatches=["///"])
    for rate, color in ((0.2, "tab:blue"), (0.6, "tab:red")):
        path = walk(activation, rate)
        ends[name, rate] = ((activation(tn.tensor(path[-1][0] * x_map + path[-1][1])).numpy() - x_map) ** 2).mean()
        ax.plot(*path.T, ".-", color=color, label=f"rate {rate}: loss {ends[name, rate]:.3f}")
    ax.plot(1, 0, "*", color="gold", mec="black", ms=14)
    ax.set(title=name, xlabel="w", xlim=(-1.5, 2.2), ylim=(-1.6, 1.4))
    ax.legend(fontsize=8, loc="upper left")
axes[0].set_ylabel("b")
fig.tight_layout()
plt.show()
features = np.stack([x_map, np.ones(9)])
assert 2 / np.linalg.eigvalsh(2 * features @ features.T / 9).max() > 0.6  # a linear unit would converge with the red rate
assert ends["ReLU", 0.2] < 0.01 < 0.3 < ends["ReLU", 0.6]
assert ends["leaky ReLU, slope 0.1", 0.6] < 0.01

# %% [markdown]
# One step too far, and ReLU stays where it landed, for ever. The leaky one has no plateau: its left side still tilts.
#
# Now a real task: handwritten digits, 8 × 8 pixels, ten classes. All the experiments from here on use the same loop: many
# networks side by side, by plain gradient descent with minibatches, each with its own seed *and its own rate*. (A trick worth
# knowing: for plain descent, a step with rate $\alpha$ is a step with rate 1 on $\alpha$ times the loss.) Initial weights are
# Xavier's or He's.

# %%
images, labels = load_digits(return_X_y=True)
images = (images / 16 - 0.3).astype(np.float32)


def split(choice):
    return train_test_split(images, labels, test_size=0.3, random_state=choice, stratify=labels)


x_train, x_test, y_train, y_test = split(0)
LOG10 = math.log(10)  # the loss of guessing


def network(make, depth, gain, width=32):
    """Digits in, ``depth`` hidden layers, ten scores out."""
    net = MLP([64, *[width] * depth, 10], make)
    for layer in net:
        if isinstance(layer, nn.Linear):
            nn.init.xavier_normal_(layer.weight, gain)
            nn.init.zeros_(layer.bias)
    return net


def cross_entropy(scores, one_hot):
    return -(one_hot * F.log_softmax(scores, -1)).sum(-1)


def train(make, rates, seeds, steps, loss=cross_entropy, looks=(), choice=0):
    """Networks of every rate and seed: (networks, losses (steps, rates, seeds), what dead() saw at the steps ``looks``)."""
    nets, (x, _, y, _) = [], split(choice)
    for seed in range(seeds):
        tn.manual_seed(100 * choice + seed)
        nets.append(make())
    nets = Stacked(nets * len(rates))
    factor = tn.tensor(np.repeat(rates, seeds).astype(np.float32))
    optimizer, rng, losses, seen = tn.optim.SGD(nets.parameters(), lr=1.0), np.random.default_rng(choice), [], []
    for step in range(steps):
        if step in looks:
            seen.append(dead(nets).reshape(len(rates), seeds))
        pick = rng.integers(0, len(x), 64)
        each = loss(nets(tn.tensor(x[pick])), tn.tensor(np.eye(10, dtype=np.float32)[y[pick]])).mean(1)
        losses.append(each.detach().numpy().reshape(len(rates), seeds))
        optimizer.zero_grad()
        (each * factor).sum().backward()
        optimizer.step()
    return nets.eval(), np.array(losses), np.array(seen)


def accuracies(nets, seeds, choice=0):
    """On the test set, (rates, seeds)."""
    _, x, _, y = split(choice)
    with tn.no_grad():
        return (nets(tn.tensor(x)).numpy().argmax(-1) == y).mean(1).reshape(-1, seeds)


def dead(nets):
    """Of each network, the share of hidden units that no training example reaches."""
    found = []
    for i in range(len(nets)):
        with Watch(net := nets[i]) as watch, tn.no_grad():
            net(tn.tensor(x_train))
        found.append(np.mean([entry["dead"] for entry in watch.report().values() if "dead" in entry]))
    return np.array(found)


# %% [markdown]
# First, how many ReLUs die? Two hidden layers of 32, with rates from modest to reckless, eight seeds each. Below, a unit counts
# as dead if no example of the training set makes it fire. On the right, the same networks with other activations: which of them
# endures the highest rates?

# %%
rates, looks = [0.1, 0.3, 1.0, 1.5, 2.0, 3.0], [0, 1, 2, 5, 10, 20, 50, 100, 199]
endurance = {}
others = {"leaky ReLU, 0.01": nn.LeakyReLU, "leaky ReLU, 0.1": lambda: nn.LeakyReLU(0.1), "ELU": nn.ELU}
others["PReLU, one per unit"] = lambda: nn.PReLU(32)
for name, make in {"ReLU": nn.ReLU, **others}.items():
    seen_at = looks if name == "ReLU" else ()
    nets, _, seen = train(lambda make=make: network(make, 2, math.sqrt(2)), rates, 8, quick(200, 3), looks=seen_at)
    endurance[name] = accuracies(nets, 8).mean(1)
    if name == "ReLU":
        deaths = seen.mean(2)

fig, (left, right) = plt.subplots(1, 2, figsize=(10, 3.2))
for row, rate, color in zip(deaths.T, rates, plt.colormaps["plasma"](np.linspace(0, 0.85, len(rates))), strict=True):
    left.plot(looks[: len(row)], row, "o-", ms=4, color=color, label=f"rate {rate:g}")
left.set(xscale="symlog", xlabel="step", ylabel="share of dead units", ylim=(-0.02, 1))
left.set_xticks([0, 1, 10, 100], ["0", "1", "10", "100"])
left.legend(frameon=False, fontsize=8)
colors = ("tab:blue", "tab:orange", "tab:green", "tab:pink", "tab:purple")
for (name, accuracy), color in zip(endurance.items(), colors, strict=True):
    right.plot(rates, accuracy, "o-", lw=2.5 if name == "ReLU" else 1.2, color=color, label=name)
right.set(xscale="log", xlabel="rate", ylabel="test accuracy, mean", ylim=(-0.02, 1.05))
right.set_xticks(rates, [str(rate) for rate in rates])
right.set_xticks([], minor=True)
right.legend(frameon=False, fontsize=8, loc="lower left")
fig.tight_layout()
plt.show()

# %%
claim(
    "I6 relu dies",
    "ReLU is fragile in training and dies easily.",
    "confirmed with limits",
    "There is a cliff: up to a rate that is ten times a modest one hardly any of 64 units dies, and all networks learn well; at "
    "twice that rate most units die within a hundred steps and do not come back, and most networks are lost.",
    "dead_at_1 < 0.15 and accuracy_at_1 > 0.9 and dead_at_2 > 0.5 and accuracy_at_2 < 0.6",
    dead_at_0_1=deaths[-1][0],
    dead_at_1=deaths[-1][2],
    dead_at_2=deaths[-1][4],
    accuracy_at_1=endurance["ReLU"][2],
    accuracy_at_2=endurance["ReLU"][4],
)

# %% [markdown]
# ### Who can come back from the dead?
#
# Leaky ReLU and ELU are recommended as remedies, and of PReLU the notes say that it is *the best choice* when units die. A fair
# test needs the same death for all. So we kill the whole first hidden layer at birth: its biases are set to $-3$, and then to
# $-8$, so that no unit has a positive sum on any example. Then we train, with three rates each, and look at each activation's
# best. For ReLU you know the outcome. For the others it is the slope out there that counts: of leaky ReLU 0.01, 0.1 or 0.25;
# PReLU starts with 0.25 and RReLU draws between 0.13 and 0.33; ELU has $e^{-3} = 0.05$ and $e^{-8} = 0.0003$. Rank them.


# %%
def stillborn(make, bias):
    net = network(make, 2, math.sqrt(2))
    nn.init.constant_(net[0].bias, bias)
    return net


def first_below(losses, level):
    """The first step from which the mean of 10 losses is below the level; else the number of steps."""
    smooth = np.stack([np.convolve(curve, np.ones(10) / 10, "valid") for curve in losses.reshape(len(losses), -1).T], 1)
    reached = smooth < level
    return np.where(reached.any(0), reached.argmax(0), len(losses)).reshape(losses.shape[1:])


remedies = {
    "ReLU": nn.ReLU,
    "leaky ReLU, 0.01": nn.LeakyReLU,
    "leaky ReLU, 0.1": lambda: nn.LeakyReLU(0.1),
    "leaky ReLU, 0.25": lambda: nn.LeakyReLU(0.25),
    "PReLU, one slope per layer": nn.PReLU,
    "PReLU, one per unit": lambda: nn.PReLU(32),
    "RReLU": nn.RReLU,
    "ELU": nn.ELU,
    "swish": nn.SiLU,
}
birth_rates, given = [0.1, 0.3, 1.0], quick(500, 20)
revived, curves = {}, {}
for name, make in remedies.items():
    for bias in (-3, -8):
        _, losses, _ = train(lambda make=make, bias=bias: stillborn(make, bias), birth_rates, 3, given)
        when = np.median(first_below(losses, 1.0), 1)
        revived[name, bias] = float(when.min())
        curves[name, bias] = np.median(np.nan_to_num(losses[:, when.argmin()], nan=INF), 1)

fig, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), width_ratios=[1.2, 1])
places = np.arange(len(remedies))
for name, color in zip(remedies, plt.colormaps["tab10"].colors, strict=False):
    left.plot(np.convolve(curves[name, -3], np.ones(10) / 10, "valid"), color=color)
left.set(xlabel="step", ylabel="loss, born at -3", ylim=(0, 3), xlim=(0, given * 1.02))
for place, (name, color) in enumerate(zip(remedies, plt.colormaps["tab10"].colors, strict=False)):
    for bias, height, strength in ((-3, -0.2, 1.0), (-8, 0.2, 0.45)):
        steps_needed = revived[name, bias]
        right.barh(place + height, steps_needed, 0.38, color=color, alpha=strength)
        right.text(
            steps_needed + 8,
            place + height,
            f"{steps_needed:.0f}" if steps_needed < given else "never",
            va="center",
            fontsize=7,
        )
right.set_yticks(places, remedies)
right.invert_yaxis()
right.set(xlabel="steps until the loss is below 1; dark: -3, light: -8", xlim=(0, given * 1.15))
fig.tight_layout()
plt.show()

# %% [markdown]
# ReLU stays dead, and a slope of 0.01 is as good as none for five hundred steps. Where the left side tilts enough, the layer
# comes back; where it flattens out, as with ELU and swish, it depends on how far out it died. Compare the two that start with
# the same slope of 0.25: the one that may change it (PReLU) is the slower one. A slope that is shared by all units of a layer
# receives *all* their gradients at once, times their large sums, and so tolerates small rates only; with a slope of its own per
# unit it does better.

# %%
claim(
    "B leaky",
    "Leaky ReLU mitigates the dying of ReLU.",
    "confirmed with limits",
    "It is a matter of the slope: with 0.1 a layer comes back that died at -3, and even one that died at -8; with the usual "
    "0.01 neither does in 500 steps.",
    "relu == 500 and leaky_0_1 < 300 and leaky_0_1_far < 500 and leaky_0_01 == 500",
    relu=revived["ReLU", -3],
    leaky_0_1=revived["leaky ReLU, 0.1", -3],
    leaky_0_1_far=revived["leaky ReLU, 0.1", -8],
    leaky_0_01=revived["leaky ReLU, 0.01", -3],
)

# %%
claim(
    "B elu",
    "ELU improves on ReLU and can mitigate its dying.",
    "confirmed with limits",
    "Its dead layer comes back from -3, where its slope is 5 %; from -8, where it is 0.03 %, it stays dead as a ReLU's does. And "
    "it endures smaller rates only: at rate 1, where ReLU's networks all learn, most of ELU's are lost.",
    "relu == 500 and elu < 300 and elu_far == 500 and accuracy_at_1 < relu_accuracy_at_1 - 0.2",
    relu=revived["ReLU", -3],
    elu=revived["ELU", -3],
    elu_far=revived["ELU", -8],
    accuracy_at_1=endurance["ELU"][2],
    relu_accuracy_at_1=endurance["ReLU"][2],
)

# %% [markdown]
# "The best choice" would mean that every other remedy is slower than the better of the two PReLUs. Take the slope that PReLU
# starts with, and leave it as it is.

# %%
prelus = ("PReLU, one slope per layer", "PReLU, one per unit")
claim(
    "B prelu",
    "If dead units occur, PReLU is the best choice.",
    "refuted",
    "It brings a layer back, with a slope per unit even one that died at -8; but the slope 0.25 that it starts with, left as it "
    "is, does so no later, and clearly sooner from -8. Nor does it prevent deaths: it endures no higher rates than ReLU.",
    "prelu < 500 and fixed < 1.1 * prelu and 1.25 * fixed_far < prelu_far and cliff_prelu < cliff_relu + 0.1",
    prelu=min(revived[name, -3] for name in prelus),
    fixed=revived["leaky ReLU, 0.25", -3],
    prelu_far=min(revived[name, -8] for name in prelus),
    fixed_far=revived["leaky ReLU, 0.25", -8],
    cliff_prelu=endurance["PReLU, one per unit"][3:5].mean(),
    cliff_relu=endurance["ReLU"][3:5].mean(),
)

# %% [markdown]
# ## The race
#
# *With ReLU, gradient descent converges much faster than with sigmoid or tanh.* The sentence goes back to a famous picture
# (Krizhevsky et al. 2012: six times faster than tanh, in a convolutional network on tiny pictures). A race is fair if each
# runner may choose its own shoes: five rates from 0.1 to 10, six seeds each, and the best rate counts. Sigmoid runs twice: with
# Xavier's weights as they are, and with four times those, which make up for its slope of 1/4. The finish: a training loss of
# 0.3. First with two hidden layers, then with five. Softmax takes part as well, as a *hidden* activation.


# %%
class SoftmaxUnits(nn.Softmax):
    def __init__(self):
        super().__init__(-1)


runners = {
    "sigmoid": (nn.Sigmoid, 1.0),
    "sigmoid, weights × 4": (nn.Sigmoid, 4.0),
    "tanh": (nn.Tanh, 1.0),
    "ReLU": (nn.ReLU, math.sqrt(2)),
    "ELU": (nn.ELU, math.sqrt(2)),
    "swish": (nn.SiLU, math.sqrt(2)),
    "softmax": (SoftmaxUnits, 1.0),
}
race_rates, seeds, length = [0.1, 0.3, 1.0, 3.0, 10.0], quick(6, 2), quick(300, 12)
finish, shapes, scored, same_rate = {}, {}, {}, {}
for depth, names in ((2, list(runners)), (5, list(runners)[:4])):
    for name in names:
        make, gain = runners[name]
        nets, losses, _ = train(lambda make=make, gain=gain, depth=depth: network(make, depth, gain), race_rates, seeds, length)
        when = np.median(first_below(losses, 0.3), 1)
        ending = np.nan_to_num(np.median(losses[-20:].mean(0), 1), nan=INF)
        best = int(np.lexsort((ending, when))[0])  # the first to finish; among those that do not, the lowest loss
        finish[name, depth], same_rate[name, depth] = float(when[best]), float(when[1])
        shapes[name, depth] = race_rates[best], np.median(losses[:, best], 1)
        scored[name, depth] = accuracies(nets, seeds)[best]

fig, axes = plt.subplots(1, 2, figsize=(10, 3.6), sharey=True)
colors = dict(
    zip(runners, ("tab:red", "tab:pink", "tab:green", "tab:blue", "tab:orange", "tab:purple", "tab:gray"), strict=True)
)
for ax, depth in zip(axes, (2, 5), strict=True):
    for (name, d), (rate, curve) in shapes.items():
        if d == depth:
            done = f"{finish[name, d]:.0f} steps" if finish[name, d] < length else "not there"
            smooth = np.convolve(curve, np.ones(10) / 10, "valid")
            ax.semilogy(smooth, color=colors[name], label=f"{name}, rate {rate:g}: {done}")
    ax.axhline(0.3, color="black", lw=0.7, ls=":")
    ax.set(title=f"{depth} hidden layers", xlabel="step", ylim=(0.005, 5))
    ax.legend(frameon=False, fontsize=8, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.18))
axes[0].set_ylabel("training loss")
fig.tight_layout()
plt.show()
print(
    "steps to the finish with the same rate, 0.3:",
    {name: int(steps) for (name, depth), steps in same_rate.items() if depth == 2},
)

# %% [markdown]
# Did you bet on ReLU? With Xavier's weights it leaves sigmoid far behind, and with five layers sigmoid does not even start. But
# four times those weights wake it up, and most of the distance was the shoes. And tanh is not slower than ReLU here, neither
# with its own best rate nor, by much, with the same one. Krizhevsky's six times belong to his network and his rates.
#
# "Much faster" shall mean: in two thirds of the steps, at least.

# %%
claim(
    "I6 relu faster",
    "With ReLU, SGD converges much faster than with sigmoid or tanh.",
    "confirmed with limits",
    "Much faster than sigmoid with the same weights, which does not learn at all with five layers. With four times the weights "
    "sigmoid learns there too, though later than ReLU. Not much faster than tanh, neither each at its best rate nor at the same.",
    "1.5 * relu < sigmoid and sigmoid_5_layers == 300 and relu_5_layers < sigmoid_x4_5_layers < 300 and 1.5 * relu > tanh and "
    "1.5 * relu_same_rate > tanh_same_rate",
    relu=finish["ReLU", 2],
    tanh=finish["tanh", 2],
    sigmoid=finish["sigmoid", 2],
    sigmoid_x4=finish["sigmoid, weights × 4", 2],
    relu_5_layers=finish["ReLU", 5],
    tanh_5_layers=finish["tanh", 5],
    sigmoid_5_layers=finish["sigmoid", 5],
    sigmoid_x4_5_layers=finish["sigmoid, weights × 4", 5],
    relu_same_rate=same_rate["ReLU", 2],
    tanh_same_rate=same_rate["tanh", 2],
)

# %%
claim(
    "B sigmoid slow",
    "Sigmoids converge slowly.",
    "confirmed with limits",
    "With Xavier's weights they need more than twice the steps of every other activation here but softmax. Four times those "
    "weights mend much of it with two layers; with five layers sigmoids remain clearly the slowest.",
    "sigmoid > 2 * slowest_other and sigmoid_x4 < sigmoid / 1.5 and sigmoid_x4_5_layers > 1.2 * relu_5_layers and "
    "sigmoid_x4_5_layers > 1.2 * tanh_5_layers",
    sigmoid=finish["sigmoid", 2],
    sigmoid_x4=finish["sigmoid, weights × 4", 2],
    slowest_other=max(finish[name, 2] for name in ("tanh", "ReLU", "ELU", "swish")),
    sigmoid_x4_5_layers=finish["sigmoid, weights × 4", 5],
    relu_5_layers=finish["ReLU", 5],
    tanh_5_layers=finish["tanh", 5],
)

# %% [markdown]
# Learning fast is one thing. Do some activations end up *better* on images that they have not seen? The notes: *swish in place
# of ReLU gives a slight improvement.* To see a slight one, chance has to be averaged, and not only that of the first weights:
# eight ways to split the images, with other minibatches for each, and of three networks for each split the median (now and
# then one fails); two and five hidden layers. An improvement counts if its mean over the splits exceeds twice its standard
# error at one depth; and if that error is above half a per cent the experiment is too coarse to say anything.

# %%
print("test accuracy after the race, mean and spread over seeds:")
for (name, depth), score in scored.items():
    if depth == 2:
        print(f"{name:>20}: {score.mean():.3f} ± {score.std():.3f}")

gains, errors_of_gains = {}, {}
print("over eight splits, at the better of two rates:")
for depth, two_rates in ((2, [0.3, 0.8]), (5, [0.05, 0.1])):
    better = {}
    for name in ("ReLU", "swish"):
        make, found = runners[name][0], []
        for choice in range(quick(8, 2)):
            nets, _, _ = train(
                lambda make=make, depth=depth: network(make, depth, math.sqrt(2)), two_rates, 3, quick(300, 12), choice=choice
            )
            found.append(np.median(accuracies(nets, 3, choice), 1))
        found = np.array(found)
        better[name] = found[:, found.mean(0).argmax()]
        print(f"{name:>20}, {depth} layers: {better[name].mean():.4f}")
    gain = better["swish"] - better["ReLU"]
    gains[depth], errors_of_gains[depth] = gain.mean(), gain.std() / math.sqrt(len(gain) - 1)

# %%
claim(
    "B swish",
    "Swish in place of ReLU gives a slight improvement.",
    "refuted",
    "Not on this task: with neither depth is the test accuracy higher by more than chance. (It was reported for very deep "
    "networks on millions of pictures, which this does not test.)",
    "gain < 2 * error and gain_5_layers < 2 * error_5_layers and max(error, error_5_layers) < 0.01",
    gain=gains[2],
    error=errors_of_gains[2],
    gain_5_layers=gains[5],
    error_5_layers=errors_of_gains[5],
)

# %%
claim(
    "B softmax output",
    "Softmax is for several classes, and best used in the output layer of a classifier.",
    "confirmed",
    "As hidden activation it hardly learns in the time in which the others finish: 32 shares that add up to 1 are numbers of "
    "about 1/32, with slopes as small. At the output, all the networks here use it.",
    "hidden < 0.6 and output > 0.95",
    hidden=scored["softmax", 2].mean(),
    output=scored["ReLU", 2].mean(),
)

# %% [markdown]
# ## At the output
#
# Two more rules from the notes: *ReLU may be used in hidden layers only*, and *for classifiers, sigmoids and their combinations
# usually work better*. The hidden layer is ReLU now, and we exchange what stands at the end: scores through softmax or sigmoids
# with their cross-entropies, or linear, sigmoid or ReLU outputs with squared errors against labels of 0 and 1. One of these has
# a way to make a class unsayable. Which?


# %%
def squares(activation):
    return lambda scores, one_hot: (activation(scores) - one_hot).square().sum(-1)


def sigmoid_cross_entropy(scores, one_hot):
    each = F.binary_cross_entropy_with_logits(scores, one_hot.expand(*scores.shape), reduction="none")
    return each.sum(-1)


endings = {
    "softmax, cross-entropy": cross_entropy,
    "sigmoids, cross-entropy": sigmoid_cross_entropy,
    "sigmoids, squares": squares(F.sigmoid),
    "linear, squares": squares(lambda z: z),
    "ReLU, squares": squares(F.relu),
}
at_the_end, never = {}, {}
for name, loss in endings.items():
    nets, _, _ = train(lambda: network(nn.ReLU, 1, math.sqrt(2)), [0.03, 0.1, 0.3, 1.0], 10, quick(300, 10), loss)
    score = accuracies(nets, 10)
    best = int(score.mean(1).argmax())
    with tn.no_grad():
        said = nets(tn.tensor(x_test)).numpy().argmax(-1).reshape(4, 10, -1)[best]
    right = np.array([[(net[y_test == k] == k).mean() for k in range(10)] for net in said])
    at_the_end[name], never[name] = score[best], (right < 0.05).sum(1).mean()

fig, ax = plt.subplots(figsize=(7, 2.6))
for place, (name, score) in enumerate(at_the_end.items()):
    ax.barh(place, score.mean(), color="tab:red" if name.startswith("ReLU") else "tab:blue")
    ax.plot(score, [place] * 10, "k.", ms=4)
    ax.text(1.03, place, f"{score.mean():.3f}", va="center", fontsize=8)
ax.set_yticks(range(len(endings)), endings)
ax.invert_yaxis()
ax.set(xlabel="test accuracy at the best rate (bar: mean, dots: ten seeds)", xlim=(0, 1.12))
plt.show()
print("classes of which less than 5 % is recognised, per network:", {name: float(number) for name, number in never.items()})

# %% [markdown]
# For nine images in ten 0 is the right answer of a ReLU output, and a negative sum gives it exactly. But where the sum is
# negative there is no slope either: the images of its own class cannot pull it up, and the class is never said.
#
# But *hidden layers only*? Suppose that the answer is a number that cannot be negative and often is 0: how many pixels of the
# two leftmost columns are dark. The same network with one output, linear or ReLU, whose bias starts at 1 or at -10.


# %%
def dark(x):
    return ((x.reshape(-1, 8, 8)[:, :, :2] + 0.3) * 16 >= 8).sum((1, 2)).astype(np.float32)


def miss(activation, bias, seeds=5, rates=(0.03, 0.1)):
    """Root of the mean squared error on the test set, at the better rate, mean over three splits and five seeds each."""
    found = []
    for choice in range(quick(3, 1)):
        (x, x_new, _, _), nets, rng = split(choice), [], np.random.default_rng(choice)
        for seed in range(seeds):
            tn.manual_seed(100 * choice + seed)
            nets.append(MLP([64, 32, 1], nn.ReLU))
            nn.init.constant_(nets[-1][2].bias, bias)
        nets = Stacked(nets * len(rates))
        factor = tn.tensor(np.repeat(rates, seeds).astype(np.float32))
        optimizer = tn.optim.SGD(nets.parameters(), lr=1.0)
        for _ in range(quick(300, 10)):
            pick = rng.integers(0, len(x), 64)
            each = (activation(nets(tn.tensor(x[pick]))[..., 0]) - tn.tensor(dark(x[pick]))).square().mean(1)
            optimizer.zero_grad()
            (each * factor).sum().backward()
            optimizer.step()
        with tn.no_grad():
            off = activation(nets(tn.tensor(x_new))[..., 0]).numpy() - dark(x_new)
        found.append(np.sqrt((off**2).mean(1)).reshape(len(rates), seeds).mean(1))
    return float(np.mean(found, 0).min())


misses = {(name, bias): miss(f, bias) for name, f in (("linear", lambda z: z), ("ReLU", F.relu)) for bias in (1, -10)}
print(f"images without a dark pixel there: {(dark(x_test) == 0).mean():.0%};", misses)

# %%
claim(
    "B relu output",
    "ReLU may be used in hidden layers only.",
    "confirmed with limits",
    "As output of a classifier it is the worst of five: with the same loss as linear outputs it is far less accurate, and whole "
    "classes are never said. But for a number that cannot be negative a ReLU output does no worse than a linear one, "
    "if it does not start dead.",
    "relu < linear - 0.1 and relu_never_says >= 1 and linear_never_says < 0.5 and relu_miss < 1.1 * linear_miss and "
    "born_dead_miss > 1.5 * relu_miss",
    relu=at_the_end["ReLU, squares"].mean(),
    linear=at_the_end["linear, squares"].mean(),
    relu_never_says=never["ReLU, squares"],
    linear_never_says=never["linear, squares"],
    relu_miss=misses["ReLU", 1],
    linear_miss=misses["linear", 1],
    born_dead_miss=misses["ReLU", -10],
)

# %%
claim(
    "B sigmoid classifier",
    "For classifiers, sigmoid and its combinations usually work better.",
    "confirmed with limits",
    "At the output, yes: with the same squared errors sigmoids are more accurate than linear outputs, and more so with their "
    "cross-entropy. In the hidden layers of the same classifier, no: there sigmoid is the slowest to learn and not more accurate.",
    "sigmoid_squares > linear_squares + 0.01 and sigmoid_cross_entropy > linear_squares + 0.01 and hidden_sigmoid < hidden_relu "
    "+ 0.01",
    sigmoid_squares=at_the_end["sigmoids, squares"].mean(),
    linear_squares=at_the_end["linear, squares"].mean(),
    sigmoid_cross_entropy=at_the_end["sigmoids, cross-entropy"].mean(),
    hidden_sigmoid=max(scored["sigmoid", 2].mean(), scored["sigmoid, weights × 4", 2].mean()),
    hidden_relu=scored["ReLU", 2].mean(),
)

# %% [markdown]
# ## What was seen
#
# - Every activation can be computed right for every number, infinities included, and differentiated twice. Formulas from paper
#   cannot: the notes' tanh is NaN from 89 on.
# - Softmax ignores a common shift and listens to scale. With two classes it is the sigmoid.
# - The shape can be learned: PReLU finds a slope, maxout any convex polygon, two of them anything.
# - A mean that is not zero stretches the bowl of the next layer.
# - Sigmoid's gradient vanishes because its slope is at most 1/4, long before anything saturates; larger weights make up for it.
# - ReLUs die at a cliff of the learning rate, and stay dead. A slope of 0.1 on the left brings a dead layer back, one of 0.01
#   hardly; learning the slope (PReLU) makes it slower.
# - ReLU is much faster than sigmoid with the same weights, not much faster than tanh; swish is not more accurate here.
# - At the output of a classifier ReLU makes classes unsayable; for a number that cannot be negative it is in its place.
#
# ## Things to try
#
# 1. Add `F.mish`, `F.hardswish` and `F.softsign` to the gallery and to the table of edges. Which has the slowest tail?
#    (softsign: $1/x^2$.)
# 2. Write $\mathrm{softplus}(x) = \log(1 + e^x)$ as it stands, and find where value and slope break in float32. How does
#    `F.softplus` avoid it?
# 3. Start the red walk of the plateau picture from other places and draw for each start whether it dies. What shape has the
#    region of the doomed?
# 4. Give the first layer of the dying experiment He's weights times 3. Do units die at smaller rates?
# 5. Train RReLU and leaky ReLU (slope 0.23) on 200 digits only. Does the randomness regularise: is the gap between training and
#    test smaller?
# 6. Replace softmax in the hidden layers by 32 times softmax. Is it still so slow?
# 7. Run the race with BatchNorm (`nn.BatchNorm1d`) before each activation, one network at a time. Does sigmoid with five layers
#    wake up? (It should.)
# 8. Start the ReLU outputs of the classifier with a bias of 1, so that none is silent at first. Are all classes said now?
# 9. Teach a PReLU network XOR with a single hidden unit. It can: what slope does it need?
#
# ## Where to look
#
# - Functions: [activations](../tinygrad_notes/nn/functional/activation.py), [ReLU, PReLU, SELU,
#   softmax](../tinygrad_notes/functions/activation.py), [as modules](../tinygrad_notes/nn/activation.py), [`Watch` and
#   `gradient_flow`](../tinygrad_notes/train/gradients.py), [`Stacked`](../tinygrad_notes/models/stacked.py).
# - Tests: [values, slopes and curvatures at the special points](../tests/test_activations.py), [what is seen of
#   gradients](../tests/test_gradients_seen.py).
# - X. Glorot, A. Bordes, Y. Bengio, *Deep sparse rectifier neural networks*, AISTATS 2011.
#   [paper](https://proceedings.mlr.press/v15/glorot11a.html)
# - A. Krizhevsky, I. Sutskever, G. E. Hinton, *ImageNet classification with deep convolutional neural networks*, NIPS 2012.
#   [doi](https://doi.org/10.1145/3065386)
# - I. Goodfellow, D. Warde-Farley, M. Mirza, A. Courville, Y. Bengio, *Maxout networks*, 2013.
#   [arXiv](https://arxiv.org/abs/1302.4389)
# - K. He, X. Zhang, S. Ren, J. Sun, *Delving deep into rectifiers*, 2015. [arXiv](https://arxiv.org/abs/1502.01852)
# - B. Xu, N. Wang, T. Chen, M. Li, *Empirical evaluation of rectified activations in convolutional network*, 2015.
#   [arXiv](https://arxiv.org/abs/1505.00853)
# - D.-A. Clevert, T. Unterthiner, S. Hochreiter, *Fast and accurate deep network learning by exponential linear units*, 2015.
#   [arXiv](https://arxiv.org/abs/1511.07289)
# - D. Hendrycks, K. Gimpel, *Gaussian error linear units*, 2016. [arXiv](https://arxiv.org/abs/1606.08415)
# - G. Klambauer, T. Unterthiner, A. Mayr, S. Hochreiter, *Self-normalizing neural networks*, 2017.
#   [arXiv](https://arxiv.org/abs/1706.02515)
# - P. Ramachandran, B. Zoph, Q. V. Le, *Searching for activation functions*, 2017. [arXiv](https://arxiv.org/abs/1710.05941)
