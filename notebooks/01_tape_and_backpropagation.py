# The source of 01_tape_and_backpropagation.ipynb: `python notebooks/build.py` executes it and writes the notebook.

# %% [markdown]
# # 1 · The tape and backpropagation
#
# A neural network is trained by asking, for each of its weights, *how would the loss change if this number were a little
# larger?* There may be billions of weights, and yet one pass backward through the computation answers for all of them.
# This notebook shows how. A program that computes something is written down as a list, one line per operation: the **tape**.
# Walking the list from its end to its beginning and multiplying by one local derivative per line is **backpropagation**.
# You will do the walk by hand and see that the engine does the same; count what it costs; check it against finite
# differences and find out when *those* are wrong; differentiate the gradient itself; correct a formula that many lecture
# notes carry; train a first small network; and finally run its training without its program, from the tape alone.
#
# 训练神经网络，就是反复问一个问题：某个权重稍微变大一点，损失会怎样变化？
# 本节说明如何只用一次反向计算，就同时回答所有权重的这个问题。程序运行时，每一步运算都按顺序记在一条“磁带”（tape）上；
# 从最后一行往回走，每一行乘上一个局部导数，这就是反向传播。我们先手算每一步并与引擎对照，再用数值差分检验，
# 接着对梯度再求导，纠正 softmax 交叉熵梯度的一个常见错误（应为 $p_i-y_i$），
# 最后训练一个解决 XOR 的小网络，并只凭磁带重放它的训练过程。
#
# What the text says is checked where it is said, by `assert` in the code: if it were wrong, this notebook would not run. What
# *lecture notes* say is checked too; the verdicts of all notebooks are gathered in [one table](../docs/claims.md). A word that
# is new to you may stand in the [glossary](../docs/glossary.md), with its Chinese name.

# %%
import copy
import math
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
from setting import claim

import tinygrad_notes as tn

# %% [markdown]
# ## A program writes a list
#
# Take a function of two numbers, small enough to do in the head:
#
# $$ y = \sin(a\,b) + a $$
#
# Python computes it in three steps, $v_1 = a\,b$, then $v_2 = \sin v_1$, then $y = v_2 + a$. With a `Tape` listening, each step
# becomes a line: a number for the result (`%2`) and its type (`f32[]`: a 32-bit float without axes; `f32[4,3]` would be a matrix),
# the operation, and the lines that it read. `leaf` is what came from outside. The picture below the listing is the same list again;
# its arrows are values that are read.

# %%
a = tn.tensor(2.0, requires_grad=True)
b = tn.tensor(0.6, requires_grad=True)

with tn.Tape() as tape:
    v1 = a * b
    v2 = v1.sin()
    y = v2 + a

tape.names.update(zip(tape.leaves, ["a", "b"], strict=True))  # only so that the listing and the picture can say them
assert [node.op.name for node in tape] == ["mul", "sin", "add"]
print(tape)
tn.viz.draw(tape)

# %% [markdown]
# Each line is one primitive operation on lines above it, so the list is already in an order in which it can be computed. It is
# called a *Wengert list* (1964). Loops and branches of the program leave no trace: the tape holds what *happened*.
#
# ## Walking the list backward
#
# Let $\bar v = \partial y / \partial v$: how fast the output changes with the value $v$, called the **cotangent** of $v$. At the
# end of the list we know one of them, $\bar y = \partial y/\partial y = 1$. The chain rule leads from each line to the lines that it read:
#
# $$ \text{if } w = f(v, \dots) \text{ then } \bar v \;\text{ receives }\; \bar w \cdot \frac{\partial f}{\partial v} $$
#
# That needs only the *local* derivative of one operation, at values that the forward pass has already computed. A value that was
# read twice, as `a` here, receives twice, and the contributions add. On the left of each line below is the hand, on the
# right the tape's line that it belongs to.

# %%
y_bar = 1.0
v2_bar = y_bar  #                                y  = v2 + a        dy/dv2  = 1
a_bar = y_bar  #                                                    dy/da   = 1    (first use of a)
v1_bar = v2_bar * math.cos(v1.item())  #         v2 = sin(v1)       dv2/dv1 = cos(v1)
a_bar += v1_bar * b.item()  #                    v1 = a * b         dv1/da  = b    (second use of a)
b_bar = v1_bar * a.item()  #                                        dv1/db  = a

for v in (v1, v2):
    v.retain_grad()  # the engine drops the gradients of intermediate values, unless asked
y.backward()

for name, hand, engine in [("v2", v2_bar, v2.grad), ("v1", v1_bar, v1.grad), ("a", a_bar, a.grad), ("b", b_bar, b.grad)]:
    print(f"dy/d{name:<3} by hand {hand:9.6f}   engine {engine.item():9.6f}")
    assert math.isclose(hand, engine.item(), rel_tol=1e-6)

# %% [markdown]
# ## The gradient is a computation, too
#
# What the hand did were multiplications, a cosine and an addition: primitives like those of the forward pass. So the tape
# can record them. Below, the tape listens while `backward` runs. Compare the lines marked `backward` with the hand's: the cosine,
# the product with it, the two products with $b$ and $a$, the addition of the two contributions to $\bar a$. (The third leaf is the
# $\bar y = 1$ to begin with. The clones at the end put the results into `a.grad` and `b.grad`. The scope `f` only draws a frame
# around what belongs together; the gradient of what was made in it is made in its mirror, `backward/f`.)

# %%
a.grad = b.grad = None
with tn.Tape() as tape:
    with tn.scope("f"):
        y = (a * b).sin() + a
    y.backward()

tape.names.update(zip(tape.leaves, ["a", "b", "ȳ = 1"], strict=True))
assert [node.op.name for node in tape if node.scope.path.startswith("backward")] == [
    "cos", "mul", "mul", "add", "mul", "clone", "clone",
]  # fmt: skip
print(tape)
tn.viz.draw(tape)

# %% [markdown]
# Read the blue part from top to bottom and the red part from bottom to top: the gradient graph is the mirror image of the forward
# graph. The clones only store results. The thick blue-grey arrow is the price: values of the forward pass (here $v_1$, $a$ and $b$)
# had to be *kept* until the walk back came by. That is why training a network needs more memory than using it.
#
# ## Why backward?
#
# One could also go forward: nudge one input, recompute, and divide. For $n$ inputs that is $n$ recomputations (central
# differences: $2n$). The walk back visits each line once, however many inputs there are. We count operations on the tape, not
# seconds, for a function of $n$ separate numbers, $y = \sin(x_n \cdots \sin(x_3 \sin(x_2 x_1)))$.


# %%
def operations(n):
    """Operations recorded in forward and in backward, for a function of n numbers."""
    xs = [tn.tensor(1.5, requires_grad=True) for _ in range(n)]
    with tn.Tape() as tape:
        y = xs[0]
        for x in xs[1:]:
            y = (y * x).sin()
        forward = len(tape)
        y.backward()
    return forward, len(tape) - forward


ns = [2, 4, 8, 16, 32, 64, 128, 256]
forward, backward = np.array([operations(n) for n in ns]).T
print("backward / forward:", np.round(backward / forward, 2))
assert (backward <= 3 * forward).all()  # one gradient costs at most three forwards here, for 2 inputs and for 256
assert backward[-1] / forward[-1] < 2.52

fig, ax = plt.subplots()
ax.loglog(ns, 2 * np.array(ns) * forward, "o-", color="tab:gray", label="central differences: 2n forwards")
ax.loglog(ns, forward + backward, "o-", color="tab:red", label="forward and backward: all n derivatives")
ax.loglog(ns, forward, "o-", color="tab:blue", label="forward alone")
ax.annotate(f"{2 * 256 * forward[-1]:,}", (256, 2 * 256 * forward[-1]), (-50, 4), textcoords="offset points")
ax.annotate(f"{forward[-1] + backward[-1]:,}", (256, forward[-1] + backward[-1]), (-34, 6), textcoords="offset points")
ax.set(xlabel="number of inputs n", ylabel="operations")
ax.legend(frameon=False)
plt.show()

# %% [markdown]
# The gap between red and blue stays the same; the gap between grey and red grows with $n$. The general statement
# (Griewank & Walther; Baydin et al., section 3.2): a gradient costs at most a small constant, below 6 and usually 2 to 3, times the
# function itself. With a million weights that constant is the difference between possible and impossible. The other way round
# holds as well: a function of *one* input and a million outputs is better differentiated forward (`tn.func.jvp`).
#
# ## Used twice, added twice
#
# Why do contributions add? Pretend that the two uses of $x$ are two different variables, $f(x_1, x_2)$. If both move
# together, the output feels both moves:
#
# $$ \frac{d}{dx} f(x, x) = \frac{\partial f}{\partial x_1} + \frac{\partial f}{\partial x_2} $$


# %%
def f(x1, x2):
    return x1 * x2.exp()


x = tn.tensor(0.5, requires_grad=True)
x1, x2 = (x.detach().clone().requires_grad_() for _ in range(2))

first, second = tn.autograd.grad(f(x1, x2), [x1, x2])
(whole,) = tn.autograd.grad(f(x, x), [x])
print(f"{first.item():.6f} + {second.item():.6f} = {whole.item():.6f}")
assert math.isclose(first.item() + second.item(), whole.item(), rel_tol=1e-6)

# %% [markdown]
# Weights that are used at every time step of a recurrent network, or at every place of an image, are the same story
# with more terms. It is also why `.grad` **adds up** over several calls of `backward`, and why a training loop clears it first.
#
# ## Stretched in forward, summed in backward
#
# Arrays bring one more case. A bias of shape (3,) is added to a batch of shape (4, 3): each bias is *read four times*.
# So its cotangent is a sum of four. Broadcasting in forward is summing in backward; no operation needs to
# know, the engine does it in one place for all of them (`unbroadcast`). Here a column meets a row, and the cotangent $G$ of the result
# is handed to `backward` explicitly:

# %%
column = tn.zeros(4, 1, requires_grad=True)
row = tn.zeros(3, requires_grad=True)
G = np.array([[1, 0, 2], [-1, 3, 0], [0, 1, 1], [2, -2, 4]], np.float32)

(column + row).backward(tn.tensor(G))
assert (column.grad.numpy() == G.sum(1, keepdims=True)).all()
assert (row.grad.numpy() == G.sum(0)).all()

sheet = np.full((5, 4), np.nan)
sheet[:4, :3], sheet[:4, 3:], sheet[4, :3] = G, column.grad, row.grad
fig, ax = plt.subplots(figsize=(4.2, 3.8))
ax.imshow(np.where(np.isnan(sheet), 0, sheet), cmap="RdBu_r", vmin=-7, vmax=7, alpha=0.8)
for (i, j), value in np.ndenumerate(sheet):
    if not np.isnan(value):
        ax.text(j, i, f"{value:.0f}", ha="center", va="center", weight="bold" if i == 4 or j == 3 else None)
ax.axhline(3.5, color="white", lw=6)
ax.axvline(2.5, color="white", lw=6)
ax.set_xticks([1, 3], ["G", "column.grad"])
ax.set_yticks([4], ["row.grad"])
ax.tick_params(length=0, labeltop=True, labelbottom=False)
ax.spines[:].set_visible(False)
plt.show()

# %% [markdown]
# ## Is it right? Ask the definition
#
# A derivative is a limit of differences, so differences can check it. The symmetric form is the better one:
#
# $$ \frac{f(x+h) - f(x-h)}{2h} = f'(x) + \frac{h^2}{6} f'''(x) + \dots \;\pm\; \frac{\varepsilon\,|f(x)|}{h} $$
#
# The second term wants a small $h$. The third is rounding ($\varepsilon$ is the spacing of floating-point numbers at 1), and
# wants a *large* $h$: two nearly equal numbers are subtracted. Their sum is a V on logarithmic axes,
# lowest near $h = \varepsilon^{1/3}$, where an error of about $\varepsilon^{2/3}$ remains: a third of the digits is lost, at the very best.


# %%
def wave(x):
    return x.sin().exp()


def central_difference(f, x, h):
    return (f(tn.tensor(x + h)) - f(tn.tensor(x - h))).numpy() / (2 * h)


def gradient(f, x):
    x = tn.tensor(x, requires_grad=True)
    return tn.autograd.grad(f(x).sum(), [x])[0].numpy()  # the sum's gradient holds the derivative at every point


points = np.linspace(0, 2, 200)
fig, ax = plt.subplots(figsize=(7, 4))
for dtype, smallest, color in ((np.float64, 1e-12, "tab:blue"), (np.float32, 1e-7, "tab:orange")):
    steps = np.geomspace(smallest, 1, 80).tolist()
    x = points.astype(dtype)
    precise = x.astype(np.longdouble)  # some digits more, where the machine has them
    exact = np.exp(np.sin(precise)) * np.cos(precise)
    errors = [np.abs(central_difference(wave, x, h) - exact).mean() for h in steps]
    engine_error = np.abs(gradient(wave, x) - exact).mean()
    best, eps = int(np.argmin(errors)), float(np.finfo(dtype).eps)
    print(f"{dtype.__name__}: least error {errors[best]:.1e}, at h = {steps[best]:.1e}; of the engine {engine_error:.1e}")
    assert 0.1 < steps[best] / eps ** (1 / 3) < 10
    assert 0.1 < errors[best] / eps ** (2 / 3) < 10
    assert engine_error < 2 * eps  # no step, no V: only the rounding of the result itself
    ax.loglog(steps, errors, color=color, label=f"differences in {dtype.__name__}")
    ax.plot(steps[best], errors[best], "o", color=color)
    ax.axhline(engine_error, color=color, ls="--", lw=1, label=f"backpropagation in {dtype.__name__}")
ax.set(xlabel="step h", ylabel="mean error of the derivative", ylim=(1e-17, 10))
ax.legend(frameon=False, fontsize=8)
plt.show()

# %% [markdown]
# Where the two V's meet on the right, the dtype no longer matters: there the error is $h^2 f'''/6$. Two lessons. Backpropagation is
# not an approximation of differences; differences are an approximation of *it*. And a gradient check must run in float64: in
# float32 the best that differences can do is about five digits, so a wrong gradient and a right one can look alike.
#
# ## Catching a wrong rule
#
# Each primitive is one row in a table: its function and, per argument, the rule that turns the cotangent `g` of the result into the
# cotangent of the argument. Let us add a row for $x^3$, and make the mistake that everyone makes once. `gradcheck`
# compares the whole Jacobian (for three numbers: 3 outputs by 3 inputs, 9 entries) with central differences and says where it is
# wrong.

# %%
cube = tn.primitive("cube", lambda x: x**3, vjp="g * x * x")

x = tn.tensor([-1.0, 0.0, 2.0], dtype=tn.float64, requires_grad=True)
try:
    tn.autograd.gradcheck(cube, [x])
except tn.autograd.GradcheckError as error:
    print(error)
    wrong = str(error)
assert "2 of 9 entries are wrong" in wrong

# %% [markdown]
# The report reads like a diagnosis. Only the diagonal is wrong, so elements are not mixed up; the gradient is a third of what it
# should be at both places; at $x = 0$ it is right by accident. (A check at one lucky point proves nothing: check at several.) The factor 3
# is missing:

# %%
cube = tn.primitive("cube", lambda x: x**3, vjp="g * 3 * x * x")  # replaces the row
assert tn.autograd.gradcheck(cube, [x])
assert tn.autograd.gradgradcheck(cube, [x])  # the rule is made of primitives, so it can be differentiated as well

# %% [markdown]
# ## Gradients of gradients
#
# If the backward pass is a computation on the tape, it has a gradient too. `create_graph=True` asks the engine to keep it
# differentiable. Three times in a row gives three derivatives of tanh. With $t = \tanh x$:
#
# $$ t' = 1 - t^2, \qquad t'' = -2t\,(1 - t^2), \qquad t''' = (1 - t^2)(6t^2 - 2) $$

# %%
x = tn.tensor(np.linspace(-3, 3, 201), requires_grad=True)
curves = [x.tanh()]
for _ in range(3):
    curves += tn.autograd.grad(curves[-1].sum(), [x], create_graph=True)

t, *derivatives = (curve.detach().numpy() for curve in curves)
for found, formula in zip(derivatives, [1 - t**2, -2 * t * (1 - t**2), (1 - t**2) * (6 * t**2 - 2)], strict=True):
    np.testing.assert_allclose(found, formula, atol=1e-14)
assert derivatives[0][x.detach().numpy() > 2.5].max() < 0.03

fig, ax = plt.subplots()
for curve, label in zip([t, *derivatives], ["tanh", "tanh′", "tanh″", "tanh‴"], strict=True):
    ax.plot(x.detach().numpy(), curve, label=label)
ax.axhline(0, color="black", lw=0.5)
ax.legend(frameon=False)
plt.show()

# %% [markdown]
# Look at the orange curve: beyond $|x| = 2.5$ the slope is under 0.03, so a unit that sits there hardly learns. That is
# *saturation*, and a later notebook measures it in deep networks.
#
# ### How far to go: Newton's step
#
# The slope says which way is down; the curvature says how far. Newton replaces the function by the parabola with the same value,
# slope and curvature, and jumps to its lowest point: $x \leftarrow x - f'(x)/f''(x)$. Take $f(x) = e^x - 2x$, lowest at
# $x = \ln 2$. Near the end the error is squared at each step, $e_{k+1} \approx \tfrac12 \frac{f'''}{f''} e_k^2$, and here $f'''/f'' = 1$.


# %%
def valley(x):
    return x.exp() - 2 * x


def slope_and_curvature(x):
    (slope,) = tn.autograd.grad(valley(x), [x], create_graph=True)
    (curvature,) = tn.autograd.grad(slope, [x])
    return slope.item(), curvature.item()


newton, descent = [2.5], [2.5]
for _ in range(6):
    slope, curvature = slope_and_curvature(tn.tensor(newton[-1], dtype=tn.float64, requires_grad=True))
    newton.append(newton[-1] - slope / curvature)
    slope, _ = slope_and_curvature(tn.tensor(descent[-1], dtype=tn.float64, requires_grad=True))
    descent.append(descent[-1] - 0.15 * slope)

errors = [abs(x - math.log(2)) for x in newton]
print("Newton's error:", *(f"{e:.1e}" for e in errors))
print("e_next / e²:   ", *(f"{after / before**2:.3f}" for before, after in pairwise(errors[:6])))
assert abs(errors[4] / errors[3] ** 2 - 0.5) < 0.02
assert errors[6] < 1e-11 < 1e-3 < abs(descent[6] - math.log(2))

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6))
grid = np.linspace(0, 2.8, 200)
left.plot(grid, np.exp(grid) - 2 * grid, color="black", label="$e^x - 2x$")
for k, color in enumerate(["tab:blue", "tab:orange", "tab:green"]):
    x0 = newton[k]
    parabola = np.exp(x0) - 2 * x0 + (np.exp(x0) - 2) * (grid - x0) + np.exp(x0) / 2 * (grid - x0) ** 2
    left.plot(grid, parabola, color=color, lw=1, ls="--")
    left.plot(x0, np.exp(x0) - 2 * x0, "o", color=color, label=f"step {k}: x = {x0:.2f}")
left.axvline(math.log(2), color="gray", lw=0.5)
left.set(ylim=(-1, 8), xlabel="x", title="jump to the bottom of the parabola")
left.legend(frameon=False, fontsize=8)
right.semilogy(errors, "o-", label="Newton")
right.semilogy([abs(x - math.log(2)) for x in descent], "o-", label="gradient descent, step size 0.15")
right.set(xlabel="step", title="distance to ln 2")
right.legend(frameon=False, fontsize=8)
fig.tight_layout()
plt.show()

# %% [markdown]
# ## A formula to correct: the gradient of softmax and cross-entropy
#
# Probabilities $p = \mathrm{softmax}(z)$, a label distribution $y$, the loss $H = -\sum_i y_i \log p_i$. Some lecture notes derive
#
# $$ \frac{\partial H}{\partial z_i} = -\frac{y_i}{p_i}\cdot p_i(1-p_i) = y_i\,(p_i - 1) \qquad\text{(true for the true class only)} $$
#
# so that every wrong class would get the gradient 0. Ask the engine:

# %%
z = tn.tensor([2.0, 1.0, 0.2, -0.5, -1.0], dtype=tn.float64, requires_grad=True)
true_class = 1
y = np.eye(5)[true_class]

loss = tn.nn.functional.cross_entropy(z, tn.tensor(true_class))
(g,) = tn.autograd.grad(loss, [z])
p = tn.nn.functional.softmax(z, 0)

print("engine   ", g.numpy().round(3))
print("p - y    ", (p.detach().numpy() - y).round(3))
print("y (p - 1)", (y * (p.detach().numpy() - 1)).round(3))
np.testing.assert_allclose(g.numpy(), p.detach().numpy() - y, atol=1e-15)

fig, ax = plt.subplots(figsize=(7, 3))
classes = np.arange(5)
ax.bar(classes - 0.2, g.numpy(), 0.38, color="tab:blue", label="the engine's gradient, equal to $p_i - y_i$")
ax.bar(classes + 0.2, y * (p.detach().numpy() - 1), 0.38, color="tab:orange", label="$y_i(p_i - 1)$")
ax.axhline(0, color="black", lw=0.5)
ax.set(xlabel="class i  (the true one is 1)", ylabel="∂H / ∂z", ylim=(-1, 0.9))
ax.legend(frameon=False)
plt.show()

# %% [markdown]
# The two agree at the true class and nowhere else. What went wrong? Softmax couples all classes: raising $z_j$ lowers every other $p_i$.
# Its Jacobian has entries off the diagonal, and the chain rule sums over *all* paths (used many times, added many times):
#
# $$ \frac{\partial p_i}{\partial z_j} = p_i\,(\delta_{ij} - p_j), \qquad
#    \frac{\partial H}{\partial z_j} = \sum_i \Big(-\frac{y_i}{p_i}\Big)\, p_i\,(\delta_{ij} - p_j) = p_j \sum_i y_i - y_j = p_j - y_j $$
#
# The engine gives the Jacobian row by row. With all of it the right gradient appears; with its diagonal only, the wrong formula:

# %%
jacobian = np.stack([tn.autograd.grad(p, [z], unit, retain_graph=True)[0].numpy() for unit in tn.eye(5, dtype=tn.float64)])
p = p.detach().numpy()
np.testing.assert_allclose(jacobian, p[:, None] * (np.eye(5) - p), atol=1e-15)
np.testing.assert_allclose((-y / p) @ jacobian, p - y, atol=1e-15)  # all paths
np.testing.assert_allclose((-y / p) * np.diag(jacobian), y * (p - 1), atol=1e-15)  # the diagonal only

claim(
    "I3 softmax",
    "The derivative of softmax is ∂softmax(x_i)/∂x_i = p_i (1 − p_i).",
    "confirmed with limits",
    "True as written, on the diagonal of the Jacobian; but every other entry is −p_i p_j, not 0, and the chain rule needs them all.",
    "diagonal_error < 1e-12 and largest_elsewhere > 0.1",
    diagonal_error=np.abs(np.diag(jacobian) - p * (1 - p)).max(),
    largest_elsewhere=np.abs(jacobian - np.diag(np.diag(jacobian))).max(),
)

# %% [markdown]
# There is a check that needs no computer. Adding the same number to all $z$ does not change softmax, so the gradient must sum
# to zero. $p - y$ does: what the true class gains, the others pay. $y(p-1)$ does not. And one example proves little, so here are a
# thousand, one in each row:

# %%
assert abs(g.numpy().sum()) < 1e-15 < 0.1 < abs((y * (p - 1)).sum())

rng = np.random.default_rng(0)
scores = tn.tensor(rng.normal(0, 2, (1000, 5)), requires_grad=True)
labels = rng.integers(0, 5, 1000)
(g,) = tn.autograd.grad(tn.nn.functional.cross_entropy(scores, tn.tensor(labels), reduction="sum"), [scores])
g, p, y = g.numpy(), tn.nn.functional.softmax(scores, 1).detach().numpy(), np.eye(5)[labels]

claim(
    "I3 cross-entropy",
    "The gradient of cross-entropy after softmax is ∂H/∂x_i = y_i (p_i − 1).",
    "refuted",
    "True for the true class only: the gradient of a wrong class is p_i, not 0. The whole gradient is p − y.",
    "error_true_class < 1e-12 and error_wrong_classes > 0.1 and error_of_p_minus_y < 1e-12",
    error_true_class=np.abs(g - y * (p - 1))[y == 1].max(),
    error_wrong_classes=np.abs(g - y * (p - 1))[y == 0].mean(),
    error_of_p_minus_y=np.abs(g - (p - y)).max(),
)

# %% [markdown]
# ## A network
#
# XOR is 1 if exactly one of two inputs is 1. No straight line separates its cases, so one linear layer cannot learn it; one hidden layer
# can. Labels are $s = \pm 1$, the loss is $-\log \sigma(s\,z)$: cross-entropy for two classes, written so that it cannot overflow.

# %%
X = tn.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
s = tn.tensor([[-1.0], [1.0], [1.0], [-1.0]])


class Net(tn.nn.Module):
    def __init__(self):
        self.hidden = tn.nn.Linear(2, 4)
        self.out = tn.nn.Linear(4, 1)

    def forward(self, x):
        return self.out(self.hidden(x).tanh())


def train_step(net, optimizer):
    z = net(X)
    with tn.scope("loss"):
        loss = -(s * z).logsigmoid().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss


# %%
tn.manual_seed(0)
net = Net()
optimizer = tn.optim.SGD(net.parameters(), lr=1.0)
losses = [train_step(net, optimizer).item() for _ in range(400)]

predicted = np.sign(net(X).detach().numpy())
print(f"loss {losses[0]:.3f} at first, {losses[-1]:.3f} after 400 steps; predictions {predicted.ravel()}")
assert (predicted == s.numpy()).all()
assert losses[10] > 0.6 > 0.05 > losses[-1]  # ln 2 = 0.693 is guessing

axis = np.linspace(-0.5, 1.5, 121, dtype=np.float32)
plane = np.stack(np.meshgrid(axis, axis), -1)
with tn.no_grad():
    surface = net(tn.tensor(plane)).sigmoid().numpy()[..., 0]

fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), width_ratios=[1.4, 1])
left.semilogy(losses)
left.axhline(math.log(2), color="gray", ls="--", lw=1)
left.text(400, math.log(2) * 1.08, "guessing: ln 2", ha="right", color="gray")
left.set(xlabel="step", ylabel="loss")
image = right.contourf(axis, axis, surface, levels=np.linspace(0, 1, 11), cmap="RdBu_r")
right.contour(axis, axis, surface, levels=[0.5], colors="black", linewidths=1)
for (x1, x2), label in zip(X.tolist(), s.tolist(), strict=True):
    right.text(x1, x2, "1" if label == [1.0] else "0", color="white", weight="bold", size=14, ha="center", va="center")
right.set(xlabel="$x_1$", ylabel="$x_2$", aspect="equal", title="what the network says")
fig.colorbar(image, ax=right, label="probability of 1", ticks=[0, 0.5, 1])
fig.tight_layout()
plt.show()

# %% [markdown]
# At first the loss hardly leaves $\ln 2$. A *linear* model never gets below it: at $w = 0$ its gradient is
# $-\tfrac12 \overline{s\,x}$, which is zero for XOR, and its loss is convex, so guessing is the best that it can do. The hidden layer
# has to bend first.

# %%
linear = tn.nn.Linear(2, 1)
with tn.no_grad():
    linear.weight.zero_()
    linear.bias.zero_()
(-(s * linear(X)).logsigmoid().mean()).backward()
assert not linear.weight.grad.numpy().any()
assert not linear.bias.grad.numpy().any()

# %% [markdown]
# ## One training step, on tape
#
# Forward, backward and the optimizer's update, all of it. Find the mirror again: blue runs down, red runs up, blue-grey arrows
# carry the values that were kept. The bias of `hidden` was stretched over the batch, so opposite its `add` stands a `sum`.
# In the violet box the weights are written. (Learning rate, momentum and dampening are numbers on the tape, too, so that changing
# one changes what a replay does; `×4` means four parameters, whose equal steps share one drawing.)

# %%
twin = copy.deepcopy(net)  # for the experiment after the picture
with tn.Tape() as tape:
    loss = train_step(net, optimizer)
tn.viz.draw(tape)

# %% [markdown]
# For larger models nobody wants to see each operation. Scopes fold into single boxes; `(×4)` on an arrow counts the values on it:

# %%
tn.viz.draw(tape, depth=1)

# %% [markdown]
# ## The tape is all there is
#
# If the tape holds *everything* that the training step did, then the program is no longer needed: walking the list with plain numpy must do
# the same step, to the last bit. `tape.replay` does that: a loop over the lines of the tape that knows no gradient rule. It reads
# the weights where they are and writes them as the recorded step did, so replaying a hundred times *is* training for a hundred steps.
# A twin of the network is trained by the program meanwhile.

# %%
twin_optimizer = tn.optim.SGD(twin.parameters(), lr=1.0)
by_program = [train_step(twin, twin_optimizer).item() for _ in range(101)]
by_tape = [loss.item()] + [tape.replay(loss)[0].item() for _ in range(100)]

print(f"after 100 further steps: {by_program[-1]!r} by the program, {by_tape[-1]!r} by the tape")
assert by_program == by_tape
for ours, theirs in zip(net.parameters(), twin.parameters(), strict=True):
    assert (ours.detach().numpy() == theirs.detach().numpy()).all()

# %% [markdown]
# Every one of 101 losses and every weight is equal, bit for bit. Pictures, checks and compilers can therefore rely on the tape alone.
#
# ## What was seen
#
# - A program leaves a list of primitive operations. Walking it backward with one local rule per line gives all derivatives, for
#   the price of a few forward passes.
# - Contributions add wherever a value was read more than once: shared weights, stretched biases, coupled classes.
# - Central differences check the gradient, best near $h = \varepsilon^{1/3}$, and only in float64.
# - The backward pass is itself on the tape: it can be drawn, differentiated and replayed.
#
# ## Things to try
#
# 1. Put a Python `if` or a loop into the first function. What does the tape show, for inputs that take different branches?
# 2. Call `y.backward()` twice on the same `y`. Read the error. What does `retain_graph=True` change, and what is in `a.grad` then?
# 3. In the V curve, replace central differences by one-sided ones, $(f(x+h)-f(x))/h$. Predict the best $h$ and the slope of
#    the right arm before you run it. ($\varepsilon^{1/2}$ and 1.)
# 4. Give `cube` a rule with the right value that hides how it depends on $x$: `vjp="g * 3 * p.detach(x) ** 2"` (`p` names the
#    primitives). Which of `gradcheck` and `gradgradcheck` notices? ([Notebook 17](17_inside_the_engine.ipynb) tries
#    seven wrong rules.)
# 5. Give Newton's step a start where the curvature is tiny ($x = -4$). How far does it jump, and does it come back?
# 6. Train logits $z$ by gradient descent on $H$ with $p - y$, then with $y(p-1)$ in its place. Do both classify? Which keeps $\sum_i z_i$?
# 7. Train XOR with 2 hidden units and ten different seeds. How many fail, and what does the plane look like then?
# 8. Draw the tape of a second derivative: record the inside of `slope_and_curvature`.
#
# ## Where to look
#
# - Functions: [`Tape`](../tinygrad_notes/tape.py), [the walk back and `unbroadcast`](../tinygrad_notes/engine.py),
#   [`backward` and `grad`](../tinygrad_notes/autograd.py), [`gradcheck`](../tinygrad_notes/gradcheck.py),
#   [the rules of elementwise operations](../tinygrad_notes/ops/elementwise.py), [`replay`](../tinygrad_notes/replay.py),
#   [pictures](../tinygrad_notes/viz/__init__.py).
# - Tests: [a whole training step replays bit for bit](../tests/test_training_replay.py), [pictures](../tests/test_viz.py),
#   [this notebook](../tests/test_notebooks.py).
# - R. E. Wengert, *A simple automatic derivative evaluation program*, Communications of the ACM 7, 1964.
#   [doi](https://doi.org/10.1145/355586.364791)
# - S. Linnainmaa, *Taylor expansion of the accumulated rounding error*, BIT 16, 1976: reverse mode, found in order to
#   follow rounding errors. [doi](https://doi.org/10.1007/BF01931367)
# - D. E. Rumelhart, G. E. Hinton, R. J. Williams, *Learning representations by back-propagating errors*, Nature 323, 1986.
#   [doi](https://doi.org/10.1038/323533a0)
# - A. Griewank, A. Walther, *Evaluating Derivatives*, 2nd edition, SIAM, 2008. [doi](https://doi.org/10.1137/1.9780898717761)
# - A. G. Baydin, B. A. Pearlmutter, A. A. Radul, J. M. Siskind, *Automatic differentiation in machine learning: a survey*, Journal of
#   Machine Learning Research 18, 2018. [paper](https://jmlr.org/papers/v18/17-468.html)
