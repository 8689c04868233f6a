# The source of 05_gradient_descent.ipynb: `python notebooks/build.py` executes it and writes the notebook.

# %% [markdown]
# # 5 · Gradient descent
#
# All of training is one line, $\theta \leftarrow \theta - \alpha\, g$, repeated. This notebook looks at what that line can
# and cannot do. You will see the one number that decides whether it converges, and find it to be exactly $2/\lambda_{\max}$;
# a narrow valley in which it zig-zags, and why its cost is the valley's condition number; gradients of single examples as a
# cloud around the true one, the size of batch beyond which more examples buy nothing, and the floor that noise leaves. Then
# momentum: a map of everything it can do, the region of that map in which it makes oscillations *worse*, and Nesterov's step
# drawn arrow by arrow. Last, schedules. Every statement that the lecture notes make on the way is put to the test.
#
# 训练的全部，就是反复执行一行：$\theta \leftarrow \theta - \alpha g$。本节考察这一行能做什么、不能做什么：
# 学习率的稳定界限恰好是 $2/\lambda_{\max}$；狭长山谷里为什么会走“之”字，代价又为什么正比于条件数；
# 单样本梯度如何像云一样散布在真实梯度周围，批量大到多少之后不再有收益，噪声又会留下怎样的“地板”。
# 随后是动量：它的全部行为可以画成一张图，图上也有让振荡变得更糟的区域；Nesterov 的每一步用箭头画出来。最后是学习率调度。
# 讲义中的每一条论断都用实验检验。

# %%
import time

import matplotlib.pyplot as plt
import numpy as np
from setting import claim, quick

import tinygrad_notes as tn
from tinygrad_notes import nn, optim
from tinygrad_notes.train.landscapes import Landscape, bowl, descend

plt.rcParams["figure.dpi"] = 80  # many pictures

# %% [markdown]
# ## A line through points
#
# Two weights, so that the loss can be drawn as a landscape over them: $a_i = w_0 + w_1 x_i$ shall be close to $y_i$,
#
# $$ J(w) = \frac{1}{2m} \sum_i (a_i - y_i)^2 . $$
#
# The loop below is the whole method. On the left is the path of the weights, on the right what each of them says about the
# data.

# %%
rng = np.random.default_rng(0)
xs = rng.uniform(-1, 2, 40)
ys = 0.7 + 1.5 * xs + rng.normal(0, 0.3, 40)
x, y = tn.tensor(xs), tn.tensor(ys)


def loss(w):
    a = w[..., 0:1] + w[..., 1:2] * x
    return 0.5 * ((a - y) ** 2).mean(-1)


w, path = tn.tensor([-0.5, -0.6], dtype=tn.float64), []
for _ in range(40):
    path.append(w.numpy())
    w = w - 0.3 * tn.func.grad(loss)(w)
path = np.array(path)
best = np.polynomial.polynomial.polyfit(xs, ys, 1)
print(f"after 40 steps {path[-1].round(3)}, the least-squares line {best.round(3)}")

fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6))
Landscape("J(w)", loss, tuple(path[0]), tuple(best), (-0.8, 2.2, -0.9, 2.4)).draw(
    left, {"path": path}, color="tab:red", marker="o"
)
left.set(xlabel="$w_0$", ylabel="$w_1$")
right.plot(xs, ys, "o", color="tab:gray", ms=4)
ends = np.array([-1, 2])
for k in [0, 1, 2, 3, 5, 10, 39]:
    right.plot(
        ends,
        path[k, 0] + path[k, 1] * ends,
        color="tab:red",
        alpha=0.25 + 0.019 * k,
        label=f"step {k}" if k in (0, 39) else None,
    )
right.set(xlabel="x", ylabel="y", title="the line at each step")
right.legend(frameon=False)
fig.tight_layout()
plt.show()

# %% [markdown]
# The path leaves at a right angle to the contour and turns: the first steps are quick, the last ones crawl. Why they crawl is
# the subject of the next two sections.
#
# The notes remark that if the loss is written with $y_i - a_i$ instead of $a_i - y_i$, the minus in the update must become a
# plus. Before you run the next cell: what does squaring do to the sign?


# %%
def other_loss(w):
    return 0.5 * ((y - (w[..., 0:1] + w[..., 1:2] * x)) ** 2).mean(-1)


w0 = tn.tensor(path[0])
difference = np.abs((tn.func.grad(loss)(w0) - tn.func.grad(other_loss)(w0)).numpy()).max()
minus = loss(tn.tensor(descend(other_loss, path[0], lambda p: optim.SGD(p, lr=0.3), 40)[-1])).item()
plus = loss(tn.tensor(descend(other_loss, path[0], lambda p: optim.SGD(p, lr=0.3, maximize=True), 40)[-1])).item()
claim(
    "D sign",
    "With y - a in the squared loss instead of a - y, the minus sign of the update becomes a plus.",
    "refuted",
    "The square is the same function with the same gradient. The sign moves only *inside* the gradient, -(y - a) x = "
    "(a - y) x; with a plus in front of it the loss climbs.",
    "difference < 1e-12 and minus < start / 20 and plus > 1000 * start",
    difference=difference,
    start=loss(w0).item(),
    minus=minus,
    plus=plus,
)

# %% [markdown]
# ## Steepest, nearby
#
# "The gradient points where the function rises fastest." Stand at a point $p$ of a bowl that is ten times steeper in $y$ than
# in $x$ and try every direction, not only the gradient's. For steps of length $r$ the best direction is found by looking
# around:

# %%
valley = bowl(1, 10)
p = np.array([1.0, 0.35])
g = tn.func.grad(valley)(tn.tensor(p)).numpy()
turns = np.linspace(-180, 180, 3601)  # degrees, away from the gradient's opposite
angles = np.arctan2(-g[1], -g[0]) + np.radians(turns)
around = np.stack([np.cos(angles), np.sin(angles)], -1)

fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), width_ratios=[1, 1.3])
valley.draw(left)
left.set(aspect="equal", ylim=(-0.7, 0.7))
best_turn = {}
for r, color in zip([0.001, 0.2, 0.5, 1.0], plt.colormaps["viridis"](np.linspace(0, 0.85, 4)), strict=True):
    change = (valley(tn.tensor(p + r * around)) - valley(tn.tensor(p))).numpy() / (r * np.linalg.norm(g))
    best_turn[r] = turns[change.argmin()]
    right.plot(turns, change, color=color, label=f"step of {r:g}: best at {abs(best_turn[r]):.0f}°")
    right.plot(best_turn[r], change.min(), "o", color=color)
    left.annotate("", p + max(r, 0.3) * around[change.argmin()], p, arrowprops={"color": color, "width": 1.5, "headwidth": 6})
left.plot(*p, "ko")
right.set(
    xlabel="degrees from the negative gradient", ylabel="change of f / (r |g|)", ylim=(-1.1, 3), xticks=range(-180, 181, 90)
)
right.legend(frameon=False, fontsize=8)
fig.tight_layout()
plt.show()
to_minimum = np.degrees(np.arccos(p @ g / np.linalg.norm(p) / np.linalg.norm(g)))
print(f"the minimum lies {to_minimum:.0f}° away from the negative gradient")

# %%
claim(
    "D steepest",
    "The gradient is the direction in which a function rises fastest, so its negative is the one in which it falls fastest.",
    "confirmed with limits",
    "True for steps that are short against the curvature; for a step of 1 the best direction is another one, nearly that of "
    "the minimum.",
    "near < 0.5 and far > 45 and minimum > 50",
    near=abs(best_turn[0.001]),
    far=abs(best_turn[1.0]),
    minimum=to_minimum,
)

# %% [markdown]
# A gradient is a *local* statement. It neither says how far it holds nor points at the minimum. How far it holds is the
# question of the learning rate.
#
# ## The learning rate
#
# On the parabola $f = \tfrac12 \lambda x^2$ the gradient is $\lambda x$, so a step multiplies $x$ by a number:
#
# $$ x \leftarrow x - \alpha \lambda x = (1 - \alpha\lambda)\, x . $$
#
# Everything follows. For $\alpha\lambda < 1$ it creeps down on one side; at 1 it jumps into the minimum; between 1 and 2
# it overshoots and comes back; at exactly 2 it jumps to and fro for ever; above, each jump is larger than the last.

# %%
fig, panels = plt.subplots(2, 3, figsize=(9, 3.6), sharex=True, sharey=True)
grid = np.linspace(-2, 2, 100)
for ax, rate in zip(panels.flat, [0.1, 0.6, 1.0, 1.7, 2.0, 2.1], strict=True):
    walk = descend(lambda x: 0.5 * x * x, -1.2, lambda p, rate=rate: optim.SGD(p, lr=rate), 8)
    np.testing.assert_allclose(walk, -1.2 * (1 - rate) ** np.arange(9), atol=1e-12)
    ax.plot(grid, grid**2 / 2, color="tab:gray", lw=1)
    ax.plot(walk, walk**2 / 2, "o-", color="tab:red" if rate > 2 else "tab:blue", ms=4, lw=0.8)
    ax.set(title=f"αλ = {rate}", xlim=(-2.7, 2.7), ylim=(-0.1, 2.1))
fig.tight_layout()
plt.show()

# %% [markdown]
# In several dimensions there is one such factor for each eigenvalue $\lambda$ of the Hessian, and **one** $\alpha$ for all.
# It has to suit the steepest direction, $\alpha < 2/\lambda_{\max}$, and then the flattest one creeps by
# $1 - \alpha\lambda_{\min}$. The best compromise makes the two factors equal and opposite:
#
# $$ \alpha^* = \frac{2}{\lambda_{\min} + \lambda_{\max}}, \qquad \text{a factor of } \frac{\kappa - 1}{\kappa + 1} \text{ per
# step}, \qquad \kappa = \frac{\lambda_{\max}}{\lambda_{\min}} . $$
#
# To draw the steps that are needed over a whole range of $\alpha$, use a small trick: a rate $\alpha$ on $f$ is a rate of 1
# on $\alpha f$. So all rates and three bowls walk at once, as one array of points.

# %%
kappas = np.array([2.0, 10.0, 100.0])
rates = np.linspace(0.02, 2.1, 105)  # times 1 / λmax
curvatures = np.stack([1 / kappas, np.ones(3)], -1)[:, None, :] * rates[None, :, None]  # (bowl, rate, direction)
scaled = tn.tensor(curvatures / 2)

walks = descend(lambda x: (scaled * x * x).sum(-1), np.ones(curvatures.shape), lambda p: optim.SGD(p, lr=1.0), 1500)
distance = np.sqrt((walks**2).sum(-1))


def steps_until(curve, goal):
    """Per curve (axis 0 is time) the first step from which on it stays below the goal; NaN if there is none."""
    above = np.where(curve >= goal, np.arange(len(curve)).reshape(-1, *[1] * (curve.ndim - 1)), -1).max(0)
    return np.where(above < len(curve) - 1, above + 1.0, np.nan)


needed = steps_until(distance, 1e-6)
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6))
for k, (kappa, color) in enumerate(zip(kappas, ["tab:green", "tab:orange", "tab:red"], strict=True)):
    left.semilogy(rates, needed[k], color=color, label=f"κ = {kappa:.0f}")
    left.axvline(2 * kappa / (1 + kappa), color=color, lw=0.8, ls=":")
left.axvline(2, color="black", lw=1)
left.set(xlabel="αλ$_{max}$  (dotted: the best compromise)", ylabel="steps until the distance is 1e-6")
left.legend(frameon=False)
for rate in [0.2, 1.0, 1.98, 2.0, 2.02]:
    right.semilogy(distance[:300, 1, np.abs(rates - rate).argmin()], label=f"{rate}")
right.set(xlabel="step", ylabel="distance to the minimum, κ = 10", ylim=(1e-10, 1e3))
right.legend(frameon=False, title="αλ$_{max}$", loc="lower left", fontsize=8)
fig.tight_layout()
plt.show()

# %%
limit = distance[:, 1, :]  # κ = 10
below, at, above = (limit[500, np.abs(rates - r).argmin()] for r in (1.98, 2.0, 2.02))
claim(
    "D learning rate",
    "A learning rate that is too large hardly converges, one that is too small converges slowly.",
    "confirmed",
    "With a sharp edge: on a quadratic it converges below 2/λmax, stands still at it and diverges above, one percent being "
    "enough; the steps needed grow as 1/α on the small side.",
    "below < 1e-3 and 0.9 < at < 1.1 and above > 1000 and 9 < slower < 12",
    below=below,
    at=at,
    above=above,
    slower=needed[0, np.abs(rates - 0.02).argmin()] / needed[0, np.abs(rates - 0.2).argmin()],
)

# %% [markdown]
# (In the right picture 0.2 lies under 1.98: the factors of the slowest directions are 0.98 and -0.98.) The right arm of each
# curve on the left is steep, the left arm gentle: a rate ten times too small costs about ten times the steps, a rate one
# percent above the edge costs everything. And note where the optimum lies: the more elongated the bowl, the closer to the
# edge.
#
# ## Zig-zag, and its price
#
# Look at the walk itself, at the best possible rate for each bowl. The steep direction is always overshot, the flat one is
# hardly moved.

# %%
fig, panels = plt.subplots(1, 3, figsize=(9, 2.7))
for ax, kappa in zip(panels, [1.5, 10, 50], strict=True):
    hollow = bowl(1, kappa, start=(1.0, 1.0 / kappa))
    walk = descend(hollow, hollow.start, lambda p, kappa=kappa: optim.SGD(p, lr=2 / (1 + kappa)), 60)
    hollow.draw(ax, {"": walk}, color="tab:red")
    ax.set(title=f"κ = {kappa:g}: {steps_until(np.linalg.norm(walk, axis=1), 0.1):.0f} steps to 0.1", aspect="auto")
fig.tight_layout()
plt.show()

# %% [markdown]
# (The vertical axis is stretched, otherwise the third valley would be a line.) With a factor of
# $(\kappa-1)/(\kappa+1) \approx 1 - 2/\kappa$ per step, the number of steps must grow in proportion to $\kappa$. Ten bowls at
# once:

# %%
kappas = np.geomspace(2, 300, 10)
lambdas = np.stack([1 / kappas, np.ones(10)], -1)
scaled = tn.tensor(lambdas / 2 * (2 / (1 + 1 / kappas))[:, None])
walks = descend(lambda x: (scaled * x * x).sum(-1), np.ones((10, 2)), lambda p: optim.SGD(p, lr=1.0), 1400)
plain_steps = steps_until(np.sqrt((walks**2).sum(-1)), 1e-3)
slope = np.polyfit(np.log(kappas[4:]), np.log(plain_steps[4:]), 1)[0]
print("κ    ", *(f"{k:7.1f}" for k in kappas))
print("steps", *(f"{s:7.0f}" for s in plain_steps))
print(f"steps grow as κ^{slope:.2f}")
assert abs(slope - 1) < 0.05

# %% [markdown]
# ### Where such valleys come from
#
# In practice: from units. In the diabetes data of scikit-learn, ten measurements of 442 patients come in years, in mmHg, in
# mg/dl. The Hessian of least squares is $X^\top X / m$, so a column a hundred times larger makes a curvature ten thousand
# times larger. The notes say that SGD is sensitive to the scaling of features. Give it every chance: mini-batches of 16, and
# the best of fourteen rates for each version of the data. (All rates walk at once again.) 1 on the vertical axis is "predict
# the mean", 0 the least-squares solution.

# %%
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import StandardScaler

patients, target = load_diabetes(return_X_y=True, scaled=False)
target = target - target.mean()


def sgd_over_rates(features, rates, epochs, batch=16):
    """Share of the explainable squared error that is left after each epoch, for each rate."""
    order = np.random.default_rng(0)
    weights = tn.zeros(len(rates), features.shape[1], dtype=tn.float64, requires_grad=True)
    optimizer = optim.SGD([weights], lr=1.0)
    solution = np.linalg.lstsq(features, target, rcond=None)[0]
    reachable = np.mean((features @ solution) ** 2)
    left = []
    for _ in range(epochs):
        for rows in np.array_split(order.permutation(len(features)), len(features) // batch):
            residual = weights @ tn.tensor(features[rows].T) - tn.tensor(target[rows])
            optimizer.zero_grad()
            (0.5 * (residual**2).mean(1) * tn.tensor(rates)).sum().backward()
            optimizer.step()
        with np.errstate(all="ignore"):
            left.append(np.mean(((weights.detach().numpy() - solution) @ features.T) ** 2, 1) / reachable)
    return np.array(left)


versions = {
    "as measured": np.column_stack([patients, np.ones(len(patients))]),
    "standardized": np.column_stack([StandardScaler().fit_transform(patients), np.ones(len(patients))]),
}
fig, ax = plt.subplots()
left_over, condition = {}, {}
for name, features in versions.items():
    spectrum = np.linalg.eigvalsh(features.T @ features / len(features))
    condition[name] = spectrum[-1] / spectrum[0]
    curves = sgd_over_rates(features, 2 / spectrum[-1] / 2.0 ** np.arange(14), quick(60, 5))
    best_curve = curves[:, np.nanargmin(curves[-1])]
    left_over[name] = best_curve[-1]
    ax.semilogy(np.arange(1, len(curves) + 1), best_curve, label=f"{name}: κ = {condition[name]:.0e}, best of 14 rates")
ax.set(xlabel="epoch", ylabel="explainable error that is left", ylim=(1e-3, 2))
ax.legend(frameon=False)
plt.show()

# %%
claim(
    "D feature scaling",
    "SGD is sensitive to the scaling of features.",
    "confirmed",
    "Standardizing divides the condition number by a hundred thousand. With the raw units, at their best rate, 60 epochs "
    "leave many times more of the error.",
    "raw > 0.3 and standardized < 0.03 and condition_raw > 1000 * condition_standardized",
    raw=left_over["as measured"],
    standardized=left_over["standardized"],
    condition_raw=condition["as measured"],
    condition_standardized=condition["standardized"],
)

# %% [markdown]
# ## All examples, some, or one
#
# The loss is a mean over examples, and so is its gradient. A **batch** gradient takes all of them, **stochastic** gradient
# descent one at a time, a **mini-batch** something in between. How good is the gradient of a few? `vmap` over `grad` gives
# the gradients of all single examples at once: below, of a softmax classifier (640 weights) on the 1,797 digits of
# scikit-learn, before training. The plane is spanned by the true gradient (horizontal; its end is the cross) and the
# direction in which the single ones differ most.

# %%
from sklearn.datasets import load_digits

images, labels = load_digits(return_X_y=True)
images = (images / 16).astype(np.float32)
everything = tn.tensor(images), tn.tensor(labels)


def loss_of_one(weight, image, label):
    return nn.functional.cross_entropy((image @ weight).reshape(1, 10), label.reshape(1))


singles = tn.func.vmap(tn.func.grad(loss_of_one), (None, 0, 0))(tn.zeros(64, 10), *everything).numpy().reshape(len(images), -1)
full = singles.mean(0)
length = np.linalg.norm(full)


def batch_gradients(size, count=200):
    return np.stack([singles[rng.choice(len(singles), size, replace=False)].mean(0) for _ in range(count)])


sizes = [1, 4, 16, 64, 256, 1024]
gradients = {size: batch_gradients(size) for size in sizes}
error = {size: np.linalg.norm(g - full, axis=1).mean() / length for size, g in gradients.items()}
angle = {size: np.degrees(np.arccos((g @ full) / np.linalg.norm(g, axis=1) / length)).mean() for size, g in gradients.items()}

# %%
spread = singles - np.outer(singles @ full, full) / length**2  # has the mean 0
across = np.linalg.eigh(spread.T @ spread)[1][:, -1]
fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4), width_ratios=[1.35, 1])
for size, color in zip([1, 16, 256], ["#9ecae1", "#4292c6", "#084594"], strict=True):
    left.plot(
        gradients[size] @ full / length**2,
        gradients[size] @ across / length,
        ".",
        color=color,
        ms=4,
        label=f"batches of {size}",
    )
left.plot(1, 0, "x", color="tab:red", ms=11, mew=3, label="all examples")
left.plot(0, 0, "k+", ms=10)
left.set(xlabel="along the true gradient (its length is 1)", ylabel="across, in the same unit")
left.legend(frameon=False, fontsize=8, loc="lower left")
right.loglog(sizes, list(error.values()), "o-", label="error / length")
right.loglog(sizes, error[1] / np.sqrt(sizes), ":", color="gray", label="$1/\\sqrt{B}$")
right.set(xlabel="batch size B", ylabel="error of the gradient / its length")
angles_axis = right.twinx()
angles_axis.semilogx(sizes, list(angle.values()), "s-", color="tab:orange", label="angle")
angles_axis.set(ylabel="degrees from the true gradient", ylim=(0, 90))
angles_axis.spines.right.set_visible(True)
fig.legend(*(a + b for a, b in zip(right.get_legend_handles_labels(), angles_axis.get_legend_handles_labels(), strict=True)),
           frameon=False, fontsize=8, loc="lower left", bbox_to_anchor=(0.63, 0.18))  # fmt: skip
fig.tight_layout()
plt.show()

# %%
claim(
    "D batch direction",
    "The larger the batch, the more exact the direction and the smaller the oscillation; beyond some size the direction "
    "hardly changes.",
    "confirmed with limits",
    "The error falls as 1/√B (faster at the end, where a batch is more than half of all digits): the gradient of one digit is "
    "almost at a right angle to the true one and misses it by eight times as much as that of 64; of 256 digits it lies within "
    "30°. But no size was found beyond which the direction stands still. What shrinks is the gain per example.",
    "angle_1 > 70 and 6 < error_1 / error_64 < 10 and angle_256 < 30 and angle_256 - angle_1024 > 5",
    angle_1=angle[1],
    angle_16=angle[16],
    angle_64=angle[64],
    angle_256=angle[256],
    angle_1024=angle[1024],
    error_1=error[1],
    error_64=error[64],
)

# %% [markdown]
# A square root is a poor bargain: four times the work for half the error. So which size? Two more facts decide. The first is
# what a step *costs*. Predict the ratio of a step on 64 examples to a step on one.


# %%
def microseconds(size):
    """The quickest of many steps of the softmax classifier."""
    model = nn.Linear(64, 10)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    batch = [part[:size] for part in everything]
    times = []
    for _ in range(quick(200, 20)):
        start = time.perf_counter()
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(batch[0]), batch[1]).backward()
        optimizer.step()
        times.append(time.perf_counter() - start)
    return 1e6 * min(times)


cost = {size: microseconds(size) for size in sizes}
claim(
    "D batch cost",
    "Thanks to matrix operations, a step on a batch is not much slower than a step on one example.",
    "confirmed",
    "A step on 64 examples takes about as long as one on a single example; nearly all of its time is overhead.",
    "ratio_64 < 2 and ratio_1024 < 16",
    ratio_64=cost[64] / cost[1],
    ratio_1024=cost[1024] / cost[1],
)

# %% [markdown]
# The second fact is how many steps are *needed*. Train until the loss over all digits is 0.2, with every size of batch,
# twice: at one fixed rate, and at the best of the rates 1/4, 1/2, 1 ... 8 for each size (on single examples nothing above 1
# gets there).


# %%
def updates_needed(size, rate, cap, seed, goal=0.2):
    """Updates until the loss over all digits is below the goal, or ``cap`` if it takes longer."""
    tn.manual_seed(seed)
    order = np.random.default_rng(seed)
    model = nn.Linear(64, 10)
    optimizer = optim.SGD(model.parameters(), lr=rate)
    check, waiting = max(1, min(20, 320 // size)), np.array([], int)
    for update in range(1, cap + 1):
        if len(waiting) < size:
            waiting = order.permutation(len(images))
        rows, waiting = tn.tensor(waiting[:size]), waiting[size:]
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(everything[0][rows]), everything[1][rows]).backward()
        optimizer.step()
        if update % check == 0:
            with tn.no_grad():
                if nn.functional.cross_entropy(model(everything[0]), everything[1]).item() < goal:
                    return update
    return cap


batches = [1, 4, 16, 64, 256, 1797]
fixed = np.array([np.mean([updates_needed(size, 0.5, quick(1200, 20), seed) for seed in range(3)]) for size in batches])
tuned = []
for size in batches:
    per_seed = []
    for seed in range(quick(3, 1)):
        least = quick(1200, 20)
        for rate in [2, 1, 4, 8, 0.5, 0.25] if size > 1 else [0.5, 1, 0.25]:
            least = min(least, updates_needed(size, rate, least, seed))
        per_seed.append(least)
    tuned.append(np.mean(per_seed))
tuned = np.array(tuned)

fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), sharex=True)
for name, updates, color in [("one rate for all, 0.5", fixed, "tab:gray"), ("best rate for each", tuned, "tab:red")]:
    left.loglog(batches, updates, "o-", color=color, label=name)
    right.loglog(batches, updates * np.array(batches) / len(images), "o-", color=color, label=name)
left.loglog(
    batches[:4], tuned[0] / np.array(batches[:4]), ":", color="tab:red", lw=1, label="twice the batch, half the updates"
)
left.set(xlabel="batch size", ylabel="updates to a loss of 0.2")
right.set(xlabel="batch size", ylabel="epochs to a loss of 0.2")
left.legend(frameon=False, fontsize=8)
fig.tight_layout()
plt.show()

# %%
epochs = dict(zip(batches, tuned * np.array(batches) / len(images), strict=True))
claim(
    "D batch size",
    "A larger batch makes fewer updates per epoch, so that reaching the same accuracy takes much longer.",
    "confirmed with limits",
    "At one fixed rate the number of updates is about the same for 4 examples and for all, so epochs grow with the batch. With "
    "a rate tuned for each size, batches of 64 save most of the updates that single examples need; 28 times as many examples "
    "save less than half of the rest, and epochs grow.",
    "2 / 3 < fixed_1797 / fixed_4 < 3 / 2 and tuned_1 / tuned_64 > 5 and tuned_64 / tuned_1797 < 2 and epochs_1797 > 5 * epochs_16",
    fixed_4=fixed[1],
    fixed_1797=fixed[-1],
    tuned_1=tuned[0],
    tuned_16=tuned[2],
    tuned_64=tuned[3],
    tuned_1797=tuned[-1],
    epochs_16=epochs[16],
    epochs_1797=epochs[1797],
)

# %% [markdown]
# The red curve has a knee. To its left a batch twice as large needs hardly more than half the updates: nearly the same work,
# and on hardware that works in parallel half the time. To its right the gradient is exact enough already, and more examples
# are wasted. Where the knee lies depends on the noise in the gradients, so it moves during training.
#
# ### The floor
#
# Near the minimum the true gradient vanishes; the gradients of single examples do not. So SGD never comes to rest: at a fixed
# rate it wanders about in a ball around the minimum. Least squares again: 1,000 examples, five weights, $\kappa = 100$, and
# 32 independent runs at once, of which we plot the mean of $J(w) - J_{\min}$.

# %%
m, width = 1000, np.geomspace(1, 0.1, 5)
inputs = rng.standard_normal((m, 5)) * width
truth = 0.3 / width
curvature = inputs.T @ inputs / m


def excess(w, solution):
    return 0.5 * np.einsum("...i,ij,...j", w - solution, curvature, w - solution)


def stochastic(noise, schedule, steps, batch=1, runs=32, momentum=0.0):
    """Mean excess loss of many runs of SGD, after each step; examples are drawn with replacement."""
    draw = np.random.default_rng(1)
    outputs = inputs @ truth + noise * draw.standard_normal(m)
    solution = np.linalg.lstsq(inputs, outputs, rcond=None)[0]
    w = tn.zeros(runs, 5, dtype=tn.float64, requires_grad=True)
    optimizer = optim.SGD([w], lr=schedule(0), momentum=momentum)
    curve = [excess(w.detach().numpy(), solution).mean()]
    for step in range(steps):
        rows = draw.integers(0, m, (runs, batch)) if batch < m else np.arange(m)[None]
        residual = (tn.tensor(inputs[rows]) * w[:, None]).sum(-1) - tn.tensor(outputs[rows])
        optimizer.param_groups[0]["lr"] = schedule(step)
        optimizer.zero_grad()
        (0.5 * residual**2).mean(1).sum().backward()
        optimizer.step()
        curve.append(excess(w.detach().numpy(), solution).mean())
    return np.array(curve)


steps = quick(4500, 300)
curves = {
    "α = 0.2": stochastic(1.0, lambda t: 0.2, steps),
    "α = 0.05": stochastic(1.0, lambda t: 0.05, steps),
    "α = 0.2 / (1 + t/200)": stochastic(1.0, lambda t: 0.2 / (1 + t / 200), steps),
    "α = 0.2, labels without noise": stochastic(0.0, lambda t: 0.2, steps),
}
fig, ax = plt.subplots(figsize=(8, 3.8))
for (name, curve), color in zip(curves.items(), ["tab:red", "tab:orange", "tab:blue", "tab:green"], strict=True):
    ax.semilogy(curve, color=color, lw=1, label=name)
ax.set(xlabel="updates, each on one example", ylabel="J - J$_{min}$", ylim=(1e-10, 5))
ax.legend(frameon=False, loc="lower left", fontsize=9)
plt.show()

# %%
tail = steps // 2
floors = {name: curve[tail:].mean() for name, curve in curves.items()}
sinking = curves["α = 0.2 / (1 + t/200)"]
claim(
    "D sgd decay",
    "The learning rate of SGD has to be lowered by and by, otherwise it is unstable in the end.",
    "confirmed with limits",
    "At a fixed rate the loss stays on a floor about proportional to the rate, and falls through it if the rate is lowered. "
    "Where one model fits all examples exactly there is no floor, and a fixed rate does.",
    "large > 3 * small and sinking < small / 2 and exact < 1e-4 * small",
    large=floors["α = 0.2"],
    small=floors["α = 0.05"],
    sinking=sinking[-steps // 10 :].mean(),
    exact=curves["α = 0.2, labels without noise"][-1],
)

# %%
noiseless = curves["α = 0.2, labels without noise"]
claim(
    "D sgd linear",
    "Even on strongly convex functions SGD does not reach linear convergence (a constant factor per step).",
    "confirmed with limits",
    "With noisy labels: from the third to the last sixth of the run a falling rate gains a factor of a few, a fixed one "
    "nothing. Without noise the same SGD, at a fixed rate, loses a constant factor per step, as batch descent does.",
    "fixed < 1.5 and falling < 10 and noiseless > 1000",
    fixed=curves["α = 0.2"][steps // 3 : steps // 2].mean() / curves["α = 0.2"][-steps // 6 :].mean(),
    falling=sinking[steps // 3 : steps // 2].mean() / sinking[-steps // 6 :].mean(),
    noiseless=noiseless[steps // 3] / noiseless[-steps // 6],
)

# %% [markdown]
# The green line is worth a second look: large networks that can fit every training example are in that situation, which is
# one reason why constant rates do so well there.
#
# ### The race, in passes over the data
#
# Now the count that matters: examples looked at. Batch descent takes one step per pass, at the best rate of theory;
# mini-batches of ten take 100, single examples 1,000. Who is ahead after one pass? And after three hundred? (The
# noisy runs stop after 6 and 40 passes; prolong their lines by eye.)

# %%
spectrum = np.linalg.eigvalsh(curvature)
passes = quick(400, 4)
race = {
    "batch: 1 update per pass": (1, stochastic(1.0, lambda t: 2 / (spectrum[0] + spectrum[-1]), passes, batch=m, runs=1)),
    "mini-batches of 10: 100": (100, stochastic(1.0, lambda t: 0.8 / (1 + t / 100), quick(4000, 200), batch=10, runs=8)),
    "single examples: 1,000": (1000, stochastic(1.0, lambda t: 0.2 / (1 + t / 300), quick(6000, 1000), runs=8)),
}
fig, ax = plt.subplots(figsize=(8, 3.6))
for (name, (per_pass, curve)), color in zip(race.items(), ["black", "tab:blue", "tab:red"], strict=True):
    ax.loglog(np.arange(1, len(curve)) / per_pass, curve[1:], color=color, lw=1, label=name)
ax.axvline(1, color="gray", lw=0.5)
ax.set(xlabel="passes over the 1,000 examples", ylabel="J - J$_{min}$", ylim=(1e-6, 1))
ax.legend(frameon=False, fontsize=9, loc="lower left")
plt.show()

# %%
batch_curve, ten_curve, one_curve = (curve for _, curve in race.values())
one = one_curve[900:1001].mean()
claim(
    "D sgd faster",
    "Going example by example is faster than batch descent; it ends near the optimum instead of at it, which is often good "
    "enough.",
    "confirmed with limits",
    "What single examples reach in one pass takes batch descent more than ten. But that one goes on by a constant factor "
    "per pass, and in the long run it comes closer: after 400 passes far closer than single examples after their 6.",
    "one < batch_1 / 3 and passes_of_batch > 10 and batch_400 < one_6 / 20",
    batch_1=batch_curve[1],
    one=one,
    passes_of_batch=np.argmax(batch_curve < one),
    batch_400=batch_curve[-1],
    one_6=one_curve[-500:].mean(),
)

# %% [markdown]
# For a learner that shall do well on *new* examples the early part of the picture decides: errors far below the noise of the
# data are not worth a pass.
#
# ## Momentum
#
# A valley, again. Along its floor all gradients agree, across they alternate. So remember past gradients: what agrees adds
# up, what alternates cancels. The notes write this in two ways and call both momentum:
#
# $$ \text{heavy ball:}\quad m \leftarrow \mu m + \alpha g,\;\; \theta \leftarrow \theta - m \qquad\qquad
#    \text{average:}\quad m \leftarrow \beta m + (1-\beta)\, g,\;\; \theta \leftarrow \theta - \alpha m $$
#
# Are they the same? A third form is PyTorch's and ours, $b \leftarrow \mu b + g,\; \theta \leftarrow \theta - \alpha b$. The
# first two by hand, the third by our SGD, on a bowl, with a rate that may change on the way:


# %%
def walk_with(form, rate, mu, steps=60):
    gradient = tn.func.grad(bowl(1, 10))
    theta, m, path = np.array([1.0, 1.0]), np.zeros(2), []
    for t in range(steps):
        g = gradient(tn.tensor(theta)).numpy()
        if form == "heavy ball":
            m = mu * m + rate(t) * g
            theta = theta - m
        elif form == "average":
            m = mu * m + (1 - mu) * g
            theta = theta - rate(t) * m
        path.append(theta)
    return np.array(path)


def walk_of_sgd(rate, mu, steps=60, **options):
    theta, path = tn.ones(2, dtype=tn.float64, requires_grad=True), []
    optimizer = optim.SGD([theta], lr=rate(0), momentum=mu, **options)
    for t in range(steps):
        optimizer.param_groups[0]["lr"] = rate(t)
        optimizer.zero_grad()
        bowl(1, 10)(theta).backward()
        optimizer.step()
        path.append(theta.detach().numpy().copy())
    return np.array(path)


def gap(a, b):
    return np.abs(a - b).max()


steady, halved = (lambda t: 0.02), (lambda t: 0.02 if t < 20 else 0.01)
ball = walk_with("heavy ball", steady, 0.9)
gaps = {
    "heavy ball and ours, same rate": gap(ball, walk_of_sgd(steady, 0.9)),
    "heavy ball and average, same rate": gap(ball, walk_with("average", steady, 0.9)),
    "heavy ball and average, rate times 10": gap(ball, walk_with("average", lambda t: steady(t) * 10, 0.9)),
    "heavy ball and ours, rate halved on the way": gap(walk_with("heavy ball", halved, 0.9), walk_of_sgd(halved, 0.9)),
    "average and dampening = 0.9": gap(walk_with("average", steady, 0.9), walk_of_sgd(steady, 0.9, dampening=0.9)),
}
for name, value in gaps.items():
    print(f"{name:45} differ by at most {value:.0e}")
same, slower, rescaled, changed, first = gaps.values()
claim(
    "D momentum forms",
    "Momentum is m = μm + αg with the step m; momentum is m = βm + (1-β)g with the step αm.",
    "confirmed with limits",
    "The same walk only if the second has a rate 1/(1-β) times larger, here ten, and only while the rate stays: the heavy "
    "ball keeps the old rate in its memory.",
    "same < 1e-12 and rescaled < 1e-12 and slower > 0.1 and changed > 0.01",
    same=same,
    slower=slower,
    rescaled=rescaled,
    changed=changed,
)

# %% [markdown]
# Three lessons for reading papers and code. A rate of 0.1 in one form is a rate of 0.01 in another. With a schedule the forms
# part (ours forgets the old rate at once). And `SGD(dampening=0.9)` *is* the average, apart from its start: the first step
# takes $g$ whole, not a tenth of it, as the last line shows.
#
# ### How fast a ball gets
#
# Let the gradient be always the same. $m$ then grows to $\alpha g\,(1 + \mu + \mu^2 + \dots) = \alpha g / (1-\mu)$: for
# $\mu = 0.9$ ten times the plain step.

# %%
slopes = {
    mu: -np.diff(descend(lambda x: x, 0.0, lambda p, mu=mu: optim.SGD(p, lr=1.0, momentum=mu), 60)) for mu in (0.0, 0.5, 0.9)
}
print("step 1, 2, 3, 10, 60 with μ = 0.9:", slopes[0.9][[0, 1, 2, 9, 59]].round(3))
claim(
    "D momentum speed",
    "Where the gradient keeps its direction, momentum makes the updates larger and so speeds convergence up.",
    "confirmed",
    "On an even slope the step grows to 1/(1-μ) times the plain one.",
    "abs(half - 2) < 0.01 and abs(nine - 10) < 0.05",
    half=slopes[0.5][-1],
    nine=slopes[0.9][-1],
)

# %% [markdown]
# ### The map
#
# And what about the claim that everyone repeats, that momentum *damps oscillations*? In a direction of curvature $\lambda$
# the heavy ball is a recurrence with two terms of memory,
#
# $$ x_{k+1} = (1 + \mu - \alpha\lambda)\, x_k - \mu\, x_{k-1} , $$
#
# and the larger root of $z^2 - (1+\mu-\alpha\lambda) z + \mu = 0$ is the factor per step. Two numbers, $\alpha\lambda$ and
# $\mu$, decide everything, so all that momentum can do fits on one map. Dark is fast. The bottom edge, $\mu = 0$, is plain
# gradient descent.


# %%
def factor(al, mu):
    """Factor per step of the heavy ball: the larger root."""
    half = (1 + mu - al) / 2
    root = np.sqrt(half**2 - mu + 0j)
    return np.maximum(abs(half + root), abs(half - root))


al, mu = np.meshgrid(np.linspace(0.002, 4, 500), np.linspace(0, 1, 300))
rate_map, plain_map = factor(al, mu), np.abs(1 - al)

fig, ax = plt.subplots(figsize=(9, 4))
shown = ax.contourf(al, mu, np.where(rate_map <= 1, rate_map, np.nan), np.linspace(0, 1, 21), cmap="magma")
ax.contourf(al, mu, (rate_map > plain_map) & (rate_map < 1), [0.5, 1.5], colors="none", hatches=["////"])
ax.plot(2 * (1 + mu[:, 0]), mu[:, 0], color="tab:red", lw=2)
ridge = np.linspace(0, 1, 100)
for sign in (-1, 1):
    ax.plot((1 + sign * np.sqrt(ridge)) ** 2, ridge, color="white", lw=1, ls="--")
ax.text(3.3, 0.3, "diverges", color="tab:red")
ax.text(1.0, 0.6, "slower than\nwithout momentum", ha="center", bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8})
ax.set(xlabel="αλ: learning rate times curvature", ylabel="momentum μ", xlim=(0, 4))
fig.colorbar(shown, label="factor per step", ticks=np.linspace(0, 1, 6))
plt.show()

for al_, mu_ in [(0.1, 0.5), (0.5, 0.9), (1.8, 0.3), (3.5, 0.9)]:  # the map against real walks
    walk = descend(lambda x, al=al_: 0.5 * al * x * x, 1.0, lambda p, mu=mu_: optim.SGD(p, lr=1.0, momentum=mu), 400)
    tops = [np.abs(walk[k : k + 40]).max() for k in (100, 300)]
    np.testing.assert_allclose((tops[1] / tops[0]) ** (1 / 200), factor(al_, mu_), rtol=0.01)

# %% [markdown]
# Read the map slowly:
#
# - The **red line**: with momentum, rates up to $2(1+\mu)/\lambda$ are stable, nearly twice as far as without.
# - Between the dashed lines the ball **oscillates**, and its factor is $\sqrt\mu$, whatever the curvature. With $\mu = 0.9$
#   that is 0.949: an oscillation needs 44 steps to fall to a tenth.
# - The **hatched** region: there momentum is slower than none. It contains everything that plain descent does well. A zig-zag
#   at $\alpha\lambda = 1.8$ dies by 0.8 per step on its own; with $\mu = 0.9$ it dies by 0.949.
# - Momentum wins at the left edge, where plain descent creeps, and at the right of 2, where plain descent diverges.
#
# So watch a valley with $\kappa = 25$ at a rate where plain descent zig-zags ($\alpha\lambda_{\max} = 1.8$).

# %%
valley = bowl(1, 25, start=(1.0, 0.2))
best_mu = ((5 - 1) / (5 + 1)) ** 2  # ((√κ - 1) / (√κ + 1))²
ways = {
    "plain": optim.SGD,
    "heavy ball, μ = 0.9": lambda p, lr: optim.SGD(p, lr=lr, momentum=0.9),
    "average, β = 0.9": lambda p, lr: optim.SGD(p, lr=lr / 10, momentum=0.9),
    "heavy ball at its best": lambda p, lr: optim.SGD(p, lr=(1 + best_mu**0.5) ** 2 / 25, momentum=best_mu),
}
walks = {name: descend(valley, valley.start, lambda p, way=way: way(p, lr=1.8 / 25), 100) for name, way in ways.items()}

fig, panels = plt.subplots(2, 4, figsize=(10.5, 4), height_ratios=[1.3, 1])
report = {}
for (name, walk), color, (top, bottom) in zip(
    walks.items(), ["tab:gray", "tab:orange", "tab:blue", "tab:green"], panels.T, strict=True
):
    valley.draw(top, {name: walk[:41]}, color=color)
    top.set(title=name, ylim=(-0.42, 0.42), xlim=(-0.8, 1.2))
    bottom.plot(walk[:41, 0], color="black", lw=1, label="along")
    bottom.plot(walk[:41, 1] * 5, color=color, lw=1, label="across, times 5")
    bottom.set(ylim=(-2.1, 2.1), xlabel="step")
    report[name] = {
        "turns": int((np.diff(np.sign(np.diff(walk[:41, 1]))) != 0).sum()),
        "travel": np.abs(np.diff(walk[:, 1])).sum() / 0.2,
        "across": np.abs(walk[20:40, 1]).max() / 0.2,
        "to 1%": steps_until(np.linalg.norm(walk, axis=1), 0.01),
    }
    bottom.legend(frameon=False, fontsize=7, loc="upper right")
fig.tight_layout()
plt.show()
print(f"{'':24}turns in 40 steps   way across   left across, steps 20-40   steps to 0.01")
for name, row in report.items():
    print(f"{name:24}{row['turns']:17}{row['travel']:13.1f}{row['across']:27.3f}{row['to 1%']:16.0f}")

# %%
claim(
    "I6 momentum",
    "Momentum damps oscillation and speeds convergence up.",
    "confirmed with limits",
    "At the same rate, the average turns a zig-zag into a slow swing, which takes longer to die; the heavy ball swings more "
    "than plain descent. At its best it zig-zags as often and wider, and is several times faster: momentum pays by allowing "
    "larger steps, not by damping.",
    "turns_average < turns_plain / 4 and left_average > 5 * left_plain and travel_ball > 2 * travel_plain and steps_best < "
    "steps_plain / 3",
    turns_plain=report["plain"]["turns"],
    turns_average=report["average, β = 0.9"]["turns"],
    left_plain=report["plain"]["across"],
    left_average=report["average, β = 0.9"]["across"],
    travel_plain=report["plain"]["travel"],
    travel_ball=report["heavy ball, μ = 0.9"]["travel"],
    steps_plain=report["plain"]["to 1%"],
    steps_best=report["heavy ball at its best"]["to 1%"],
)

# %% [markdown]
# How fast at its best? The best pair of numbers puts both ends of the spectrum on the dashed lines:
# $\sqrt{\mu} = (\sqrt\kappa - 1)/(\sqrt\kappa + 1)$. The condition number has become its **square root**. For
# $\kappa = 10{,}000$ that is a factor of a hundred.

# %%
root = np.sqrt(kappas)
best_mus, best_rates = ((root - 1) / (root + 1)) ** 2, (2 * root / (1 + root)) ** 2  # rates times λmax
ball_steps = []
for kappa, mu_, rate in zip(kappas, best_mus, best_rates, strict=True):
    hollow = tn.tensor([1 / kappa / 2, 0.5], dtype=tn.float64)
    walk = descend(
        lambda x, c=hollow: (c * x * x).sum(-1), (1.0, 1.0), lambda p, r=rate, m=mu_: optim.SGD(p, lr=r, momentum=m), 160
    )
    ball_steps.append(steps_until(np.linalg.norm(walk, axis=1), 1e-3))
ball_slope = np.polyfit(np.log(kappas[4:]), np.log(ball_steps[4:]), 1)[0]

fig, ax = plt.subplots()
ax.loglog(kappas, plain_steps, "o-", color="tab:gray", label=f"plain, best rate: $\\kappa^{{{slope:.2f}}}$")
ax.loglog(
    kappas, ball_steps, "o-", color="tab:green", label=f"heavy ball, best rate and momentum: $\\kappa^{{{ball_slope:.2f}}}$"
)
ax.set(xlabel="condition number κ", ylabel="steps to 0.001")
ax.legend(frameon=False)
plt.show()
assert 0.5 < ball_slope < 0.65 < 0.95 < slope

# %% [markdown]
# ### Does it calm the noise?
#
# An average of gradients sounds as if the noise of SGD would average out. The floor of the five-weight problem decides.
# Compare at the same *effective* rate $\alpha/(1-\mu)$, for that is how far a gradient finally moves the weights:

# %%
count = quick(4000, 200)
quiet = {
    "plain, α = 0.05": stochastic(1.0, lambda t: 0.05, count),
    "heavy ball, α = 0.005": stochastic(1.0, lambda t: 0.005, count, momentum=0.9),
    "heavy ball, α = 0.05": stochastic(1.0, lambda t: 0.05, count, momentum=0.9),
}
level = {name: curve[count // 2 :].mean() for name, curve in quiet.items()}
claim(
    "I6 momentum noise",
    "Momentum averages over gradients and so suppresses the fluctuations of SGD.",
    "refuted",
    "At the same effective rate the floor is the same; at the same α the heavy ball's floor is many times higher. Each "
    "gradient is spread over more steps, but none is left out.",
    "0.7 < effective / plain < 1.3 and same > 5 * plain",
    plain=level["plain, α = 0.05"],
    effective=level["heavy ball, α = 0.005"],
    same=level["heavy ball, α = 0.05"],
)

# %% [markdown]
# ## Nesterov's step, arrow by arrow
#
# Two of the notes call this step unclear. One says that the old momentum is added *to the gradient*; its formula says
# something else, and the formula is right:
#
# $$ m \leftarrow \mu m + \alpha\, \nabla J(\theta - \mu m), \qquad \theta \leftarrow \theta - m . $$
#
# The momentum is going to carry us by $-\mu m$ in any case. So go there **first**, look at the gradient *there*, and correct.
# Below, one step in a valley, with the same $\theta$ and the same $m$ (chosen for the picture) for both:

# %%
hollow = bowl(1, 9, start=(1.0, 0.6))
slope_at = tn.func.grad(hollow)
alpha, mu_ = 0.06, 0.8
theta, m_ = np.array([0.86, 0.26]), np.array([0.06, 0.30])

fig, panels = plt.subplots(1, 2, figsize=(10, 4.4), sharex=True, sharey=True)
for ax, title in zip(panels, ["heavy ball: gradient here, then jump", "Nesterov: jump, then gradient there"], strict=True):
    hollow.draw(ax)
    jump = theta - mu_ * m_
    asked = theta if title.startswith("heavy") else jump
    step = -alpha * slope_at(tn.tensor(asked)).numpy()
    legs = [(theta, theta + step, "tab:blue", "$-\\alpha g$"), (theta + step, jump + step, "tab:brown", "$-\\mu m$")]
    if title.startswith("Nesterov"):
        legs = [
            (theta, jump, "tab:brown", "$-\\mu m$"),
            (jump, jump + step, "tab:green", "$-\\alpha\\nabla J(\\theta - \\mu m)$"),
        ]
    for start, end, color, name in legs:
        ax.annotate("", end, start, arrowprops={"color": color, "width": 2, "headwidth": 8, "shrink": 0})
        ax.text(*((start + end) / 2 + ((0.015, 0) if color != "tab:green" else (-0.04, -0.045))), name, color=color, size=12)
    ax.annotate(
        "",
        jump + step,
        theta,
        arrowprops={"arrowstyle": "-|>", "color": "black", "lw": 1.2, "ls": "--", "shrinkA": 0, "shrinkB": 0},
    )
    ax.plot(*theta, "ko", ms=7)
    ax.plot(*asked, "o", mfc="none", mec="tab:red", ms=14, mew=2)
    ax.text(theta[0] + 0.02, theta[1] + 0.01, r"$\theta$", size=14)
    ax.axhline(0, color="white", lw=1)
    ax.set(title=title, xlim=(0.6, 1.05), ylim=(-0.17, 0.33))
fig.tight_layout()
plt.show()

# %% [markdown]
# The red ring is where the gradient is asked for, the dashed arrow the whole step. On the left the gradient says "down",
# because *here* the wall rises; it does not know that the jump alone nearly reaches the floor, and the two together overshoot
# it. On the right it is asked where the jump ends: there the wall is almost gone, and it points along the floor. That is the
# *correction factor* that one of the notes mentions. On a quadratic with the Hessian $H$ it is exactly
#
# $$ \alpha\,\nabla J(\theta - \mu m) - \alpha\,\nabla J(\theta) = -\alpha\mu\, H m , $$
#
# a brake against the direction of travel, strong where the curvature is large and absent along the flat floor.
#
# ### The same step in other clothes
#
# Libraries cannot ask for a gradient at $\theta - \mu m$: `backward` gives it at the parameters as they are. So they store
# the *other* point. With $p = \theta - \mu m$ and $m = \alpha b$ the two lines above become
#
# $$ b \leftarrow \mu b + g(p), \qquad p \leftarrow p - \alpha\,(g(p) + \mu b) . $$
#
# `SGD(nesterov=True)` does that. Its parameters are the points *looked at*, the ends of the brown arrows:

# %%
theta, m_, looked = np.array(hollow.start), np.zeros(2), []
for _ in range(60):
    looked.append(theta - mu_ * m_)
    m_ = mu_ * m_ + alpha * slope_at(tn.tensor(looked[-1])).numpy()
    theta = theta - m_
of_sgd = descend(hollow, hollow.start, lambda p: optim.SGD(p, lr=alpha, momentum=mu_, nesterov=True), 60)
print("largest difference over 60 steps:", np.abs(np.array(looked) - of_sgd[:60]).max())

m_ = rng.standard_normal(2)
here, there = (slope_at(tn.tensor(point)).numpy() for point in (theta, theta - mu_ * m_))
np.testing.assert_allclose(alpha * (there - here), -alpha * mu_ * np.array([1.0, 9.0]) * m_)

# %% [markdown]
# What does the brake do over many steps? The recurrence has the product of its roots $\mu\,(1 - \alpha\lambda)$ in place of
# $\mu$: oscillations die by $\sqrt{\mu(1-\alpha\lambda)}$ per step, the faster the steeper, instead of by $\sqrt\mu$
# everywhere.

# %%
valley = bowl(1, 50, start=(1.0, 0.2))
pair = {
    "heavy ball": descend(valley, valley.start, lambda p: optim.SGD(p, lr=0.012, momentum=0.9), 120),
    "Nesterov": descend(valley, valley.start, lambda p: optim.SGD(p, lr=0.012, momentum=0.9, nesterov=True), 120),
}
fig, panels = plt.subplots(1, 3, figsize=(11, 3.4))
for ax, (name, walk), color in zip(panels[:2], pair.items(), ["tab:orange", "tab:green"], strict=True):
    valley.draw(ax, {name: walk[:60]}, color=color)
    ax.set(title=f"{name}, 60 steps", aspect="auto")
    panels[2].semilogy(np.linalg.norm(walk * (1, 7), axis=1), color=color, label=name)
panels[2].set(xlabel="step", title="distance, across counted √50-fold")
panels[2].legend(frameon=False)
fig.tight_layout()
plt.show()

ends = {name: np.abs(walk[30:60, 1]).max() / 0.2 for name, walk in pair.items()}
claim(
    "I8",
    "Nesterov first makes the big jump along the accumulated gradient, then computes the gradient there and corrects; it "
    "adds a correction to momentum.",
    "confirmed",
    "The formula is right; that the momentum is added to the gradient is not: the *point* is shifted. The correction "
    "is -αμHm, a brake on the steep directions; the implementation walks the same walk, storing the points looked at.",
    "implementation < 1e-12 and brake_nesterov < brake_ball / 20",
    implementation=np.abs(np.array(looked) - of_sgd[:60]).max(),
    brake_ball=ends["heavy ball"],
    brake_nesterov=ends["Nesterov"],
)

# %% [markdown]
# So here is the member of the family that *does* damp oscillations.
#
# ## Valleys that are not the deepest, passes that are no valleys
#
# Bowls have one minimum. Take a double well, $f(x) = \tfrac14 x^4 - \tfrac12 x^2 + 0.2\,x$: the deeper minimum is on the
# left. As a loss it is the mean of 200 examples, each tilted a little, $f_i(x) = f(x) + c_i x$ with $\sum_i c_i = 0$. Send
# 500 points downhill from everywhere.

# %%
tilts = np.random.default_rng(3).normal(0, 2.5, 200)
tilts -= tilts.mean()


def well(x):
    return x**4 / 4 - x**2 / 2 + 0.2 * x


def many_in_the_well(steps, rate, momentum=0.0, one_example=False):
    draw = np.random.default_rng(4)
    x = tn.tensor(np.linspace(-2, 2, 500), requires_grad=True)
    optimizer = optim.SGD([x], lr=rate(0), momentum=momentum)
    path = []
    for t in range(steps):
        optimizer.param_groups[0]["lr"] = rate(t / steps)
        tilt = tilts[draw.integers(0, 200, 500)] if one_example else np.zeros(500)
        optimizer.zero_grad()
        (well(x) + tn.tensor(tilt) * x).sum().backward()
        optimizer.step()
        path.append(x.detach().numpy().copy())
    return np.array(path)


steps = quick(3000, 100)
fates = {
    "batch": many_in_the_well(steps, lambda share: 0.05),
    "batch, momentum 0.9": many_in_the_well(steps, lambda share: 0.05, momentum=0.9),
    "single examples, rate falling": many_in_the_well(steps, lambda share: 0.05 * (1 - share), one_example=True),
}
fig, panels = plt.subplots(1, 4, figsize=(11, 3.4), width_ratios=[0.7, 1, 1, 1], sharey=True)
grid = np.linspace(-2, 2, 200)
panels[0].plot(well(grid), grid, color="black")
panels[0].set(xlim=(-0.5, 1), ylim=(-2, 2), xlabel="f(x)", ylabel="x")
caught = {}
for ax, (name, path) in zip(panels[1:], fates.items(), strict=True):
    every = np.unique(np.geomspace(1, steps, 200).astype(int)) - 1
    counts = np.stack([np.histogram(path[t], bins=80, range=(-2, 2))[0] for t in every], 1)
    ax.pcolormesh(every + 1, np.linspace(-1.975, 1.975, 80), np.log1p(counts), cmap="magma_r", shading="nearest")
    caught[name] = (path[-1] > 0).mean()
    ax.set(xscale="log", xlabel="step", title=f"{name}:\n{caught[name]:.0%} end in the upper well")
    ax.title.set_fontsize(9)
fig.tight_layout()
plt.show()

# %%
claim(
    "D local minimum",
    "SGD may converge to a local optimum, because a single example does not represent the trend of all of them.",
    "refuted",
    "The reason is refuted: every descent may, and the noise of single examples is what *frees* it. Nearly half of the starts "
    "of batch descent end in "
    "the poorer minimum, of single examples hardly any.",
    "batch > 0.4 and single < batch / 3",
    batch=caught["batch"],
    single=caught["single examples, rate falling"],
)

# %%
up, up_ball = (fates[name][-1] > 0 for name in ("batch", "batch, momentum 0.9"))
claim(
    "D momentum minimum",
    "Momentum, by keeping a share of the last direction, keeps from being caught in a local optimum.",
    "confirmed with limits",
    "It rolls out of the shallow well where it arrives fast enough, a third of the cases; most starts near that well stay "
    "in it, and a few are carried into it.",
    "freed > 2 * newly_caught and newly_caught > 0 and still_caught > 0.5 * batch",
    batch=up.mean(),
    freed=(up & ~up_ball).mean(),
    still_caught=(up & up_ball).mean(),
    newly_caught=(~up & up_ball).mean(),
)

# %% [markdown]
# (In the right panel the noise shrinks with the rate, like a metal that cools slowly: the points *anneal* into the deeper
# well.)
#
# The notes also hold that batch descent "certainly" finds the global optimum of a convex function. Thirty starts for the
# softmax classifier with a small ridge, which is strictly convex, against the well above:

# %%
starts = tn.tensor(np.random.default_rng(5).normal(0, 1, (30, 64, 10)))
some, some_labels = tn.tensor(images[:200].astype(np.float64)), np.eye(10)[labels[:200]]


def ridged(weights):  # (..., 64, 10)
    return -(tn.tensor(some_labels) * nn.functional.log_softmax(some @ weights, -1)).sum(-1).mean(-1) + 0.05 * (weights**2).sum(
        (-2, -1)
    )


found = {
    rate: ridged(tn.tensor(descend(ridged, starts, lambda p, rate=rate: optim.SGD(p, lr=rate), quick(150, 10))[-1])).numpy()
    for rate in (0.5, 30.0)
}
claim(
    "D batch optimum",
    "On a convex function batch descent certainly reaches the global optimum.",
    "confirmed with limits",
    "Thirty random starts end at the same loss, to many digits; with too large a rate none does. Convexity is needed: of "
    "the double well, half the starts miss it.",
    "spread < 1e-5 and above_best > 1 and missed > 0.4",
    spread=np.ptp(found[0.5]),
    above_best=np.nan_to_num(found[30.0], nan=1e9).min() - found[0.5].min(),
    missed=caught["batch"],
)

# %% [markdown]
# ### Where the gradient vanishes
#
# "If the gradient is zero, we are at an extremum, and that is where the iteration ends." Here is a pass between two valleys,
# $f(x, y) = \tfrac12 x^2 + \tfrac14 (y^2 - 1)^2$. At the origin the gradient is zero. Start *exactly* on the ridge $y = 0$,
# or beside it by very little, or on it but with the small noise of single examples:


# %%
def mountain_pass(x):
    return 0.5 * x[..., 0] ** 2 + 0.25 * (x[..., 1] ** 2 - 1) ** 2


offsets = np.array([0.0, 1e-15, 1e-9, 1e-3])
walks = descend(mountain_pass, np.stack([np.ones(4), offsets], -1), lambda p: optim.SGD(p, lr=0.1), 500)
draw = np.random.default_rng(6)
noisy = tn.tensor(np.tile([1.0, 0.0], (50, 1)), requires_grad=True)
optimizer, noisy_path = optim.SGD([noisy], lr=0.1), [np.zeros(50)]
for _ in range(500):
    optimizer.zero_grad()
    (mountain_pass(noisy) + (noisy * tn.tensor(draw.normal(0, 0.1, (50, 2)))).sum(-1)).sum().backward()
    optimizer.step()
    noisy_path.append(noisy.detach().numpy()[:, 1].copy())
noisy_path = np.abs(np.array(noisy_path))

fig, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), width_ratios=[1, 1.3])
Landscape("a pass", mountain_pass, (1, 0), None, (-1.3, 1.3, -1.5, 1.5)).draw(left, {"": walks[:, 3]}, color="tab:blue")
left.plot(walks[:, 0, 0], walks[:, 0, 1], "o-", color="black", ms=3, lw=1)
for k, color in enumerate(["black", *plt.colormaps["viridis"]([0.2, 0.5, 0.8])]):
    right.plot(np.abs(walks[:, k, 1]), color=color, label=f"starts at y = {offsets[k]:g}")
right.plot(np.median(noisy_path, 1), color="tab:red", label="y = 0 with noisy gradients (median of 50)")
right.set(xlabel="step", ylabel="|y|: 0 is the pass, 1 the valley")
right.legend(frameon=False, fontsize=7, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
fig.tight_layout()
plt.show()

# %%
at_pass = tn.tensor(walks[-1, 0])
bends = np.linalg.eigvalsh(tn.func.hessian(mountain_pass)(at_pass).numpy())
outputs = inputs @ truth + draw.standard_normal(m)  # the five weights of above, and where their gradient vanishes
least = np.linalg.lstsq(inputs, outputs, rcond=None)[0]
single_at_minimum = np.linalg.norm((inputs @ least - outputs)[:, None] * inputs, axis=1).mean()
claim(
    "D zero gradient",
    "Where the gradient vanishes lies an extremum; that is the condition for the iteration to end.",
    "refuted",
    "It vanishes at a pass as well, where the Hessian has both signs, and the walk from the ridge ends there. And the "
    "gradients of single examples do not vanish at a minimum.",
    "gradient < 1e-12 and lowest < -0.9 and highest > 0.9 and single > 0.05",
    gradient=tn.func.grad(mountain_pass)(at_pass).abs().max().item(),
    lowest=bends[0],
    highest=bends[1],
    single=single_at_minimum,
)

# %%
left_pass = [np.argmax(np.abs(walks[:, k, 1]) > 0.5) for k in range(4)]
claim(
    "D saddle point",
    "SGD may be trapped at saddle points.",
    "confirmed with limits",
    "Only without noise and exactly on the ridge. An offset grows by a constant factor per step: of the size of a rounding "
    "error, it costs a few hundred steps. The noise of SGD leaves soonest: the pass is a delay, not a trap.",
    "trapped == 0 and 200 < rounding < 500 and noise < rounding / 3 and left == 1",
    trapped=left_pass[0],
    rounding=left_pass[1],
    noise=np.median(np.argmax(noisy_path > 0.5, 0)),
    left=(noisy_path[-1] > 0.5).mean(),
)

# %% [markdown]
# ## Schedules
#
# We have met the two forces: a large rate covers ground, a small one sinks below the floor. A schedule gives first the one,
# then the other. The shapes in use, as they come out of `optim.lr_scheduler`:

# %%
schedules = optim.lr_scheduler


def warm_up_and_cosine(optimizer, steps):
    warm = steps // 10
    parts = [schedules.LinearLR(optimizer, 0.01, 1.0, warm), schedules.CosineAnnealingLR(optimizer, steps - warm)]
    return schedules.SequentialLR(optimizer, parts, [warm])


shapes = {
    "constant": lambda o, n: schedules.ConstantLR(o, 1.0, 1),
    "step: a fifth, twice": lambda o, n: schedules.StepLR(o, n // 3, 0.2),
    "exponential": lambda o, n: schedules.ExponentialLR(o, 0.01 ** (1 / n)),
    "cosine": lambda o, n: schedules.CosineAnnealingLR(o, n),
    "warm-up and cosine": warm_up_and_cosine,
    "one cycle": lambda o, n: schedules.OneCycleLR(o, 1.0 * o.param_groups[0]["lr"].item(), n),
}


def trace(make, steps=300):
    optimizer = optim.SGD([tn.zeros(1, requires_grad=True)], lr=1.0)
    schedule, rates = make(optimizer, steps), []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"].item())
        optimizer.step()
        schedule.step()
    return rates


fig, panels = plt.subplots(2, 3, figsize=(9, 3.6), sharex=True, sharey=True, layout="constrained")
for ax, (name, make) in zip(panels.flat, shapes.items(), strict=True):
    ax.fill_between(range(300), trace(make), color="tab:blue", alpha=0.3)
    ax.plot(trace(make), color="tab:blue")
    ax.set_title(name, fontsize=9)
fig.supylabel("rate", fontsize=9)
fig.supxlabel("step", fontsize=9)
plt.show()

# %% [markdown]
# ### Halve it when the loss rises
#
# The oldest rule of thumb: if the loss went up, the rate was too large, so halve it. Try it on the least-squares problem,
# from sixteen times the limit of stability. Then give the same rule the loss of *mini-batches*, which goes up every
# other time by chance. What will happen?
#
# `ReduceLROnPlateau` is the rule's careful sister: it compares with the best loss *ever*, not with the last one, and waits
# for `patience` steps.


# %%
def halving(batch, rate, steps, patience=None):
    """Excess loss and rate after each step; without patience: halve it whenever the loss is above the last one."""
    draw = np.random.default_rng(7)
    outputs = inputs @ truth + draw.standard_normal(m)
    solution = np.linalg.lstsq(inputs, outputs, rcond=None)[0]
    w = tn.zeros(5, dtype=tn.float64, requires_grad=True)
    optimizer = optim.SGD([w], lr=rate)
    plateau = schedules.ReduceLROnPlateau(optimizer, factor=0.5, patience=patience or 0, threshold=0)
    curve, last = [], np.inf
    for _ in range(steps):
        rows = draw.permutation(m)[:batch]
        optimizer.zero_grad()
        loss = 0.5 * ((tn.tensor(inputs[rows]) @ w - tn.tensor(outputs[rows])) ** 2).mean()
        loss.backward()
        optimizer.step()
        if patience is not None:
            plateau.step(loss)
        elif loss.item() > last:
            optimizer.param_groups[0]["lr"] *= 0.5
        last = loss.item()
        curve.append((excess(w.detach().numpy(), solution), optimizer.param_groups[0]["lr"].item()))
    return np.array(curve).T


bound = 2 / spectrum[-1]
rules = {
    "batch, last loss, from 16 times the limit": halving(m, 16 * bound, quick(1000, 300)),
    "mini-batches of 16, last loss": halving(16, 0.5 * bound, quick(1000, 300)),
    "batch, best loss ever, from 16 times the limit": halving(m, 16 * bound, quick(1000, 300), patience=0),
    "mini-batches of 16, best ever, patience 100": halving(16, 0.5 * bound, quick(4000, 300), patience=100),
}
fig, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6))
for (name, (curve, rates)), color in zip(rules.items(), ["black", "tab:red", "tab:orange", "tab:blue"], strict=True):
    left.loglog(np.arange(1, len(curve) + 1), rates / bound, color=color)
    right.loglog(np.arange(1, len(curve) + 1), curve, color=color, lw=1, label=name)
left.axhline(1, color="gray", lw=0.8, ls=":")
left.set(xlabel="step", ylabel="rate / limit of stability", ylim=(1e-14, 100))
right.set(xlabel="step", ylabel="J - J$_{min}$", ylim=(1e-6, 1e5))
right.legend(frameon=False, fontsize=7, loc="upper right", bbox_to_anchor=(1.02, 1))
fig.tight_layout()
plt.show()

# %%
exact, starved, proud, patient = rules.values()
claim(
    "D halving",
    "Halve the learning rate when the loss rises.",
    "confirmed with limits",
    "On the exact loss the rule finds a stable rate by itself. On the loss of mini-batches, which rises by chance, it "
    "starves the rate before much is learned; compared with the best loss and with patience, it works there.",
    "0.2 < rate <= 1 and recovered < 0.001 and starved_rate < 1e-6 and starved > 10 * patient",
    rate=exact[1][-1] / bound,
    recovered=exact[0][-1],
    starved_rate=starved[1][-1] / bound,
    starved=starved[0][-1],
    patient=patient[0][-100:].mean(),
)

# %% [markdown]
# Look at the orange lines too. Too large a rate throws the loss far above its best; until it is back below that, *every* step
# counts as bad. Compared with the best loss and without patience, the rule starves even in batch descent.
#
# In practice the rule is given the *validation loss of an epoch*, and a patience of several:
# `Schedule(ReduceLROnPlateau(...), monitor="validation loss")`.
#
# ### Do schedules pay?
#
# A small network on the digits, SGD with momentum at a rate that is good for the constant schedule too, the same number of
# epochs, several seeds.

# %%
from sklearn.model_selection import train_test_split

from tinygrad_notes.models.networks import MLP
from tinygrad_notes.models.stacked import Stacked
from tinygrad_notes.train import Fit, Schedule
from tinygrad_notes.utils.data import DataLoader, TensorDataset

parts = train_test_split(images, labels, test_size=0.3, random_state=0, stratify=labels)
train_images, test_images, train_labels, test_labels = (tn.tensor(part) for part in parts)
seeds, epochs = quick(10, 2), quick(10, 1)


def losses_of_each(logits, labels):
    """One loss per network: logits (networks, N, 10)."""
    each = nn.functional.cross_entropy(logits.flatten(0, 1), labels.repeat(len(logits)), reduction="none")
    return each.reshape(logits.shape[:2]).mean(1)


def trained(make, rate):
    """Test losses of several networks, trained side by side with one schedule."""
    tn.manual_seed(0)
    models = Stacked([MLP((64, 32, 10)) for _ in range(seeds)])
    optimizer = optim.SGD(models.parameters(), lr=rate, momentum=0.9)
    data = DataLoader(TensorDataset(train_images, train_labels), batch_size=32, shuffle=True)
    schedule = Schedule(make(optimizer, epochs * len(data)), every="update")
    Fit(models, lambda *batch: losses_of_each(*batch).sum(), optimizer, data, callbacks=[schedule]).run(epochs)
    with tn.no_grad():
        return losses_of_each(models(test_images), test_labels).numpy()


results = {name: trained(make, 0.2) for name, make in shapes.items()}
fig, ax = plt.subplots(figsize=(7, 3))
for place, (_name, losses) in enumerate(results.items()):
    ax.plot(losses, np.full(len(losses), place), "o", color="tab:blue", alpha=0.6)
    ax.plot(np.mean(losses), place, "|", color="black", ms=18, mew=2)
ax.set_yticks(range(len(results)), results)
ax.invert_yaxis()
ax.set(xlabel="test loss (bar: mean)")
plt.show()
for name, losses in results.items():
    print(f"{name:24}{np.mean(losses):.3f} ± {np.std(losses):.3f}")

# %%
constant, cosine, warm = (results[name] for name in ("constant", "cosine", "warm-up and cosine"))
print(
    f"better than constant, seed by seed: cosine {(cosine < constant).mean():.0%}, with warm-up {(warm < constant).mean():.0%}"
)
if quick(True, False):
    assert cosine.mean() < 0.9 * constant.mean()

# %% [markdown]
# Letting the rate fall helps clearly; *how* it falls matters less. The three cosine shapes cannot be told apart here; steps,
# and more so the exponential, which leaves the large rate soonest, stay behind them. Warm-up adds nothing: this network is
# stable at the full rate from its first step. It is meant for the others, whose curvature at the start is larger than later;
# the notebook on second-order methods measures that curvature.
#
# ## What was seen
#
# - One number decides about convergence: $\alpha\lambda_{\max} < 2$. One number sets the price: $\kappa$, or with momentum
#   $\sqrt\kappa$.
# - A batch buys exactness by a square root. Below the knee it is free, above it is wasted.
# - A fixed rate leaves a floor, a falling one sinks through it; a model that fits everything has none.
# - Momentum does not damp by itself: it allows larger steps. Nesterov's correction, $-\alpha\mu H m$, damps.
# - Noise is not only a nuisance: it leaves passes and shallow wells, where the exact gradient stays.
#
# ## Things to try
#
# 1. In the map, follow a vertical line at $\alpha\lambda = 0.01$ upward. At which $\mu$ is the factor smallest? (On the
#    dashed line: $(1-\sqrt{0.01})^2 = 0.81$.)
# 2. Draw the same map for Nesterov: roots of $z^2 - (1+\mu)(1-\alpha\lambda)\, z + \mu(1-\alpha\lambda)$. Where is the red
#    line now? (Predict whether it allows larger rates than the heavy ball's. It does not.)
# 3. Replace drawing with replacement in `stochastic` by a new permutation for each pass. Does the floor sink?
# 4. Train the classifier until the loss is 0.05 instead of 0.2. Does the knee of the batch size move? (To the right: later
#    gradients are noisier relative to their length.)
# 5. Give the double well a momentum of 0.99. How many of the starts are freed, how many newly caught, and how long does it
#    take?
# 6. Average the *weights* of the last half of a constant-rate run (Polyak and Ruppert) instead of lowering the rate. How far
#    below the floor is the mean?
# 7. Use the "linear scaling rule" in the batch experiment: rate proportional to the size. Up to which size does it match the
#    best rate?
# 8. Multiply all first weights of the network by 5 and train at a rate of 0.4, with and without warm-up, over many seeds. Do
#    you see a difference?
#
# ## Where to look
#
# - Functions: [`SGD`](../tinygrad_notes/optim/sgd.py), [schedules](../tinygrad_notes/optim/lr_scheduler/__init__.py),
#   [landscapes and walks](../tinygrad_notes/train/landscapes.py), [`vmap`](../tinygrad_notes/func/vmap.py),
#   [`Fit`](../tinygrad_notes/train/fit.py).
# - Tests: [optimizers against torch](../tests/test_optim.py), [their options](../tests/test_optim_options.py),
#   [schedules](../tests/test_schedules.py), [landscapes](../tests/test_landscapes.py).
# - B. T. Polyak, *Some methods of speeding up the convergence of iteration methods*, USSR Computational Mathematics and
#   Mathematical Physics 4, 1964. [doi](https://doi.org/10.1016/0041-5553(64)90137-5)
# - I. Sutskever, J. Martens, G. Dahl, G. Hinton, *On the importance of initialization and momentum in deep learning*, ICML
#   2013. [paper](https://proceedings.mlr.press/v28/sutskever13.html)
# - G. Goh, *Why momentum really works*, Distill, 2017. [doi](https://doi.org/10.23915/distill.00006)
# - L. Bottou, F. E. Curtis, J. Nocedal, *Optimization methods for large-scale machine learning*, SIAM Review 60, 2018.
#   [arXiv](https://arxiv.org/abs/1606.04838)
# - S. Ma, R. Bassily, M. Belkin, *The power of interpolation*, ICML 2018: SGD without a floor.
#   [arXiv](https://arxiv.org/abs/1712.06559)
# - C. J. Shallue and others, *Measuring the effects of data parallelism on neural network training*, Journal of Machine
#   Learning Research 20, 2019: the knee. [arXiv](https://arxiv.org/abs/1811.03600)
# - I. Loshchilov, F. Hutter, *SGDR: stochastic gradient descent with warm restarts*, ICLR 2017: the cosine.
#   [arXiv](https://arxiv.org/abs/1608.03983)
