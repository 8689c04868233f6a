# The source of 17_inside_the_engine.ipynb: `python notebooks/build.py` executes it and writes the notebook.

# %% [markdown]
# # 17 · Inside the engine
#
# An autograd engine is often used as a black box that turns a loss into gradients. Here the box is opened while it runs. You
# will **see** the list that a program leaves and what each of its lines keeps in memory; walk back over it yourself, in twenty
# lines, and watch cotangents come and go; write over a value that is still needed, and read the error that prevents a wrong
# gradient; look at Jacobians and Hessians of familiar functions as pictures; add an operation of your own, break its rule in
# seven ways, and find out which checks notice; replay whole training steps from the tape; and watch memory return to zero
# without a garbage collector.
#
# 自动求导引擎常被当作黑盒：输入损失，输出梯度。本节把它打开来看。我们先读磁带，看每一行替反向传播保留了什么；
# 再用二十行代码自己走一遍反向过程；接着故意覆盖还要用到的值，读懂报错；把常见函数的雅可比矩阵和黑塞矩阵画成图；
# 自己添加一个原语，用七种方式改坏它的梯度规则，看哪些检验能发现（“数值梯度与反向传播接近，代码就正确”这句话有多可靠？）；
# 最后只凭磁带重放完整的训练步骤，并亲眼看到内存如何仅靠引用计数就全部释放。
#
# [Notebook 1](01_tape_and_backpropagation.ipynb) introduces tape, cotangent and gradient check; this one assumes them.

# %%
import copy
import gc
import tracemalloc

import matplotlib.pyplot as plt
import numpy as np
from setting import claim, quick
from sklearn.datasets import make_moons

import tinygrad_notes as tn
from tinygrad_notes.nn import functional as F
from tinygrad_notes.optable import TABLE, residuals, rule_reads
from tinygrad_notes.rules import unbroadcast


def error_of(call):
    """What a call complains about."""
    try:
        call()
    except (RuntimeError, ValueError) as error:
        return f"{type(error).__name__}: {error}"
    return "no error"


# %% [markdown]
# ## The tape of a small program
#
# One layer, and a function that reads its result twice. Scopes (`layer`, `loss`) name the parts. In the listing, operations
# stand in the order in which they were computed; everything from `%10` on was recorded while `backward` ran.

# %%
tn.manual_seed(0)
x = tn.randn(4, 3)
w = tn.randn(3, 2, requires_grad=True)
b = tn.zeros(2, requires_grad=True)

with tn.Tape() as tape:
    with tn.scope("layer"):
        h = (x @ w + b).tanh()
    with tn.scope("loss"):
        loss = (h * h.sigmoid()).sum()
    loss.backward()

tape.names.update({x._current_node(): "x", w._current_node(): "w", b._current_node(): "b"})
print(tape)

# %% [markdown]
# A listing is exact, but nobody reads a thousand lines. The same tape as a page to walk through: click a box for its formula,
# the rule of its gradient, its values and its gradient; fold a frame by its title; search. (Where this page is shown without
# its scripts, as on GitHub, the frame below stays empty; `tn.viz.explore(tape, "tape.html")` writes a file for any browser.)

# %%
tn.viz.explore(tape, title="one layer and a loss")

# %% [markdown]
# ### Hundreds of lines in one picture
#
# A recurrent network over twelve time steps, forward only, is already some seventy operations. How would you draw it so that it
# fits a page? The twelve steps are the same drawing twelve times, so they are *rolled up* into one frame, and a dashed arrow
# leads from each step to the next. With `tint="grad"`, colours tell the size of each value's gradient; a striped box stands for
# twelve values, the first step on its left. Only the *last* output is used here. Which stripes will be pale or blue?

# %%
tn.manual_seed(0)
rnn, head = tn.nn.RNN(4, 8), tn.nn.Linear(8, 1)
series, target = tn.randn(12, 2, 4), tn.ones(2, 1)


def last_output(series):
    output, _ = rnn(series)
    return output[-1]


tn.viz.draw(last_output, inputs=series, tint="grad")

# %% [markdown]
# From right to left the gradient shrinks by a factor at each step: it vanishes, and the first inputs hardly count. A whole
# training step is larger still. Now scopes are *folded* into single boxes, down to a depth; here depth 1, one box per outermost
# scope:

# %%
optimizer = tn.optim.SGD([*rnn.parameters(), *head.parameters()], lr=0.1)
with tn.Tape() as training:
    output, _ = rnn(series)
    prediction = head(output[-1])
    with tn.scope("loss"):
        loss = F.mse_loss(prediction, target)
    loss.backward()
    optimizer.step()

print(repr(training))
tn.viz.draw(training, depth=1)

# %% [markdown]
# ## One row per operation
#
# Everything the engine knows of an operation stands in one row of a table: how it computes, and for each argument a **VJP
# rule** that turns the cotangent `g` of the result into the cotangent of that argument. The *names* that a rule reads decide
# what forward must keep: `x`, `y` are the arguments, `out` is the result. Four rows:

# %%
for name in ("add", "mul", "tanh", "exp"):
    row = TABLE[name]
    rules = "   ".join(f"{arg}: {rule.expression}" for arg, rule in zip(row.args, row.vjp, strict=True))
    print(f"{name:8}{rules:54}keeps {', '.join(residuals(row, len(row.args))) or 'nothing'}")

# %% [markdown]
# An addition can forget everything at once: its derivative is 1 wherever it is taken. A product needs both factors. And tanh,
# whose derivative is $1 - \tanh^2$, needs only its own *result*, which the next operation probably keeps anyway: then it costs
# no memory at all. What do the others need? Before you look: which functions can be differentiated knowing their result alone?

# %%
NEED = {"nothing": "#d9ead3", "its result": "#fff2cc", "its arguments": "#f4cccc", "both": "#d9a0c0"}


def need(row):
    kept = residuals(row, len(row.args))
    return list(NEED)[2 * bool({*kept} - {"out"}) + ("out" in kept) if kept else 0]


rows = [row for row in TABLE.values() if any(row.vjp)]
rows.sort(key=lambda row: (list(NEED).index(need(row)), row.name))
fig, ax = plt.subplots(figsize=(9, 4.2))
for i, row in enumerate(rows):
    place = i % 9, -(i // 9)
    ax.add_patch(plt.Rectangle(place, 0.95, 0.9, color=NEED[need(row)]))
    ax.text(place[0] + 0.475, place[1] + 0.45, row.name, ha="center", va="center", size=8)
handles = [plt.Rectangle((0, 0), 1, 1, color=color, label=f"needs {what}") for what, color in NEED.items()]
ax.legend(handles=handles, ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1), frameon=False)
ax.set(xlim=(0, 9), ylim=(-((len(rows) - 1) // 9), 1))
ax.axis("off")
plt.show()

# %% [markdown]
# Green are the linear operations (moving, adding, summing) and the step functions, whose derivative is 0. Yellow are functions
# that satisfy a differential equation in themselves: $(e^x)' = e^x$, $\sigma' = \sigma(1-\sigma)$, $\sqrt{x}\,' = 1/(2\sqrt
# x)$. Lecture notes make much of the middle one: once the value of sigmoid is known, its derivative follows from the value
# alone. True? In floating point the value has a limit: 1 is reached long before the derivative is 0.

# %%
xs = np.arange(0, 41, 0.5)
relative_errors = {}
for dtype in (np.float32, np.float64):
    point = tn.tensor(xs.astype(dtype), requires_grad=True)
    (from_value,) = tn.autograd.grad(point.sigmoid().sum(), [point])
    precise = xs.astype(np.longdouble)
    truth = np.exp(-precise) / (1 + np.exp(-precise)) ** 2
    relative_errors[dtype] = np.abs(from_value.numpy() - truth) / truth
    plt.semilogy(xs, relative_errors[dtype] + 1e-18, label=dtype.__name__)
plt.axhline(1, color="gray", lw=0.7)
plt.gca().set(xlabel="x", ylabel="relative error of σ(1 − σ)", ylim=(1e-17, 10))
plt.legend(frameon=False)
plt.show()

assert residuals(TABLE["sigmoid"], 1) == ("out",)
claim(
    "A1 sigmoid",
    "Once the value of sigmoid is known, its derivative y(1 − y) is computed from it conveniently.",
    "confirmed with limits",
    "Exact to rounding near 0; to the right the relative error grows as e^x, each step costs digits, until y is 1 and the "
    "derivative is 0 (x above 17 in float32, 37 in float64).",
    "error_below_5 < 1e-4 and error_at_20 > 0.9 and error_at_20_in_float64 < 1e-6 and error_at_40_in_float64 > 0.9",
    error_below_5=relative_errors[np.float32][xs <= 5].max(),
    error_at_20=relative_errors[np.float32][xs == 20][0],
    error_at_20_in_float64=relative_errors[np.float64][xs == 20][0],
    error_at_40_in_float64=relative_errors[np.float64][xs == 40][0],
)

# %% [markdown]
# A derivative that small (under $10^{-7}$) would hardly move a weight, so the engine accepts the price.
#
# ### What is kept, measured
#
# The names above are a promise; `tracemalloc` counts bytes. A chain of a hundred equal layers on arrays of 16 KiB, and what the
# graph holds after forward, per layer:


# %%
def kept_per_layer(layer, count=100):
    """Arrays that a chain of layers keeps, per layer."""
    start = y = tn.rand(64, 64, requires_grad=True)
    layer(layer(start))  # whatever is made once is made now
    tracemalloc.start()
    for _ in range(count):
        y = layer(y)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return kept / count / start.detach().numpy().nbytes


layers = {
    "x + 1": lambda x: x + 1.0, "sum, expand": lambda x: x.sum(1, keepdim=True).expand(64, 64), "relu": tn.relu,
    "dropout": F.dropout, "tanh": tn.tanh, "sin": tn.sin, "x · x": lambda x: x * x, "softmax": lambda x: F.softmax(x, 1),
    "layer norm": lambda x: F.layer_norm(x, (64,)), "silu": F.silu, "gelu": F.gelu,
}  # fmt: skip
kept = {name: kept_per_layer(layer) for name, layer in layers.items()}
assert kept["x + 1"] < 0.1
assert all(1 <= kept[name] < 1.2 for name in ("relu", "tanh", "sin", "x · x"))

fig, ax = plt.subplots(figsize=(7, 3.2))
bars = ax.barh(list(kept), list(kept.values()), color="tab:blue")
ax.bar_label(bars, fmt=" %.1f", size=8)
ax.set(xlabel="arrays kept per layer, in units of the layer's result", xlim=(0, 6))
ax.invert_yaxis()
plt.show()

# %% [markdown]
# Why does `x · x`, which keeps its argument, cost no more than tanh, which keeps its result? In a chain the argument of one is
# the result of another: one array, kept twice, counted once. A composite keeps what its primitives keep. gelu is made of six,
# two of which only guard against infinities; that is the price for writing no derivative by hand.
#
# ### Memory for time: checkpoints
#
# If memory runs out, forget on purpose and compute again. A chain of $n$ layers is cut into segments; forward keeps only the
# borders, backward runs each segment once more. With $s$ segments about $s + n/s$ arrays are alive at the worst moment. Where
# is the best $s$ for $n = 100$?

# %%
chain = [tn.nn.Tanh() for _ in range(100)]
start = tn.randn(64, 64, requires_grad=True)


def peak(segments):
    """The most arrays that were alive during forward and backward."""
    start.grad = None
    tracemalloc.start()
    tn.utils.checkpoint.checkpoint_sequential(chain, segments, start).sum().backward()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most / start.grad.numpy().nbytes, start.grad.numpy()


peak(2)
segments = [1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 25, 33, 50, 100]
peaks, gradients = zip(*(peak(s) for s in segments), strict=True)
assert all((g == gradients[0]).all() for g in gradients)  # the same gradient, bit for bit
assert peaks[0] > 100 > 35 > min(peaks)
assert 5 <= segments[int(np.argmin(peaks))] <= 20

fig, ax = plt.subplots()
s = np.linspace(1, 100, 400)
ax.plot(s, s + 100 / s, color="gray", lw=1, ls="--", label="s + n / s")
ax.plot(segments, peaks, "o-", label="measured")
ax.set(xlabel="segments s", ylabel="arrays alive at most", xscale="log", ylim=(0, None))
ax.legend(frameon=False)
plt.show()

# %% [markdown]
# Lowest near $\sqrt{100} = 10$: a quarter of the memory for one more forward pass (Chen et al. 2016).
#
# ## Walking back, node by node
#
# Now the walk itself. A node knows its operation, its inputs and what was kept; a table of cotangents begins with one entry.
# Take the *newest* node that has a cotangent: whatever read it is newer still and has had its turn, so its cotangent is
# complete. Run its rules, add what they return to the inputs' entries, drop its own entry. That is all there is.


# %%
def walk(loss):
    """The gradients of all leaves below ``loss``, and the story: at which step each cotangent was begun and used up."""
    cotangents = {loss.grad_fn: np.ones(loss.shape, loss.dtype)}
    leaves, begun, story = {}, {loss.grad_fn: 0}, []
    while cotangents:
        node = max(cotangents, key=lambda node: node.seq)  # the newest
        g = cotangents.pop(node)
        story.append((node, begun[node], len(story)))
        if node.op.kind == "leaf":
            leaves[node] = g
            continue
        kept = dict(zip(residuals(node.op, len(node.inputs)), node.saved or (), strict=True))
        for position, source in enumerate(node.inputs):
            rule = node.op.rule_for(position)
            if rule is not None and source.rg:
                contribution = rule(*(value(name, node, g, kept) for name in rule_reads(rule)))
                contribution = unbroadcast(contribution, source.shape)  # what was stretched is summed
                cotangents[source] = cotangents[source] + contribution if source in cotangents else contribution
                begun.setdefault(source, len(story) - 1)
    return leaves, story


def value(name, node, g, kept):
    """What a rule means by a name."""
    known = {"g": g, **kept, **node.params}
    if name in known:
        return known[name]
    argument, attribute = name.rsplit("_", 1)  # x_shape
    return getattr(node.inputs[node.op.args.index(argument)], attribute)


w.grad = b.grad = None
h = (x @ w + b).tanh()
loss = (h * h.sigmoid()).sum()
by_hand, story = walk(loss)
loss.backward()
for leaf in (w, b):
    assert (by_hand[leaf._current_node()] == leaf.grad.numpy()).all()  # bit for bit

alive = [sum(first <= step <= last for _, first, last in story) for step in range(len(story))]
assert max(alive) == 3

names = {w._current_node(): "leaf w", b._current_node(): "leaf b"}
fig, ax = plt.subplots(figsize=(7, 3.2))
for i, (_, first, last) in enumerate(story):
    ax.barh(i, last - first + 1, left=first, color="tab:red", alpha=0.35)
    ax.barh(i, 1, left=last, color="tab:red")
ax.set_yticks(range(len(story)), [names.get(node, f"{node.op.name} {node.shape}") for node, *_ in story], size=8)
ax.set(xlabel="step of the walk", xlim=(0, len(story)))
ax.invert_yaxis()
plt.show()

# %% [markdown]
# Each row is a cotangent: pale from its first contribution until its node's turn, red at its turn. `tanh` is read twice, by
# `mul` and by `sigmoid`; it receives twice (steps 1 and 2) and waits. At most three cotangents are alive at once here, though
# eight are computed.
#
# ### Why a counter, and not recursion
#
# "Newest first" needs no search of the graph and no recursion. That matters: a network over a long sequence is a deep graph.

# %%
start = y = tn.tensor([0.5, 1.0], requires_grad=True)
for _ in range(quick(50_000, 5_000)):
    y = (y + 1e-6) * 1.0


def depth(node):
    return 1 + max((depth(source) for source in node.inputs), default=0)


def recursive():
    try:
        return depth(y.grad_fn)
    except RecursionError as error:
        return f"RecursionError: {error}"


print("by recursion:", recursive())
y.sum().backward()
print("by the engine:", start.grad.numpy())
assert start.grad.tolist() == [1, 1]

# %% [markdown]
# ## Writing over what is needed
#
# Tensors can be written in place. Then an array that some rule will read may no longer hold what it held. Such a residual is
# **stale**; to use it would give a wrong gradient, without any sign of it. Six programs, each followed by `y.sum().backward()`.
# Three of them must not pass. Which? (Recall what `add`, `exp`, `sin` and `mul` keep.)

# %%
programs = [
    "y = x + 1;   y.mul_(2)",
    "y = x.exp(); y.mul_(2)",
    "y = x.sin(); y.mul_(2)",
    "y = x.exp(); y = y.clone().mul_(2)",
    "t = 2 * x;   y = t * t;   t.zero_()",
    "y = x * x;   x.data.add_(1)",
]


def run(program):
    names = {"x": tn.tensor([0.5, 1.0, 2.0], requires_grad=True)}
    exec(program, names)
    names["y"].sum().backward()


answers = [error_of(lambda program=program: run(program)) for program in programs]
for program, answer in zip(programs, answers, strict=True):
    print(f"{program:40}{answer}\n")
assert [answer == "no error" for answer in answers] == [True, False, True, True, False, False]

# %% [markdown]
# Whether a write is harmless depends on the *reader*: sin kept its argument, so its result may be overwritten; exp kept its
# result. The engine stamps each block of memory with the number of its last write, from the same counter that numbers the
# nodes: stale is what was written after the node that kept it. The last program reaches the memory by another Tensor, where
# PyTorch looks away; memory is memory. Only a write by numpy itself, behind the engine's back, goes unseen:

# %%
x = tn.tensor([0.5, 1.0, 2.0], requires_grad=True)
y = x * x
x.detach().numpy()[:] = 100.0
y.sum().backward()
print("gradient of x² at 0.5, 1, 2, they say:", x.grad.numpy())  # never do this

# %% [markdown]
# ## Views: two names, one memory
#
# `m[0]` and `m.T` are **views**: no numbers are copied. Write into a view and the base changes; for the gradient the base must
# then be a *new value*, computed from the old one and from what was written. On the tape a write is therefore an operation like
# any other: `assign(base, value)`, with the path of views that leads to the place.

# %%
x = tn.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], requires_grad=True)
with tn.Tape() as tape:
    m = x * 1.0
    m[0].mul_(10.0)  # the first row, ten times
    m.T[2] = 0.0  # the last column, by way of the transposed matrix
    loss = (m * m).sum() / 2

print(tape)
loss.backward()
assert x.grad.tolist() == [[100, 200, 0], [4, 5, 0]]

fig, axes = plt.subplots(1, 3, figsize=(7.5, 1.6))
for ax, (name, numbers) in zip(
    axes, (("x", x.detach()), ("m, after both writes", m.detach()), ("x.grad", x.grad)), strict=True
):
    ax.imshow(np.log1p(numbers), cmap="YlOrBr", vmin=0, vmax=7)
    for (i, j), number in np.ndenumerate(numbers.numpy()):
        ax.text(j, i, f"{number:.0f}", ha="center", va="center")
    ax.set(title=name, xticks=[], yticks=[])
plt.show()

# %% [markdown]
# Follow one number: $x_{00} = 1$ was multiplied by 10 and squared, so its gradient is $10 \cdot 10 \cdot 1$. The last column
# was overwritten: nothing of $x$ is left there, the gradient is 0.
#
# ## Gradients of gradients
#
# The walk back is made of primitives, so it can be recorded and walked back in turn. How many derivatives can one take? Here
# eight of $f(x) = e^{\sin x}$ at $x = 1$, each the gradient of the one before. Put together they are the Taylor polynomials
# of $f$ around 1 (left); on the right is what each derivative costs.

# %%
ORDERS = 8
at = tn.tensor(1.0, dtype=tn.float64, requires_grad=True)
with tn.Tape() as tape:
    derivatives, recorded = [at.sin().exp()], [len(tape)]
    for _ in range(ORDERS):
        derivatives += tn.autograd.grad(derivatives[-1], [at], create_graph=True)
        recorded.append(len(tape) - sum(recorded))

around = np.linspace(-2, 4, 300)
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), width_ratios=[1.6, 1])
polynomial, factorial = np.zeros_like(around), 1.0
for k, derivative in enumerate(derivatives):
    factorial *= max(k, 1)
    polynomial = polynomial + derivative.item() * (around - 1) ** k / factorial
    if k in (1, 2, 4, 8):
        left.plot(around, polynomial, color=plt.cm.viridis(1 - k / 9), label=f"{k} derivative{'s' * (k > 1)}")
left.plot(around, np.exp(np.sin(around)), color="black", lw=2, label="$e^{\\sin x}$")
left.plot(1, np.exp(np.sin(1)), "o", color="black")
left.set(ylim=(-1, 4.5), xlabel="x")
left.legend(frameon=False, fontsize=8, loc="lower center")
right.semilogy(range(ORDERS + 1), recorded, "o-")
right.set(xlabel="derivative", ylabel="operations recorded for it")
fig.tight_layout()
plt.show()

assert abs(derivatives[3].item() - np.exp(np.sin(1)) * (np.cos(1) ** 3 - 3 * np.sin(1) * np.cos(1) - np.cos(1))) < 1e-13

# %% [markdown]
# Each derivative is exact, but each costs a constant factor more than the one before: the graph of a gradient is two or three
# times the graph of its function. Two or three orders are cheap; for eight one would use Taylor arithmetic.
#
# ## Jacobians as pictures
#
# A function of $n$ numbers with $m$ results has $m \times n$ derivatives. `tn.func.jacobian` computes all of them; and what a
# function *does* is often plainer in this picture than in its formula. Rows are outputs, columns are inputs, red is positive,
# blue negative. Cover the titles: can you tell which is which?

# %%
tn.manual_seed(3)
kernel = tn.tensor([[[-1.0, 2.0, -1.0]]])
functions = {
    "relu": tn.relu,
    "flip": lambda x: x.flip(0),
    "cumulative sum": lambda x: x.cumsum(0),
    "difference": lambda x: x[1:] - x[:-1],
    "convolution": lambda x: F.conv1d(x[None, None], kernel, padding=1)[0, 0],
    "sort": lambda x: x.sort()[0],
    "softmax": lambda x: F.softmax(x, 0),
    "layer norm": lambda x: F.layer_norm(x, (16,)),
    "max pooling": lambda x: F.max_pool1d(x[None], 4)[0],
    "outer product": lambda x: tn.outer(x[:4], x[4:8]).reshape(-1),
}
x = tn.randn(16)
fig, axes = plt.subplots(2, 5, figsize=(9, 4))
for ax, (name, function) in zip(axes.flat, functions.items(), strict=True):
    jacobian = tn.func.jacobian(function)(x).numpy()
    ax.imshow(jacobian, cmap="RdBu_r", vmin=-(top := abs(jacobian).max()), vmax=top, aspect="auto")
    ax.set_title(name, size=9)
    ax.set(xticks=[], yticks=[])
fig.tight_layout()
plt.show()

# %% [markdown]
# Elementwise functions are diagonal, permutations have one entry per row, causal functions are triangular, normalisations
# couple everything. Backpropagation never builds such a matrix: a VJP rule multiplies a row vector by it. `relu`'s rule is one
# product per element, not $n^2$.
#
# A Hessian is the Jacobian of the gradient. Often one does not need the matrix either, only its product with a vector, `hvp`:
# one more walk instead of $n$. The Rosenbrock function couples neighbours only; a small network couples every
# weight with every other (black lines part its layers; colours show cube roots, so that small entries are seen):


# %%
def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


inputs, targets = tn.randn(20, 3).double(), tn.randn(20, 1).double()


def network(weights):
    """3 → 4 → 1, its 21 weights in one vector."""
    hidden = (inputs @ weights[:12].reshape(3, 4) + weights[12:16]).tanh()
    return ((hidden @ weights[16:20].reshape(4, 1) + weights[20] - targets) ** 2).mean()


fig, axes = plt.subplots(1, 2, figsize=(7, 3.4))
for ax, (function, name) in zip(axes, ((rosenbrock, "Rosenbrock"), (network, "network 3 → 4 → 1")), strict=True):
    point, v = tn.randn(21).double(), tn.randn(21).double()
    hessian = tn.func.hessian(function)(point)
    _, (product,) = tn.func.hvp(function, (point,), (v,))
    np.testing.assert_allclose(product.numpy(), hessian.numpy() @ v.numpy(), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(hessian.numpy(), hessian.numpy().T, rtol=1e-9, atol=1e-9)
    shown = np.cbrt(hessian.numpy())  # so that small entries are seen
    ax.imshow(shown, cmap="RdBu_r", vmin=-abs(shown).max(), vmax=abs(shown).max())
    ax.set_title(f"Hessian of {name}", size=9)
    ax.set(xticks=[], yticks=[])
for border in (12, 16, 20):
    axes[1].axhline(border - 0.5, color="black", lw=0.8)
    axes[1].axvline(border - 0.5, color="black", lw=0.8)
axes[1].set_xticks([5.5, 13.5, 18], ["weights 1", "bias 1", "layer 2"], size=8)
axes[1].tick_params(length=0)
fig.tight_layout()
plt.show()

# %% [markdown]
# ### One gradient per example
#
# Training sums the gradients of a batch; sometimes one wants each by itself: to find odd examples, to clip each, to measure
# noise. `vmap` turns "gradient for one example" into "gradients for all", without a loop: each primitive runs once, for the
# whole batch.

# %%
points, labels = make_moons(200, noise=0.2, random_state=0)
points, labels = tn.tensor(points, dtype=tn.float32), tn.tensor(labels)
tn.manual_seed(0)
net = tn.nn.Sequential(tn.nn.Linear(2, 16), tn.nn.Tanh(), tn.nn.Linear(16, 2))
adam = tn.optim.Adam(net.parameters(), lr=0.05)
for _ in range(quick(200, 20)):
    adam.zero_grad()
    F.cross_entropy(net(points), labels).backward()
    adam.step()


def loss_of_one(parameters, point, label):
    return F.cross_entropy(tn.func.functional_call(net, parameters, (point,)), label)


parameters = {name: p.detach() for name, p in net.named_parameters()}
each = tn.func.vmap(tn.func.grad(loss_of_one), in_dims=(None, 0, 0))(parameters, points, labels)
size = sum((g.reshape(200, -1) ** 2).sum(1) for g in each.values()).sqrt().numpy()

alone = tn.func.grad(loss_of_one)(parameters, points[7], labels[7])
for name, g in each.items():
    np.testing.assert_allclose(g[7].numpy(), alone[name].numpy(), rtol=1e-4, atol=1e-6)

grid = np.stack(np.meshgrid(np.linspace(-1.7, 2.7, 100), np.linspace(-1.3, 1.8, 80)), -1)
with tn.no_grad():
    surface = F.softmax(net(tn.tensor(grid, dtype=tn.float32)), -1).numpy()[..., 1]
fig, ax = plt.subplots(figsize=(7, 3.8))
ax.contour(grid[..., 0], grid[..., 1], surface, levels=[0.5], colors="black", linewidths=1)
for label, marker in ((0, "o"), (1, "s")):
    own = labels.numpy() == label
    spots = ax.scatter(*points.numpy()[own].T, c=size[own], marker=marker, s=22, cmap="YlOrRd", vmin=0, vmax=size.max(),
                       edgecolor="gray", linewidth=0.4)  # fmt: skip
fig.colorbar(spots, label="norm of its own gradient")
ax.set(xlabel="$x_1$", ylabel="$x_2$", title="two classes (circle, square), the learned border, and who still pulls at it")
plt.show()

# %% [markdown]
# Black is where the network is undecided. Far from it the examples are learned and no longer pull; near it, and on the wrong
# side, they do.
#
# ## An operation of your own
#
# `tn.primitive` adds a row to the table: a numpy function, and a rule per argument. The rule may be text; it is written in
# operators and in primitives (`p.sqrt`), so that it can be differentiated itself. Our example squashes numbers into $(-1, 1)$:
#
# $$ s(x) = \frac{x}{\sqrt{1 + x^2}}, \qquad s'(x) = \frac{1}{(1 + x^2)\sqrt{1 + x^2}} $$


# %%
def squash_with(rule, **more):
    """The row, with any rule; declaring it again replaces it."""
    return tn.primitive("squash", lambda x: x / np.sqrt(1 + x * x), vjp=rule, **more)


RIGHT = "g / (1 + x * x) / p.sqrt(1 + x * x)"
squash = squash_with(RIGHT)
tn.testing.check_primitive(squash)  # values, shapes, memory layouts, both orders of derivative, replay, vmap

x = tn.tensor(np.linspace(-4, 4, 5), requires_grad=True)
with tn.Tape() as tape:
    (slope,) = tn.autograd.grad(squash(x).sum(), [x], create_graph=True)
(curvature,) = tn.autograd.grad(slope.sum(), [x])
print(tape)
np.testing.assert_allclose(curvature.numpy(), -3 * x.detach().numpy() / (1 + x.detach().numpy() ** 2) ** 2.5, atol=1e-15)

# %% [markdown]
# The new row is recorded, drawn, replayed, mapped and differentiated like any other, twice here: $s'' = -3x\,(1 + x^2)^{-5/2}$.
#
# ### Breaking it on purpose
#
# Some lecture notes advise: compute the gradient numerically as well; *if the two are close, the code of backpropagation is
# right*. Good advice, but how good is the check? Seven rules with typical mistakes meet four checks. `gradcheck` compares the
# Jacobian with central differences, `gradgradcheck` does so for the gradient's gradient. Which of the seven pass at $x = 0$?
# Does any check catch all?

# %%
broken = {
    "a factor is missing": "g / p.sqrt(1 + x * x)",
    "a factor too much": "2 * g / (1 + x * x) / p.sqrt(1 + x * x)",
    "wrong sign inside": "g / (1 - x * x) / p.sqrt(1 + x * x)",
    "the cotangent is forgotten": "0 * g + 1 / (1 + x * x) / p.sqrt(1 + x * x)",
    "the cotangent is squared": "g * g / (1 + x * x) / p.sqrt(1 + x * x)",
    "x is hidden from the second order": "g / (1 + p.detach(x * x)) / p.sqrt(1 + p.detach(x * x))",
    "0 / 0 at x = 0": "g * (out / x) ** 3",
}
zero = tn.zeros(1, dtype=tn.float64, requires_grad=True)
three = tn.tensor([-1.3, 0.4, 2.0], dtype=tn.float64, requires_grad=True)


def passes_all_checks(row):
    try:
        tn.testing.check_primitive(row)
    except AssertionError:
        return False
    return True


checks = {
    "gradcheck\nat x = 0": lambda row: tn.autograd.gradcheck(row, [zero], raise_exception=False),
    "gradcheck\nat 3 points": lambda row: tn.autograd.gradcheck(row, [three], raise_exception=False),
    "gradcheck and\ngradgradcheck\nat 3 points": lambda row: (
        tn.autograd.gradcheck(row, [three], raise_exception=False)
        and tn.autograd.gradgradcheck(row, [three], raise_exception=False)
    ),
    "check_primitive": passes_all_checks,
}
passed = np.array([[check(squash_with(rule)) for check in checks.values()] for rule in (*broken.values(), RIGHT)])

fig, ax = plt.subplots(figsize=(7, 3.6))
good = passed == (np.arange(8) == 7)[:, None]
ax.imshow(good, cmap="RdYlGn", vmin=-0.6, vmax=1.6, aspect="auto")
for (i, j), ok in np.ndenumerate(passed):
    ax.text(j, i, "passes" if ok else "caught", ha="center", va="center", weight=None if good[i, j] else "bold", size=9)
ax.set_xticks(range(len(checks)), checks, size=8)
ax.set_yticks(range(8), [*broken, "the right rule"], size=8)
ax.axhline(6.5, color="white", lw=4)
ax.tick_params(length=0, labeltop=True, labelbottom=False)
ax.spines[:].set_visible(False)
plt.show()

# %%
wrong = passed[:-1]
claim(
    "A2 gradient check",
    "If the numerical gradient and that of backpropagation differ little, the code of backpropagation is right.",
    "confirmed with limits",
    "Of seven wrong rules three pass at one unlucky point and two at three others; with the second order one still passes, which is "
    "wrong at a single point. No check found all; several points, edges included, and both orders together did.",
    "missed_at_zero >= 2 and missed_at_three_points == 2 and missed_with_second_order == 1 and missed_by_all == 0 and right == 1",
    missed_at_zero=wrong[:, 0].sum(),
    missed_at_three_points=wrong[:, 1].sum(),
    missed_with_second_order=wrong[:, 2].sum(),
    missed_by_all=wrong.all(1).sum(),
    right=passed[-1].all(),
)

# %% [markdown]
# At 0, rules that differ only by a factor $1 + x^2$ agree. Squaring the cotangent goes unseen by unit vectors ($1^2 = 1$), so
# `gradcheck` also tries a cotangent that is none. The sixth rule has the right *value* everywhere, yet hides how it depends on
# $x$: only the second order tells. And the seventh, $s' = (s/x)^3$, is right everywhere but at 0, where it is $0/0$; the
# generated checks avoid 0, where many functions have their kinks. A row can state what must hold at such a point, and then it
# is checked there:

# %%
squash = squash_with(broken["0 / 0 at x = 0"], special=(((0.0,), 0.0, (1.0,)),))  # at 0: the value 0, the gradient 1
try:
    tn.testing.check_primitive(squash)
except AssertionError as error:
    print(error)
assert not passes_all_checks(squash)

# %% [markdown]
# ### Wrong on purpose
#
# Not every rule that fails the check is a mistake. To train a network with weights in $\{-1, 1\}$ one rounds in forward and, in
# backward, *pretends* not to have rounded (the straight-through estimator, Bengio et al. 2013): the true derivative is 0 almost
# everywhere and teaches nothing. A fit of $y = \mathrm{sign}(w)\cdot x$ with eight hidden signs:

# %%
binary = tn.primitive("binary", lambda w: np.where(w < 0, -1.0, 1.0).astype(w.dtype), args="w", vjp="g")
assert not tn.autograd.gradcheck(binary, [three], raise_exception=False)  # of course

tn.manual_seed(1)
signs = tn.where(tn.rand(8) < 0.5, -1.0, 1.0)
data = tn.randn(64, 8)
errors = {}
for name, rounded in (("straight through", binary), ("true derivative", lambda w: tn.where(w < 0, -1.0, 1.0) + 0 * w)):
    weights = (0.1 * tn.randn(8)).requires_grad_()
    sgd = tn.optim.SGD([weights], lr=0.02)
    errors[name] = []
    for _ in range(40):
        sgd.zero_grad()
        loss = ((data @ rounded(weights) - data @ signs) ** 2).mean()
        loss.backward()
        sgd.step()
        errors[name].append(loss.item())
assert errors["straight through"][-1] == 0 < errors["true derivative"][-1] == errors["true derivative"][0]

for name, values in errors.items():
    plt.plot(values, label=name)
plt.gca().set(xlabel="step", ylabel="mean squared error")
plt.legend(frameon=False)
plt.show()

# %% [markdown]
# ## Hooks: looking on, and taking part
#
# A hook is called when a value's cotangent is complete. It may look, or return another cotangent, which then flows on. Hooks
# fire in the order of the walk, so they are a way to see it:

# %%
x = tn.randn(4, 3)
seen = []
h1 = (x @ w).tanh()
h2 = (h1 * h1).sum(1)
loss = h2.exp().sum()
for name, t in (("h1", h1), ("h2", h2), ("w", w)):
    t.register_hook(lambda g, name=name: seen.append((name, g.abs().max().item())))
limit = h2.register_hook(lambda g: g.clamp(max=1.0))  # comes after the other hook of h2: what flows on is limited
loss.backward()
limit.remove()
print(*(f"{name}: largest cotangent {size:.3f}" for name, size in seen), sep="\n")
assert [name for name, _ in seen] == ["h2", "h1", "w"]

# %% [markdown]
# ## Where did the NaN come from?
#
# The length of a vector, $\sqrt{\sum x_i^2}$, at the origin: forward is 0, which is right; the gradient is NaN, and from there
# it spreads through every weight. In anomaly mode each operation is looked at, and the first that goes wrong is named with its
# line:

# %%
x = tn.zeros(3, requires_grad=True)


def length():
    squares = x * x
    return squares.sum().sqrt()


def watched():
    with tn.autograd.detect_anomaly():
        length().backward()


length().backward()
print("gradient:", x.grad.numpy())
complaint = error_of(watched)
print(complaint)
assert "sqrt" in complaint
assert "]:6:" in complaint  # the line of the cell: In[26]:6

# %% [markdown]
# $\sqrt{\cdot}$ has the slope $1/(2\cdot 0) = \infty$ there, and $\infty \cdot 2x = \infty \cdot 0$ is NaN: the chain rule
# taken literally. A small $\varepsilon$ helps: $\sqrt{\varepsilon + \sum x_i^2}$. (`tn.linalg.vector_norm` knows the case, and
# says 0.)
#
# ## Training from the tape alone
#
# [Notebook 1](01_tape_and_backpropagation.ipynb) replayed plain descent. Now everything that has a state: dropout, whose random
# numbers go on from draw to draw; Adam, with its moments and its count of steps; a new batch at every step, fed in; and halfway
# the learning rate is changed, from outside. One tape, recorded once, against the program:

# %%
batches = tn.tensor(np.stack(np.split(points.numpy()[:192], 6))), tn.tensor(np.stack(np.split(labels.numpy()[:192], 6)))


def new_net():
    net = tn.nn.Sequential(tn.nn.Linear(2, 32), tn.nn.ReLU(), tn.nn.Dropout(0.3), tn.nn.Linear(32, 2))
    return net, tn.optim.Adam(net.parameters(), lr=0.02)


def step(net, adam, x, y):
    adam.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    adam.step()
    return loss


steps = quick(120, 24)
tn.manual_seed(5)
net, adam = new_net()
twin, twin_adam = new_net()
twin.load_state_dict(copy.deepcopy(net.state_dict()))

tn.manual_seed(6)
by_program = []
for i in range(steps):
    if i == steps // 2:
        adam.param_groups[0]["lr"] = 0.005
    by_program.append(step(net, adam, batches[0][i % 6], batches[1][i % 6]).item())

tn.manual_seed(6)
x, y = batches[0][0].clone(), batches[1][0].clone()
with tn.Tape() as tape:
    loss = step(twin, twin_adam, x, y)
by_tape = [loss.item()]
for i in range(1, steps):
    if i == steps // 2:
        twin_adam.param_groups[0]["lr"] = 0.005
    (again,) = tape.replay(loss, feed={x: batches[0][i % 6].numpy(), y: batches[1][i % 6].numpy()})
    by_tape.append(again.item())

assert by_tape == by_program
assert all((p.detach().numpy() == q.detach().numpy()).all() for p, q in zip(net.parameters(), twin.parameters(), strict=True))
print(f"{steps} steps from a tape of {len(tape)} operations: every loss and every weight equal, bit for bit")

fig, ax = plt.subplots()
ax.plot(by_program, color="tab:blue", lw=4, alpha=0.35, label="by the program")
ax.plot(by_tape, "k.", ms=3, label="by the tape")
ax.axvline(steps // 2, color="gray", ls="--", lw=1)
ax.text(steps // 2, max(by_program), "learning rate changed ", va="top", ha="right", color="gray")
ax.set(xlabel="step", ylabel="loss")
ax.legend(frameon=False, loc="upper right")
plt.show()

# %% [markdown]
# ## Where the memory goes, and who frees it
#
# A graph holds arrays; when is it given back? Python counts references and frees at once what nobody holds; only *cycles* wait
# for the garbage collector. Many small engines put a closure into each result that refers to that result: a cycle. Here nodes
# never refer to their Tensors, and arrows lead only from newer to older. We switch the collector off and watch both for a few
# steps.


# %%
class Value:
    """The usual little engine: each result holds a function that holds the result."""

    def __init__(self, array):
        self.array, self.grad, self.backward = array, np.zeros_like(array), None

    def tanh(self):
        out = Value(np.tanh(self.array))

        def backward():
            self.grad = self.grad + out.grad * (1 - out.array**2)

        out.backward = backward
        return out


def closures(held):
    start = Value(np.ones((64, 64)))
    values = [start]
    for _ in range(50):
        values.append(values[-1].tanh())
        yield
    values[-1].grad += 1
    for v in reversed(values[1:]):
        v.backward()
        yield


def tape_engine(held):
    y = tn.ones(64, 64, dtype=tn.float64, requires_grad=True)
    for _ in range(50):
        y = y.tanh()
        yield
    y.sum().backward()
    yield


def state_carried_on(held):
    y = held.get("state", tn.ones(64, 64, dtype=tn.float64, requires_grad=True))
    for _ in range(50):
        y = y.tanh()
        yield
    held["state"] = y  # without detach(): the next step's graph goes on from this one's
    yield


def memory(engine, steps=4):
    """MiB that are alive, moment by moment, without a garbage collector."""
    held, found = {}, []
    for _ in engine(held):
        pass  # what is made once
    held.clear()
    gc.collect()
    gc.disable()
    tracemalloc.start()
    for _ in range(steps):
        found += [tracemalloc.get_traced_memory()[0] for _ in engine(held)]
        found.append(tracemalloc.get_traced_memory()[0])  # after the step
    tracemalloc.stop()
    gc.enable()
    held.clear()
    gc.collect()
    return np.array(found) / 2**20


curves = {
    "closures that refer to their results": memory(closures),
    "this engine": memory(tape_engine),
    "this engine, state carried on without detach()": memory(state_carried_on),
}
for (name, found), color in zip(curves.items(), ("tab:gray", "tab:blue", "tab:orange"), strict=True):
    plt.plot(np.linspace(0, 4, len(found)), found, color=color, label=name)
plt.gca().set(xlabel="training step", ylabel="MiB alive", ylim=(0, None))
plt.legend(frameon=False, fontsize=8)
plt.show()
closed, ours, carried = curves.values()
assert ours[-1] < 0.1 < 1 < ours.max() < 2  # 50 arrays of 32 KiB, and back to nothing
assert closed[-1] > 4 * ours.max()
assert carried[-1] > 3.5 * ours.max()

# %% [markdown]
# The blue saw returns to zero at each step, by counting alone. Grey climbs until a collector comes by (which then has to visit
# every object there is). Orange is no leak of the engine: the state holds its history, as it must, since a gradient could be
# asked for. That is what *truncated* backpropagation through time cuts with `detach()`.
#
# ## What was seen
#
# - A row of the table says all of an operation; the names that its rules read say what forward keeps: nothing for linear
#   operations, the result where a function is described by its own value, else the arguments.
# - The walk back is a loop over the newest node first. It needs no recursion, and adding up is all it does with what rules
#   return.
# - Stale values are noticed by the number of their last write, by whatever Tensor it came. A write to a view is a new value of
#   its base.
# - A gradient check is as good as its points and its order: none alone caught all seven mistakes, all together did.
# - The tape holds whole training steps, random numbers, moments and learning rate included. Reference counting frees it.
#
# ## Things to try
#
# 1. `walk` takes the newest node by `max`, which looks at every entry. Take a heap (`heapq`), and time both on a chain and on a
#    wide graph.
# 2. Let `walk` drop `node.saved` after use. What does a second walk over the same graph say, and what does `backward` twice?
# 3. Add `relu` to the table under another name with the rule `g * out` (a typical slip). Which check finds it, and at which
#    inputs?
# 4. `tn.primitive` with `np.floor` and `vjp="g"`: which checks complain, and would you use it in training? What does our own
#    row `floor` say?
# 5. Draw the Jacobian of `F.batch_norm` in training mode, of attention, of an LSTM from its input series to its last output.
# 6. Count the operations of `tn.func.hvp` and of `tn.func.hessian` on a Tape for 10, 100 and 1,000 numbers. How does each grow?
# 7. Checkpoint the segments themselves (a chain of chains). Can you get below $2\sqrt n$ arrays? ($n^{1/3}$ per level, for two
#    more passes.)
# 8. Register a hook that returns `-g` between a feature extractor and one of two heads: gradient reversal (Ganin & Lempitsky
#    2015). What does the extractor unlearn?
#
# ## Where to look
#
# - Code: [rows](../tinygrad_notes/ops/elementwise.py), [what a row is](../tinygrad_notes/optable.py), [your
#   own](../tinygrad_notes/custom.py), [the walk](../tinygrad_notes/engine.py), [generated backward
#   functions](../tinygrad_notes/rules.py), [writes and staleness](../tinygrad_notes/storage.py),
#   [checks](../tinygrad_notes/testing.py), [anomaly mode](../tinygrad_notes/anomaly.py), [replay](../tinygrad_notes/replay.py),
#   [vmap](../tinygrad_notes/func/vmap.py), [the explorer](../tinygrad_notes/viz/explore.py).
# - Tests: [broken rules are caught](../tests/test_mutants.py), [memory](../tests/test_memory.py), [in-place
#   writes](../tests/test_inplace.py), [training from the tape](../tests/test_training_replay.py). What differs from PyTorch:
#   [limits](../docs/limits.md).
# - T. Chen, B. Xu, C. Zhang, C. Guestrin, *Training deep nets with sublinear memory cost*, 2016.
#   [arXiv](https://arxiv.org/abs/1604.06174)
# - Y. Bengio, N. Léonard, A. Courville, *Estimating or propagating gradients through stochastic neurons*, 2013.
#   [arXiv](https://arxiv.org/abs/1308.3432)
# - B. A. Pearlmutter, *Fast exact multiplication by the Hessian*, Neural Computation 6, 1994.
#   [doi](https://doi.org/10.1162/neco.1994.6.1.147)
# - A. Griewank, A. Walther, *Evaluating Derivatives*, 2nd edition, SIAM, 2008. [doi](https://doi.org/10.1137/1.9780898717761)
# - Y. Ganin, V. Lempitsky, *Unsupervised domain adaptation by backpropagation*, 2015. [arXiv](https://arxiv.org/abs/1409.7495)
