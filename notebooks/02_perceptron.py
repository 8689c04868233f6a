# The source of 02_perceptron.ipynb: `python notebooks/build.py` executes it and writes the notebook.

# %% [markdown]
# # 2 · The perceptron, and what a hidden layer adds
#
# In 1958 a machine learned to tell two kinds of pictures apart by being corrected when it was wrong. It was a single
# **neuron**: weigh the inputs, add them up, fire if the sum is positive. You will watch its line turn with each correction, see
# *why* it must come to rest, and how little it may need; then meet a problem of four points that it can never learn, with a
# proof of two lines. Replacing the step by a slope gives the **delta rule**, gradient descent on squared errors: it settles
# where the perceptron wanders, and errs where the perceptron does not. Then a **hidden layer** bends the plane, and the four
# points are easy. How much can a hidden layer do? Anything, if it is wide enough. And would a *deep* network have done it with
# fewer units? We count, train, and compare.
#
# 1958 年的感知器只有一个神经元：输入加权求和，大于零就输出 1。本节先看它每犯一次错，分界线怎样转动；再用“夹逼”的办法说明它为什么必定停下
# （Novikoff 收敛界），又为什么永远学不会 XOR（四个不等式互相矛盾）。把阶跃函数换成可导的输出，就得到 delta 规则，即对均方误差做梯度下降；
# 两种规则各有长短，用同一组数据比较。最后加一个隐藏层：平面被弯曲，XOR 迎刃而解。宽度带来万能逼近，
# 深度是否真能用更少的单元做到同样的事？我们构造、训练，并用数字回答。

# %%
import itertools
import math

import matplotlib.pyplot as plt
import numpy as np
from setting import claim, quick

import tinygrad_notes as tn
from tinygrad_notes import nn
from tinygrad_notes.models.networks import MLP
from tinygrad_notes.models.perceptron import Perceptron
from tinygrad_notes.models.stacked import Stacked

F = nn.functional
COLORS = np.array(["tab:blue", "tab:red"])  # of class 0 and class 1


def draw_points(ax, x, y, size=60):
    ax.scatter(*np.asarray(x).T, c=COLORS[np.asarray(y, int)], s=size, edgecolors="white", zorder=3)


def draw_regions(ax, decide, low, high):
    """Color the plane by decide(points), from 0 (blue) to 1 (red)."""
    axis = np.linspace(low, high, 160, dtype=np.float32)
    plane = tn.tensor(np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2))
    with tn.no_grad():
        values = decide(plane).numpy().reshape(160, 160)
    ax.imshow(
        values, cmap="RdBu_r", vmin=-0.6, vmax=1.6, extent=(low, high, low, high), origin="lower", interpolation="bilinear"
    )
    ax.set(xlim=(low, high), ylim=(low, high), aspect="equal")


def draw_line(ax, w, b, **look):
    """The points where w x + b = 0: through the foot of the normal w, and at right angles to it."""
    w = np.asarray(w, float)
    foot = -b * w / (w @ w)
    ax.axline(foot, foot + w @ [[0, 1], [-1, 0]], **look)


# %% [markdown]
# ## A line that learns from mistakes
#
# The perceptron says 1 where a weighted sum is positive, and 0 elsewhere:
#
# $$ \hat y = \mathrm{step}(w_1 x_1 + w_2 x_2 + b) $$
#
# The places where the sum is exactly 0 form a line; $w$ stands at right angles on it and points to the side of the ones.
# Rosenblatt's rule looks at one example after the other and does nothing while the answer is right. After a mistake,
#
# $$ w \leftarrow w + (y - \hat y)\,x, \qquad b \leftarrow b + (y - \hat y) $$
#
# so a missed 1 pulls $w$ towards $x$, and a false alarm pushes it away. There is no derivative in it. We teach it AND, from $w
# = 0$. Before you look: the first answers are all 0, so which of the four corners is the first to be corrected, and where does
# the line lie then?

# %%
corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
AND, OR, XOR = np.array([0, 0, 0, 1]), np.array([0, 1, 1, 1]), np.array([0, 1, 1, 0])


def corrections(x, y):
    """Rosenblatt's rule by hand: after each correction, which example it was, and the weights (w1, w2, b)."""
    model, found, right = Perceptron(x.shape[1]), [], 0
    for n in itertools.cycle(range(len(x))):
        if right == len(x):
            break
        right += 1
        if model.fit(x[n : n + 1], y[n : n + 1], epochs=1)[0]:
            found.append((n, [*model.weight.tolist(), model.bias.item()]))
            right = 0
    return found


def decided_by(weights):
    """A perceptron with these weights (w1, ..., b)."""
    model = Perceptron(len(weights) - 1)
    model.load_state_dict({"weight": tn.tensor(weights[:-1]), "bias": tn.tensor(weights[-1])})
    return model


history = corrections(corners, AND)
fig, axes = plt.subplots(2, 5, figsize=(10, 4.6), sharex=True, sharey=True)
for k, (ax, (n, weights)) in enumerate(zip(axes.flat, history, strict=True), 1):
    draw_regions(ax, decided_by(weights), -0.6, 1.6)
    draw_points(ax, corners, AND)
    ax.plot(*corners[n], "o", ms=15, mfc="none", mec="black")
    ax.set_title(f"{k}: w = ({weights[0]:g}, {weights[1]:g}), b = {weights[2]:g}", fontsize=8)
    ax.set(xticks=[0, 1], yticks=[0, 1])
fig.tight_layout()
plt.show()

model = Perceptron(2)
print("mistakes per epoch, AND:", model.fit(corners, AND))
print("mistakes per epoch, OR: ", Perceptron(2).fit(corners, OR))
assert (model(tn.tensor(corners)).numpy() == AND).all()

# %% [markdown]
# The circle marks the corner that was just corrected, and the color what the perceptron says now. Each correction mends one
# corner and may spoil another (look at the sixth picture: nothing is red any more). So it is not obvious that this ever ends.
# Why does it?
#
# ## Why it comes to rest
#
# Count the bias as one more weight whose input is always 1: $\tilde x = (x, 1)$, $\tilde w = (w, b)$; write labels as $s = \pm
# 1$. Every correction then adds $s\,\tilde x$ to $\tilde w$, and happens only if $s\,\tilde w\cdot\tilde x \le 0$. Suppose that
# *some* unit vector $u$ separates the classes with a margin: $s\,u\cdot\tilde x \ge \gamma > 0$ for all examples; and let
# $|\tilde x| \le R$. Two things grow with the number $k$ of corrections, one surely fast, one surely slowly:
#
# $$ \tilde w \cdot u \;\text{ grows by at least } \gamma, \qquad
#    |\tilde w|^2 \;\text{ grows by at most } R^2 \quad (\text{because } |\tilde w + s\tilde x|^2 = |\tilde w|^2
#    + \underbrace{2 s\,\tilde w\cdot\tilde x}_{\le 0} + |\tilde x|^2) $$
#
# A projection is never longer than the vector, so $k\gamma \le \tilde w\cdot u \le |\tilde w| \le \sqrt{k}\,R$. A straight line
# cannot stay below a square root for ever:
#
# $$ k \le (R/\gamma)^2 $$
#
# The learning rate does not appear: from $w = 0$ it only sets the unit in which $w$ is measured. On the left you see the
# squeeze at work, for points with a gap between the classes; on the right, the corrections needed as the gap closes. Will the
# bound be reached?

# %%
u = np.array([2.0, 1.0, 0.3]) / np.linalg.norm([2.0, 1.0, 0.3])


def cloud(margin, seed, n=100):
    """Random points of the square, none nearer than ``margin`` to the line u; their classes; γ and R."""
    x = np.random.default_rng(seed).uniform(-1, 1, (20_000, 2))
    lifted = np.column_stack([x, np.ones(len(x))])
    keep = np.flatnonzero(np.abs(lifted @ u) > margin)[:n]
    along = lifted[keep] @ u
    return x[keep], (along > 0).astype(int), np.abs(along).min(), np.linalg.norm(lifted[keep], axis=1).max()


x, y, gamma, R = cloud(0.1, seed=0)
path = np.array([weights for _, weights in corrections(x, y)])
k = np.arange(1, len(path) + 1)
lengths, along = np.linalg.norm(path, axis=1), path @ u
assert (along >= k * gamma - 1e-5).all()
assert (lengths <= np.sqrt(k) * R + 1e-5).all()
assert sum(Perceptron(2).fit(x, y, learning_rate=0.25)) == len(path)  # the rate changes nothing

gaps, needed, bounds = [], [], []
for margin, seed in itertools.product([0.4, 0.2, 0.1, 0.05, 0.02, 0.01], range(quick(6, 2))):
    x_, y_, gamma_, R_ = cloud(margin, seed)
    mistakes = Perceptron(2).fit(x_, y_, epochs=1_000)
    assert mistakes[-1] == 0  # it has come to rest
    gaps.append(gamma_ / R_)
    needed.append(sum(mistakes))
    bounds.append((R_ / gamma_) ** 2)
assert (np.array(needed) <= bounds).all()

fig, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6))
longer, end = np.geomspace(1, 1_000), (R / gamma) ** 2
left.loglog(longer, np.sqrt(longer) * R, "--", color="tab:red", label=r"$\sqrt{k}\,R$: no longer than this")
left.loglog(k, lengths, color="tab:red", label=r"$|\tilde w|$")
left.loglog(k, along, color="tab:blue", label=r"$\tilde w\cdot u$")
left.loglog(longer, longer * gamma, "--", color="tab:blue", label=r"$k\,\gamma$: at least this")
left.plot(end, end * gamma, "o", color="black")
left.annotate(f"no room beyond k = {end:.0f}", (end, end * gamma), (end, 0.6), ha="center", arrowprops={"arrowstyle": "-"})
left.set(xlabel="corrections k", ylim=(0.05, 100))
left.legend(frameon=False, fontsize=8)
right.loglog(np.sort(gaps), 1 / np.sort(gaps) ** 2, color="tab:gray", label=r"the bound $(R/\gamma)^2$")
right.loglog(gaps, needed, "o", color="tab:green", alpha=0.6, label="corrections made")
right.set(xlabel=r"margin $\gamma / R$")
right.legend(frameon=False)
fig.tight_layout()
plt.show()

# %% [markdown]
# The bound holds, and it is a pessimist: it speaks of the worst order of the worst points. Real clouds need far fewer
# corrections, and the gap between bound and need grows as the margin closes.
#
# ## Four points that no line divides
#
# XOR asks for 1 if exactly one input is 1. Write down what the four corners demand of $w_1, w_2, b$:
#
# $$ b \le 0, \qquad w_2 + b > 0, \qquad w_1 + b > 0, \qquad w_1 + w_2 + b \le 0 $$
#
# Add the two in the middle: $w_1 + w_2 + 2b > 0$. Add the other two: $w_1 + w_2 + 2b \le 0$. That is a contradiction, so *no*
# weights will do, however they are found. In the language of the proof above: the corrections $s\,\tilde x$ of the four corners
# add up to zero, so no $u$ can have a positive product with all of them. And on paper: the middle of the two red corners *is*
# the middle of the two blue ones.
#
# What does the rule do when there is nothing to find? It has no memory but its weights, and these stay small. So, sooner or
# later, ...

# %%
signs = 2 * XOR - 1
lifted = np.column_stack([corners, np.ones(4)])
assert (signs @ lifted == 0).all()  # the four corrections cancel
assert (corners[XOR == 1].mean(0) == corners[XOR == 0].mean(0)).all()

model, epochs = Perceptron(2), []
for _ in range(12):
    (mistakes,) = model.fit(corners, XOR, epochs=1)
    epochs.append((*model.weight.tolist(), model.bias.item(), mistakes))
print("weights and mistakes after each epoch:")
print(np.array(epochs).T.astype(int))
repeats = [k for k, state in enumerate(epochs) if state[:3] in [earlier[:3] for earlier in epochs[:k]]]
assert repeats  # the weights have come back to where they were: everything from here on is repetition
fewest = min(state[3] for state in epochs)
assert fewest > 0

fig, axes = plt.subplots(2, 8, figsize=(10, 3.2), layout="constrained")
learned = 0
for ax, labels in zip(axes.T.flat, itertools.product([0, 1], repeat=4), strict=True):
    unit = Perceptron(2)
    mistakes = unit.fit(corners, labels, epochs=50)
    learned += mistakes[-1] == 0
    draw_regions(ax, unit, -0.5, 1.5)
    draw_points(ax, corners, labels, 30)
    ax.set_title("never" if mistakes[-1] else f"epochs: {len(mistakes)}", fontsize=8, color="red" if mistakes[-1] else "black")
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(mistakes[-1] != 0)
fig.suptitle("all 16 functions of two bits", fontsize=10)
plt.show()

# %%
claim(
    "G perceptron",
    "A perceptron with the step rule learns AND and OR; XOR it cannot learn.",
    "confirmed",
    "14 of the 16 functions of two bits are learned. For XOR and its opposite the weights return to where they were, without "
    "an epoch free of mistakes, and four inequalities contradict each other.",
    "and_mistakes == 0 and or_mistakes == 0 and xor_fewest_mistakes > 0 and learned_of_16 == 14",
    and_mistakes=Perceptron(2).fit(corners, AND)[-1],
    or_mistakes=Perceptron(2).fit(corners, OR)[-1],
    xor_fewest_mistakes=fewest,
    learned_of_16=learned,
)

# %% [markdown]
# Two failures of sixteen do not sound bad. But how does it go on with more inputs? A plane in 3 dimensions, a hyperplane in 4:
# we try all small integer weights and count the different functions that come out. Guess the share for 4 bits.


# %%
def separable(n):
    """How many functions of n bits a single perceptron computes."""
    bits = np.array(list(itertools.product([0, 1], repeat=n)))
    w = np.array(list(itertools.product(range(-n, n + 1), repeat=n)))
    outputs = (bits @ w.T)[:, :, None] > np.arange(-n * n, n * n + 1) - 0.5  # (2^n, weights, thresholds)
    return len(np.unique((1 << np.arange(2**n)) @ outputs.reshape(2**n, -1)))


for n in range(1, 5):
    count, of = separable(n), 2**2**n
    print(f"{n} inputs: {count:>5} of {of:>6} functions, {count / of:.1%}")
assert [separable(n) for n in (1, 2, 3)] == [4, 14, 104]

# %% [markdown]
# With five inputs it is 94,572 of 4,294,967,296 ([OEIS A000609](https://oeis.org/A000609)): one in 45,000. A single line is
# a rare thing. That is what Minsky and Papert's book of 1969 was about.
#
# ## A slope instead of a step
#
# The perceptron's output is flat on both sides of a cliff. Its derivative is 0 wherever it has one, so gradient descent learns
# nothing from it; the engine even says that no gradient comes through. Take the weighted sum itself as the output, $a = w\cdot
# x + b$, and measure the error by a square. That is the **delta rule** of Widrow and Hoff (1960):
#
# $$ J = \frac{1}{2m}\sum_{i=1}^m (a_i - y_i)^2, \qquad
#    \frac{\partial J}{\partial w_1} = \frac1m\sum_i (a_i - y_i)\,x_{i1}, \qquad
#    w \leftarrow w - \alpha \frac{\partial J}{\partial w} $$

# %%
w = tn.tensor([0.7, -0.3], dtype=tn.float64, requires_grad=True)
x_one, y_one = tn.tensor([1.5, 2.0], dtype=tn.float64), 1.0
assert not F.step(x_one @ w).requires_grad

J = (x_one @ w - y_one) ** 2 / 2  # one example
(g,) = tn.autograd.grad(J, [w])
by_formula = x_one.numpy() * (x_one.numpy() @ w.detach().numpy() - y_one)
print("engine ", g.numpy(), "\nformula", by_formula)
np.testing.assert_allclose(g.numpy(), by_formula)

# %% [markdown]
# One of the notes adds a remark: *if the loss is written with* $y - a$ *instead of* $a - y$, *the minus of the update must
# become a plus*. Is that so? Think before you run: what does a square know of signs?

# %%
J_other = (y_one - x_one @ w) ** 2 / 2
(g_other,) = tn.autograd.grad(J_other, [w])
assert (g_other.numpy() == g.numpy()).all()
with tn.no_grad():
    down, up = ((y_one - x_one @ (w + sign * 0.05 * g_other)) ** 2 / 2 for sign in (-1, 1))
print(f"loss {J_other.item():.4f}; a step with minus: {down.item():.4f}; with plus: {up.item():.4f}")

assert down.item() < J_other.item() < up.item()

# %% [markdown]
# Both squares are the same function with the same gradient, and with a plus the loss rises. What changes its sign is only the
# residual, when it is written out: $w \leftarrow w + \alpha\,(y - a)\,x$ and $w \leftarrow w - \alpha\,(a - y)\,x$ are one and
# the same step.
#
# ### How large a step?
#
# For a linear neuron, $J$ is a bowl: its second derivative $H = \frac1m \tilde X^\top \tilde X$ is the same everywhere. Along
# the direction with curvature $\lambda$ each step multiplies the distance to the bottom by $1 - \alpha\lambda$. So the
# iteration shrinks all distances if, and only if, $|1 - \alpha\lambda| < 1$ for the largest $\lambda$: the edge is $\alpha^* =
# 2/\lambda_{\max}$. We fit a line to thirty points, with 5 %, 60 % and 103 % of that rate.

# %%
rng = np.random.default_rng(3)
x_line = rng.normal(0.6, 1, 30)
y_line = 0.8 * x_line - 0.4 + 0.3 * rng.normal(size=30)
X_line, Y_line = tn.tensor(x_line[:, None]), tn.tensor(y_line)

hessian = tn.func.hessian(lambda p: F.mse_loss(X_line[:, 0] * p[0] + p[1], Y_line) / 2)(tn.zeros(2, dtype=tn.float64)).numpy()
edge = 2 / np.linalg.eigvalsh(hessian).max()


def descend(rate, steps=40):
    """The delta rule from (0, 0): the path of (w, b), and the loss at each place."""
    neuron = nn.Linear(1, 1, dtype=tn.float64)
    nn.init.zeros_(neuron.weight)
    nn.init.zeros_(neuron.bias)
    optimizer, path, losses = tn.optim.SGD(neuron.parameters(), lr=rate), [], []
    for _ in range(steps):
        loss = F.mse_loss(neuron(X_line)[:, 0], Y_line) / 2
        path.append((neuron.weight.item(), neuron.bias.item()))
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return np.array(path), losses


best = np.polyfit(x_line, y_line, 1)  # least squares
w_grid, b_grid = np.meshgrid(np.linspace(-0.3, 2.1, 80), np.linspace(-1.2, 0.9, 80))
bowl = ((w_grid[..., None] * x_line + b_grid[..., None] - y_line) ** 2).mean(-1) / 2

fig, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8))
left.contour(w_grid, b_grid, bowl, levels=np.geomspace(bowl.min() * 1.02, bowl.max(), 14), colors="lightgray")
final = {}
for share, color in ((0.05, "tab:blue"), (0.6, "tab:green"), (1.03, "tab:red")):
    path, losses = descend(share * edge)
    final[share] = losses[-1]
    left.plot(*path.T, ".-", color=color, lw=1, ms=4, label=f"{share:.0%} of α*")
    right.semilogy(losses, color=color)
left.plot(*best, "k*", ms=12, label="least squares")
left.set(xlabel="w", ylabel="b", xlim=(-0.3, 2.1), ylim=(-1.2, 0.9))
left.legend(frameon=False, fontsize=8, loc="upper right")
right.set(xlabel="step", ylabel="J")
fig.tight_layout()
plt.show()
np.testing.assert_allclose(descend(0.6 * edge, 400)[0][-1], best, atol=1e-8)

least = ((best[0] * x_line + best[1] - y_line) ** 2).mean() / 2
start = descend(edge, 1)[1][0] - least
assert descend(1.03 * edge, 300)[1][-1] > 1_000 * start
assert final[0.05] - least > 1e-4 * start > final[0.6] - least

# %% [markdown]
# With 103 % of $\alpha^*$ the loss grows without end, with 5 % forty steps are not enough, with 60 % they are more than enough.
# (The notes' claims on gradient descent have a notebook of their own.)
#
# ### Step or slope?
#
# Now the two rules side by side, with a third neuron between them: $a = \sigma(w\cdot x + b)$, a step with rounded corners,
# trained on the same squares. All three draw a line. Two data sets, both with classes of 0 and 1:
#
# * *far away*: a clean gap, but some of the ones lie far out on the right side. Which rule is disturbed by points that it gets
#   right?
# * *overlapping*: no line is free of mistakes. Which rule never finds rest? (The thin black lines are those of its last ten
#   epochs.)


# %%
def groups(centers, sizes, classes, radius, seed):
    """Round clouds of points, shuffled: (x, y)."""
    rng, x = np.random.default_rng(seed), []
    for center, n in zip(centers, sizes, strict=True):
        angle, far = rng.uniform(0, 2 * np.pi, n), radius * np.sqrt(rng.uniform(0, 1, n))
        x.append(center + far[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1))
    order = rng.permutation(sum(sizes))
    return np.concatenate(x).astype(np.float32)[order], np.repeat(classes, sizes)[order]


def sigmoid_neurons(x, y, steps=600):
    """(w1, w2, b) of neurons with a sigmoid, one for each set of points, by gradient descent on squared errors."""
    inputs, targets = tn.tensor(np.concatenate([x, np.ones_like(x[..., :1])], -1)), tn.tensor(y.astype(np.float32))
    weights = tn.zeros(len(x), 1, 3, requires_grad=True)
    optimizer = tn.optim.SGD([weights], lr=1.0)
    for _ in range(steps):
        loss = ((inputs * weights).sum(-1).sigmoid() - targets).square().mean(1).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return weights.detach().numpy()[:, 0]


def linear_neuron(x, y):
    """(w1, w2, b) where the delta rule ends: least squares; it says 1 above 1/2."""
    w1, w2, b = np.linalg.lstsq(np.column_stack([x, np.ones(len(x))]), y)[0]
    return [w1, w2, b - 0.5]


def errors(weights, x, y):
    return int(((x @ weights[:2] + weights[2] > 0) != y).sum())


def situations(seed):
    return {
        "far away": groups([(-0.7, 0), (0.7, 0), (7, -5)], [40, 40, 40], [0, 1, 1], 0.6, seed),
        "overlapping": groups([(-0.6, 0), (0.6, 0)], [100, 100], [0, 1], 1.2, seed),
    }


def last_ten(x, y, epochs=20):
    """The perceptron's weights after each of its last ten epochs."""
    perceptron, last = Perceptron(2), []
    for _ in range(epochs):
        perceptron.fit(x, y, epochs=1)
        last = [*last[-9:], [*perceptron.weight.tolist(), perceptron.bias.item()]]
    return last


fig, axes = plt.subplots(1, 2, figsize=(10, 4.4), width_ratios=[1.55, 1])
for ax, (name, (x, y)) in zip(axes, situations(0).items(), strict=True):
    last = last_ten(x, y)
    for weights in last:
        draw_line(ax, weights[:2], weights[2], color="black", lw=0.8, alpha=0.4)
    found = {
        "perceptron": last[-1],
        "linear neuron": linear_neuron(x, y),
        "sigmoid neuron": sigmoid_neurons(x[None], y[None])[0],
    }
    for (rule, weights), color in zip(found.items(), ("black", "tab:green", "tab:purple"), strict=True):
        draw_line(ax, weights[:2], weights[2], color=color, lw=2, label=f"{rule}: {errors(weights, x, y)} wrong")
    draw_points(ax, x, y, 25)
    ax.set(title=name, aspect="equal")
    ax.legend(loc="lower left", fontsize=8)
axes[0].set(xlim=(-2.2, 8.5), ylim=(-6.4, 2.2))
axes[1].set(xlim=(-2.4, 2.4), ylim=(-3, 2))
fig.tight_layout()
plt.show()

# %% [markdown]
# One draw of points is an anecdote. We repeat both situations with six draws and take means: of the points on the wrong side, and,
# where the classes overlap, of the perceptron's best and worst of its last ten epochs.

# %%
draws, wrong = quick(6, 1), {}
for name in ("far away", "overlapping"):
    x, y = (np.stack(parts) for parts in zip(*(situations(seed)[name] for seed in range(draws)), strict=True))
    wrong[name, "sigmoid"] = np.mean([errors(*trio) for trio in zip(sigmoid_neurons(x, y), x, y, strict=True)])
    wrong[name, "linear"] = np.mean([errors(linear_neuron(*pair), *pair) for pair in zip(x, y, strict=True)])
    wandering = [[errors(weights, *pair) for weights in last_ten(*pair)] for pair in zip(x, y, strict=True)]
    for word, which in (("best", min), ("worst", max)):
        wrong[name, word] = np.mean([which(counts) for counts in wandering])

claim(
    "G neuron",
    "Neuron and perceptron are essentially the same; only the activation differs, a step or a sigmoid or tanh.",
    "confirmed with limits",
    "Each decides by a line. What they learn differs: points that are far on the right side drag the linear neuron's line into "
    "the other class, but not the perceptron's; overlapping classes leave the perceptron without rest, but not the neurons.",
    "far_linear >= 2 and far_perceptron < 0.5 and far_sigmoid < 0.5 and worst_epoch > best_epoch + 6 and "
    "worst_epoch > settled_sigmoid + 6",
    far_perceptron=wrong["far away", "worst"],
    far_linear=wrong["far away", "linear"],
    far_sigmoid=wrong["far away", "sigmoid"],
    best_epoch=wrong["overlapping", "best"],
    worst_epoch=wrong["overlapping", "worst"],
    settled_sigmoid=wrong["overlapping", "sigmoid"],
)

# %% [markdown]
# A linear neuron wants the far ones to come out as 1. With the line upright they would come out as 5 or so, and being *too
# right* costs as much as being wrong; so it tilts the line until they lie nearer to it. The sigmoid levels off, so what is
# safely right is left alone; the perceptron looks at mistakes only. (Squares and a sigmoid have a weakness of their own, and a
# better loss: [notebook 4](04_losses_and_likelihood.ipynb).)
#
# ## A hidden layer
#
# One line cannot do XOR, but XOR is "one of them, and not both": OR and NAND. Each of these a perceptron can learn, and so it
# can learn AND of their answers. Three perceptrons, two of them side by side and one behind, are the first multilayer network:

# %%
units = {name: Perceptron(2) for name in ("OR", "NAND", "AND")}
for name, labels in {"OR": OR, "NAND": 1 - AND, "AND": AND}.items():
    assert units[name].fit(corners, labels)[-1] == 0


def two_layers(x):
    return units["AND"](tn.stack([units["OR"](x), units["NAND"](x)], 1))


assert (two_layers(tn.tensor(corners)).numpy() == XOR).all()
fig, axes = plt.subplots(1, 3, figsize=(8, 2.7))
for ax, name, decide, labels in zip(
    axes, ("OR", "NAND", "AND of both: XOR"), (units["OR"], units["NAND"], two_layers), (OR, 1 - AND, XOR), strict=True
):
    draw_regions(ax, decide, -0.6, 1.6)
    draw_points(ax, corners, labels)
    ax.set(title=name, xticks=[0, 1], yticks=[0, 1])
fig.tight_layout()
plt.show()

# %% [markdown]
# But we told each unit what to learn. How would one know, in a large network, what hidden units *should* say? With slopes in
# place of steps nobody needs to: backpropagation hands each unit its share of the blame.
#
# ### Without the bend it is nothing
#
# Before that, a trap. Put two *linear* layers behind one another, as many units as you like, and nothing is gained:
# $W_2(W_1 x + b_1) + b_2 = (W_2 W_1)\,x + (W_2 b_1 + b_2)$. It is the nonlinearity between them that counts.

# %%
X, Y = tn.tensor(corners), tn.tensor(XOR).float()


def train_on_xor(model, steps, rate=0.05):
    """Cross-entropy by Adam, summed over the members of a Stacked; returns the losses."""
    optimizer, losses = tn.optim.Adam(model.parameters(), lr=rate), []
    for _ in range(steps):
        z = model(X)[..., 0]
        loss = F.binary_cross_entropy_with_logits(z, Y.expand(*z.shape), reduction="sum") / 4
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


tn.manual_seed(0)
straight = MLP([2, 16, 16, 1], nn.Identity)
losses = train_on_xor(straight, quick(400, 50))
W, b = np.eye(2), np.zeros(2)
for layer in straight:
    if isinstance(layer, nn.Linear):
        W, b = layer.weight.detach().numpy() @ W, layer.weight.detach().numpy() @ b + layer.bias.detach().numpy()
anywhere = np.random.default_rng(0).normal(size=(200, 2)).astype(np.float32)
differs = np.abs(straight(tn.tensor(anywhere)).detach().numpy() - (anywhere @ W.T + b)).max()
wrong = int(((straight(X).detach().numpy()[:, 0] > 0) != XOR).sum())

claim(
    "G collapse",
    "Without the nonlinearity of activations a network is no more than the matrix product of the original perceptron.",
    "confirmed",
    "337 weights in three layers are one matrix of 1 × 2 and a bias; trained on XOR, the network stays at guessing.",
    "differs < 1e-5 and abs(loss - guessing) < 0.01 and wrong_of_4 >= 1",
    weights=sum(p.numel() for p in straight.parameters()),
    differs=differs,
    loss=losses[-1],
    guessing=math.log(2),
    wrong_of_4=wrong,
)

# %% [markdown]
# The notes put it like this: *a function whose first derivative is constant is linear, others are not.* The engine can say what
# the derivative of a network is, at many places. We look at it for the straight network and for one with ReLU between its
# layers.

# %%
tn.manual_seed(0)
straight, bent = (MLP([2, 16, 16, 1], bend) for bend in (nn.Identity, nn.ReLU))


def slopes(net):
    """The gradient of the output at 200 places."""
    x = tn.tensor(anywhere, requires_grad=True)
    return tn.autograd.grad(net(x).sum(), [x])[0].numpy()


def additive(net):
    """How far f(p + q) is from f(p) + f(q)."""
    p, q = tn.tensor(anywhere[:100]), tn.tensor(anywhere[100:])
    with tn.no_grad():
        return np.abs((net(p + q) - net(p) - net(q)).numpy())


spread = {name: np.ptp(slopes(net), axis=0).max() for name, net in (("straight", straight), ("bent", bent))}
different = len(np.unique(slopes(bent).round(5), axis=0))
print(f"the bent network has {different} different slopes at 200 places")

claim(
    "G linear",
    "A function with a constant first derivative is linear, one whose first derivative varies is nonlinear.",
    "confirmed with limits",
    "Constant slope means a straight (affine) function: f(p + q) = f(p) + f(q) fails by exactly the constant f(0). And a "
    "network of ReLUs has a constant slope almost everywhere, in patches, without being linear: it must be one everywhere.",
    "spread_straight < 1e-5 and abs(additive_by - offset) < 1e-4 and offset > 0 and spread_bent > 0.05 and slopes_bent > 20",
    spread_straight=spread["straight"],
    additive_by=additive(straight).mean(),
    offset=abs(straight(tn.zeros(1, 2)).item()),
    spread_bent=spread["bent"],
    slopes_bent=different,
)

# %% [markdown]
# ### The plane bends
#
# Two hidden units with $\tanh$, one output, nine weights. (Sixteen such networks are trained side by side, as one, from
# different random weights; we look at the best: [`Stacked`](../tinygrad_notes/models/stacked.py).) A hidden layer with two
# units maps the plane of inputs into another plane; the output neuron then draws a *straight line there*. So training has to
# move the four points until a line divides them. Above you see what the network says, below the same moments seen from inside:
# the grid of the input plane, bent by the hidden layer, and the output's line.

# %%
moments = [0, 20, 60, 300]
tn.manual_seed(0)
nets, snapshots = Stacked([MLP([2, 2, 1], nn.Tanh) for _ in range(16)]), []
for before, after in itertools.pairwise([0, *moments]):
    train_on_xor(nets, after - before)
    snapshots.append({name: value.clone() for name, value in nets.state_dict().items()})
with tn.no_grad():
    each = F.binary_cross_entropy_with_logits(nets(X)[..., 0], Y.expand(16, 4), reduction="none").mean(1)
chosen = int(each.argmin())

threads = np.linspace(-0.6, 1.6, 23)
fig, axes = plt.subplots(2, 4, figsize=(10, 5.2))
for (above, below), step, state in zip(axes.T, moments, snapshots, strict=True):
    nets.load_state_dict(state)
    net = nets[chosen]
    hidden = nn.Sequential(net[0], net[1])
    draw_regions(above, lambda x, net=net: net(x).sigmoid(), -0.6, 1.6)
    draw_points(above, corners, XOR)
    above.set(title=f"step {step}", xticks=[0, 1], yticks=[0, 1])
    draw_regions(below, lambda h, net=net: net[2](h).sigmoid(), -1.1, 1.1)
    with tn.no_grad():
        for fixed in threads:
            along = np.linspace(-0.6, 1.6, 60)
            for line in ([np.full(60, fixed), along], [along, np.full(60, fixed)]):
                below.plot(*hidden(tn.tensor(np.array(line).T.astype(np.float32))).numpy().T, color="black", lw=0.4, alpha=0.5)
        draw_points(below, hidden(X).numpy(), XOR)
    below.set(xticks=[-1, 1], yticks=[-1, 1])
axes[0, 0].set_ylabel("inputs")
axes[1, 0].set_ylabel("hidden units")
fig.tight_layout()
plt.show()
assert ((net(X).detach().numpy()[:, 0] > 0) == XOR).all()

# %% [markdown]
# In the last picture the two blue corners lie on one side and the two red ones on the other: two of the corners have been
# folded onto nearly the same place. That fold is what no single line could do.
#
# Does it always work? Two units *suffice*, but descent has to find them. We train 60 networks at a time, from different random
# weights. Guess how many of 60 find XOR with two hidden units, and with eight.

# %%
widths, tries, found = [2, 3, 4, 8], 60, []
for width in widths:
    tn.manual_seed(0)
    nets = Stacked([MLP([2, width, 1], nn.Tanh) for _ in range(tries)])
    train_on_xor(nets, quick(400, 20))
    found.append(float((((nets(X)[..., 0] > 0).numpy()) == XOR).all(1).mean()))

fig, ax = plt.subplots(figsize=(5, 2.6))
ax.bar([str(width) for width in widths], found, color="tab:blue")
for i, share in enumerate(found):
    ax.text(i, share + 0.02, f"{share:.0%}", ha="center")
ax.set(xlabel="hidden units", ylabel="found XOR", ylim=(0, 1.12), yticks=[])
ax.spines["left"].set_visible(False)
plt.show()

# %% [markdown]
# More units than needed make the search easier, not the problem. This is the first reason why real networks are wider than they
# "need" to be.
#
# ## How much can one hidden layer do?
#
# With ReLU the answer can be built by hand. $\mathrm{relu}(x - k)$ is flat until the knot $k$ and then rises with slope 1. Add
# up $N$ of them with the right weights and you get any polygon with $N$ pieces: at each knot, the weight is *the change of
# slope*. No training; the network is an ordinary `MLP([1, N, 1])` into which the numbers are written.


# %%
def polygon(f, n, low=-1.0, high=1.0):
    """A network with n hidden units that meets f at n + 1 knots."""
    knots = np.linspace(low, high, n + 1)
    slope = np.diff(f(knots)) / np.diff(knots)
    net = MLP([1, n, 1], nn.ReLU).to(tn.float64)
    with tn.no_grad():
        net[0].weight.copy_(tn.ones(n, 1, dtype=tn.float64))
        net[0].bias.copy_(tn.tensor(-knots[:-1]))
        net[2].weight.copy_(tn.tensor(np.diff(slope, prepend=0.0)[None]))
        net[2].bias.copy_(tn.tensor(f(knots[:1])))
    return net


def wave(x):
    return 0.6 * np.sin(4 * x) + 0.4 * np.cos(7 * x)


def jump(x):
    return np.where(x < 0.3, -0.5, 0.5)


def values(net, x):
    with tn.no_grad():
        return net(tn.tensor(x[:, None]))[:, 0].numpy()


fine = np.linspace(-1, 1, 4001)
fig, axes = plt.subplots(1, 3, figsize=(10, 2.7), sharey=True)
for ax, n in zip(axes, (4, 8, 16), strict=True):
    beyond = np.linspace(-1.4, 1.4, 400)
    ax.plot(beyond, wave(beyond), color="lightgray", lw=4)
    ax.plot(beyond, values(polygon(wave, n), beyond), color="tab:blue")
    ax.plot(np.linspace(-1, 1, n + 1), wave(np.linspace(-1, 1, n + 1)), ".", color="tab:blue")
    ax.set(title=f"{n} hidden units", xlabel="x", xticks=[-1, 0, 1], ylim=(-1.4, 1.4))
fig.tight_layout()
plt.show()

# %% [markdown]
# Between -1 and 1 it follows, and beyond them it goes straight on: nothing was promised there. Now let $N$ grow. Between two
# knots a polygon misses a smooth curve by about $\frac18 h^2 |f''|$, with $h = 2/N$: twice the units, a quarter of the error.
# And the function with a jump?

# %%
sizes = [4, 8, 16, 32, 64, 128, 256]
worst = {f.__name__: [np.abs(values(polygon(f, n), fine) - f(fine)).max() for n in sizes] for f in (wave, jump)}
mean = [np.abs(values(polygon(jump, n), fine) - jump(fine)).mean() for n in sizes]
rate = np.polyfit(np.log(sizes[2:]), np.log(worst["wave"][2:]), 1)[0]

fig, ax = plt.subplots()
ax.loglog(sizes, worst["wave"], "o-", color="tab:blue", label=f"wave, largest error: slope {rate:.2f}")
ax.loglog(sizes, mean, "s--", color="tab:orange", label="jump, mean error")
ax.loglog(sizes, worst["jump"], "s-", color="tab:red", label="jump, largest error")
ax.set(xlabel="hidden units", ylabel="error between -1 and 1")
ax.legend(frameon=False)
plt.show()

claim(
    "G universal",
    "A network with a single hidden layer can fit any function, but needs very many units.",
    "confirmed with limits",
    "Any continuous function on a bounded interval, to any accuracy: here twice the units leave a quarter of the error. A jump "
    "is met on average only, never everywhere: half of it remains; and outside the interval nothing is promised.",
    "abs(slope + 2) < 0.1 and worst_wave_256 < 1e-3 and worst_jump_256 > 0.45 and mean_jump_256 < 0.01",
    slope=rate,
    worst_wave_256=worst["wave"][-1],
    worst_jump_256=worst["jump"][-1],
    mean_jump_256=mean[-1],
)

# %% [markdown]
# ## Deep or wide?
#
# The notes say that a deep, narrow network can do the same with far fewer units. Think of folding paper: fold, fold again, and
# a single cut makes many holes. A fold is $t(x) = 1 - |2x - 1|$ between 0 and 1, made by *two* ReLUs:
# $t(x) = 2\,\mathrm{relu}(x) - 4\,\mathrm{relu}(x - \tfrac12)$. Each further layer of two units folds the result again and
# doubles the number of pieces. A single layer gets one new piece per unit, and no more, since its slope changes only at its
# knots.


# %%
def folded(times):
    """A network with two units in each of ``times`` hidden layers, that folds the interval that often."""
    net = MLP([1, *[2] * times, 1], nn.ReLU).to(tn.float64)
    layers = [layer for layer in net if isinstance(layer, nn.Linear)]
    with tn.no_grad():
        for i, layer in enumerate(layers):
            rows = [[1.0], [1.0]] if i == 0 else [[2.0, -4.0]] * layer.out_features
            layer.weight.copy_(tn.tensor(rows, dtype=tn.float64))
            layer.bias.copy_(tn.tensor([0.0, -0.5][: layer.out_features], dtype=tn.float64))
    return net


grid = np.linspace(0, 1, 2**12 + 1)  # all corners lie on this grid, and their numbers are exact in binary


def pieces(net):
    return 1 + np.count_nonzero(np.diff(np.diff(values(net, grid))))


times = np.arange(1, 10)
deep_pieces = [pieces(folded(k)) for k in times]
assert deep_pieces == (2**times).tolist()
assert pieces(polygon(lambda x: values(folded(6), x), 64, 0, 1)) == 64  # a single layer can do it too, with 64 units for 12

fig, axes = plt.subplots(1, 4, figsize=(10, 2.6), width_ratios=[1, 1, 1, 1.6])
for ax, k in zip(axes[:3], (1, 3, 6), strict=True):
    ax.plot(grid, values(folded(k), grid), color="tab:blue", lw=1)
    ax.set(title=f"{2 * k} units, {k} layer{'s' * (k > 1)}", xticks=[0, 1], yticks=[0, 1])
axes[3].semilogy(2 * times, deep_pieces, "o-", color="tab:blue", label="two per layer")
axes[3].semilogy(2 * times, 2 * times + 1, "s-", color="tab:orange", label="in one layer, at most")
axes[3].set(xlabel="units in all", title="straight pieces")
axes[3].legend(frameon=False, fontsize=8)
fig.tight_layout()
plt.show()

# %% [markdown]
# Eighteen units: 512 pieces, or 19. Exponential against linear; this is Telgarsky's example. But it was made by hand, of a
# function that *is* a repeated fold. What of networks as they come, with random weights? We give 48 units to 1, 2, 4 or 8
# layers, walk along the input and count how often a unit anywhere in the network switches on or off. If depth meant pieces, the
# deep ones would have many more.


# %%
def random_net(widths):
    """He's weights, PyTorch's biases."""
    net = MLP(widths, nn.ReLU)
    for layer in net:
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight)
    return net


def switches(net, walk):
    """How often the pattern of active units changes along the walk."""
    changes, x = np.zeros(len(walk) - 1, bool), tn.tensor(walk[:, None])
    with tn.no_grad():
        for layer in net:
            x = layer(x)
            if isinstance(layer, nn.ReLU):
                changes |= np.diff(x.numpy() > 0, axis=0).any(1)
    return int(changes.sum())


walk = np.linspace(-4, 4, quick(20_001, 2_001), dtype=np.float32)
shapes = [(1, 48), (2, 24), (4, 12), (8, 6)]
tn.manual_seed(0)
counted = [[switches(random_net([1, *[width] * layers, 1]), walk) for _ in range(20)] for layers, width in shapes]

fig, ax = plt.subplots(figsize=(6, 2.8))
ax.boxplot(counted, tick_labels=[f"{layers} × {width}" for layers, width in shapes], orientation="horizontal", widths=0.6)
ax.set(xlabel="pieces of a random network, minus one", ylabel="layers × units", xlim=(0, None))
ax.invert_yaxis()
plt.show()
medians = [float(np.median(row)) for row in counted]
print("medians:", medians)

# %% [markdown]
# No more pieces with depth, rather fewer: at most about one per unit, wherever the units stand (Hanin and Rolnick found the
# like in general). The exponential number is possible, not typical. So the question is what *training* finds. Two kinds of
# targets between -1 and 1: random waves, another one for each network, so that nobody has chosen a favourable one; and a saw
# made of three folds, which favours depth. One, two and three hidden layers, 20 random starts each. A dot is one trained
# network. The saying would be true if a deep network with *half the units* did as well as a wide one.


# %%
places = np.linspace(-1, 1, 129)


def waves(n):
    """n random sums of sines and cosines, each with mean square 1: (n, 129)."""
    angles, rng = np.pi * np.outer([1, 2, 3], places), np.random.default_rng(0)
    f = np.einsum("nk,kx->nx", rng.normal(size=(n, 6)), np.concatenate([np.sin(angles), np.cos(angles)]))
    return f / f.std(1, keepdims=True)


def saws(n):
    x = places
    for _ in range(3):
        x = 1 - 2 * np.abs(x)
    return np.tile(x / x.std(), (n, 1))


def trained_errors(make, targets, steps, rate=0.01):
    """Root mean square errors of trained networks, one for each target, as shares of its spread; smallest first."""
    tn.manual_seed(0)
    nets, inputs = Stacked([make() for _ in targets]), tn.tensor(places[:, None].astype(np.float32))
    target = tn.tensor(targets.astype(np.float32))
    optimizer = tn.optim.Adam(nets.parameters(), lr=rate)
    schedule = tn.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        loss = F.mse_loss(nets(inputs)[..., 0], target, reduction="sum") / 129
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    with tn.no_grad():
        return np.sort((nets(inputs)[..., 0] - target).square().mean(1).sqrt().numpy())


designs = [(1, 8), (1, 32), (1, 64), (2, 12), (3, 6), (3, 10)]
results = {
    (f, layers, width): trained_errors(
        lambda layers=layers, width=width: random_net([1, *[width] * layers, 1]), f(quick(20, 4)), quick(800, 10)
    )
    for f in (waves, saws)
    for layers, width in designs
}


# %%
def units_of(layers, width):
    return layers * width


def weights_of(layers, width):
    return sum(p.numel() for p in MLP([1, *[width] * layers, 1]).parameters())


fig, axes = plt.subplots(2, 2, figsize=(10, 6.4), sharey="row", sharex="col")
looks = {1: ("tab:orange", "1 hidden layer"), 2: ("tab:green", "2"), 3: ("tab:blue", "3")}
for row, f in zip(axes, (waves, saws), strict=True):
    for depth, (color, label) in looks.items():
        chosen = [(layers, width) for layers, width in designs if layers == depth]
        found = [results[f, *design] for design in chosen]
        for ax, size in zip(row, (units_of, weights_of), strict=True):
            at = [size(*design) for design in chosen]
            ax.loglog(at, np.median(found, 1), "o-", ms=8, color=color, label=label)
            ax.loglog(at, found, ".", color=color, alpha=0.35, ms=5)
    row[0].set(ylabel=f"{f.__name__}: error / spread", ylim=(0.002, 1.5))
axes[1, 0].set_xlabel("units")
axes[1, 1].set_xlabel("weights")
axes[0, 0].legend(frameon=False, fontsize=8, title="median of 20 and each", loc="lower left")
for ax, ticks in zip(axes[1], ([8, 16, 32, 64], [25, 50, 100, 200, 300]), strict=True):
    ax.set_xticks(ticks, [str(tick) for tick in ticks])
    ax.set_xticks([], minor=True)
fig.tight_layout()
plt.show()


# %%
def quarter(f, layers, width):
    """The error that the best quarter of the starts stays below: from four starts one may expect one as good."""
    return float(np.quantile(results[f, layers, width], 0.25))


claim(
    "G depth",
    "Deep, narrow networks do with far fewer units what shallow, wide ones do, so they often save resources.",
    "confirmed with limits",
    "By construction: 18 units make 512 pieces in nine layers, 19 in one. Trained, 30 units in three layers do at least as well "
    "as 64 in one, on folds and on random waves. But that saves units, not weights: with as many weights, 24 units in two layers "
    "are not even twice as good as 64 in one on the waves. And random networks have no more pieces with depth, rather fewer.",
    "pieces_deep == 512 and pieces_wide == 19 and saws_3x10 < saws_1x64 and waves_3x10 < waves_1x64 and 2 * waves_2x12 > "
    "waves_1x64 and random_8x6 < 1.2 * random_1x48",
    pieces_deep=deep_pieces[-1],
    pieces_wide=2 * times[-1] + 1,
    saws_3x10=quarter(saws, 3, 10),
    saws_1x64=quarter(saws, 1, 64),
    waves_3x10=np.median(results[waves, 3, 10]),
    waves_1x64=np.median(results[waves, 1, 64]),
    waves_2x12=np.median(results[waves, 2, 12]),
    random_8x6=medians[3],
    random_1x48=medians[0],
)

# %% [markdown]
# *Deep networks are not easy to train*, say the notes, *it takes much data and many tricks*. So let us go deeper: 2 to 16
# narrow layers of 8 units, on the random waves. Once as the layers come (PyTorch's first weights), and once with a single
# trick, He's first weights (they have [a notebook of their own](08_initialisation.ipynb)). The data are the same 129 points. A
# network that ends with an error above half of the target's spread has failed.

# %%
depths, starts = [2, 4, 8, 16], quick(24, 4)
failed = {}
for name, make in {"as they come": lambda widths: MLP(widths, nn.ReLU), "He's weights": random_net}.items():
    for depth in depths:
        found = trained_errors(
            lambda make=make, depth=depth: make([1, *[8] * depth, 1]), waves(starts), quick(400, 10), rate=0.005
        )
        failed[name, depth] = (found > 0.5).mean()
    plt.plot([failed[name, depth] for depth in depths], "o-", label=name)
plt.xticks(range(len(depths)), depths)
plt.xlabel("hidden layers of 8 units")
plt.ylabel("share that failed")
plt.ylim(-0.03, 1.03)
plt.legend(frameon=False)
plt.show()

# %%
claim(
    "G deep is hard",
    "Deep networks are not easy to train: it takes much data and many tricks.",
    "confirmed with limits",
    "As they come, most networks of sixteen layers fail, of four layers far fewer. One trick, weights of the right size, mends "
    "most of it, with the same few points: here it was not data that was missing.",
    "plain_16 > 0.5 and plain_4 < plain_16 - 0.3 and he_16 < plain_16 - 0.3",
    plain_4=failed["as they come", 4],
    plain_16=failed["as they come", 16],
    he_4=failed["He's weights", 4],
    he_16=failed["He's weights", 16],
)

# %% [markdown]
# ## What was seen
#
# - The perceptron's rule corrects mistakes and nothing else. If a line exists it stops, after at most $(R/\gamma)^2$
#   corrections; the proof squeezes one length between a straight line and a square root. If there is none, it wanders for ever.
# - XOR contradicts itself on a single line: 14 of 16 functions of two bits are learnable, 104 of 256 of three, 1,882 of 65,536
#   of four.
# - The delta rule is gradient descent on squares. It always settles (if $\alpha < 2/\lambda_{\max}$), on least squares, which
#   is not the same as fewest mistakes.
# - A hidden layer is a change of coordinates, after which a straight line is enough. Without a nonlinearity it is nothing at
#   all.
# - Width makes any continuous function on an interval; depth can fold, and save units exponentially where the target is made of
#   folds. Being able to represent is one thing, being found by training another.
#
# ## Things to try
#
# 1. Give the perceptron the corners of AND in another order, or start it from other weights. Does the number of corrections
#    change? Does the bound?
# 2. Multiply all inputs of the cloud by 10. What becomes of $R/\gamma$, and of the number of corrections? (Careful: the
#    constant input 1 is not multiplied.)
# 3. Let `cloud` use 10 dimensions with the same margin. The bound does not know the dimension. Do the corrections?
# 4. Average the perceptron's weights over all steps of the overlapping set (Freund & Schapire's *averaged perceptron*). Does it
#    come to rest? (It does.)
# 5. Move the far-away group of the step-or-slope picture from 7 to 70. How many does the linear neuron get wrong? When does the
#    sigmoid neuron notice?
# 6. Start the XOR network with all weights 0, or all 0.5. Which weights stay equal to each other for ever, and why does that
#    make it fail?
# 7. Use ReLU in place of tanh in the XOR experiment with two units. The share that succeeds falls: look at a failed one from
#    inside.
# 8. Build `polygon` with knots that crowd where $|f''|$ is large. By how much does the same error become cheaper?
# 9. Give the networks of sixteen layers skip connections (`x + f(x)`) in place of He's weights, and count the failures again.
#
# ## Where to look
#
# - Functions: [`Perceptron`](../tinygrad_notes/models/perceptron.py), [`MLP`](../tinygrad_notes/models/networks.py),
#   [`Stacked`](../tinygrad_notes/models/stacked.py), [`step`](../tinygrad_notes/nn/functional/activation.py).
# - Tests: [the networks of the notes](../tests/test_models.py): what a line divides is learned, XOR never is.
# - F. Rosenblatt, *The perceptron*, Psychological Review 65, 1958. [doi](https://doi.org/10.1037/h0042519)
# - A. B. J. Novikoff, *On convergence proofs on perceptrons*, Symposium on the Mathematical Theory of Automata, 1962.
# - B. Widrow, M. E. Hoff, *Adaptive switching circuits*, IRE WESCON, 1960. M. Minsky, S. Papert, *Perceptrons*, MIT Press,
#   1969.
# - Y. Freund, R. E. Schapire, *Large margin classification using the perceptron algorithm*, Machine Learning 37, 1999.
#   [doi](https://doi.org/10.1023/A:1007662407062)
# - G. Cybenko, *Approximation by superpositions of a sigmoidal function*, 1989. [doi](https://doi.org/10.1007/BF02551274)
# - K. Hornik, M. Stinchcombe, H. White, *Multilayer feedforward networks are universal approximators*, Neural Networks 2, 1989.
#   [doi](https://doi.org/10.1016/0893-6080(89)90020-8)
# - M. Telgarsky, *Representation benefits of deep feedforward networks*, 2015. [arXiv](https://arxiv.org/abs/1509.08101)
# - B. Hanin, D. Rolnick, *Complexity of linear regions in deep networks*, 2019. [arXiv](https://arxiv.org/abs/1901.09021)
