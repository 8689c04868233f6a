# The source of 08_initialisation.ipynb: `python notebooks/build.py 08_initialisation` executes it and writes the notebook.

# %% [markdown]
# # 8 · The first weights
#
# Before a network has learned anything, somebody has to write numbers into its weights. This notebook shows how much hangs on
# them. You will see a network of 32 units that, started at zero, is exactly a network of *one* unit, and stays so for as long
# as it is trained; a signal that dies on its way through thirty layers, and another that explodes, both as a single formula
# predicts; units that are 90 % saturated while their gradients *explode*, which is not what one is usually told; and a map,
# depth against the size of the first weights, on which the region where training works is drawn by that same formula. Xavier
# and He are two vertical lines on the map.
#
# 网络在学习之前，总要先给权重填上一些数。填什么数，影响很大。本节先看全零初始化：32 个神经元从零出发，训练到最后仍然与一个神经元完全等价；
# 再看信号穿过三十层时，方差如何按同一个公式缩小或放大；然后检验笔记里的几句话：小高斯、大高斯、Xavier “只适合 tanh”、He “再除以 2”。
# 其中“权重太大会使神经元饱和、梯度过早消失”并不成立：神经元确实饱和了，但梯度反而逐层增大。最后画出一张“深度—初始尺度”的可训练区域图。

# %%
import math

import matplotlib.pyplot as plt
import numpy as np
from setting import claim, quick
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

import tinygrad_notes as tn
from tinygrad_notes import nn
from tinygrad_notes.models.networks import MLP
from tinygrad_notes.models.stacked import Stacked
from tinygrad_notes.nn import functional as F
from tinygrad_notes.train import Fit
from tinygrad_notes.train.gradient_pictures import draw_layers
from tinygrad_notes.train.gradients import Watch, gradient_flow
from tinygrad_notes.utils.data import DataLoader, TensorDataset

images, labels = load_digits(return_X_y=True)  # 1,797 digits of 8 x 8 pixels
images, test_images, labels, test_labels = train_test_split(images, labels, test_size=0.25, stratify=labels, random_state=0)
scaler = StandardScaler().fit(images)
X, y = tn.tensor(scaler.transform(images)), tn.tensor(labels)
X_test, y_test = tn.tensor(scaler.transform(test_images)), tn.tensor(test_labels)


def start(model, draw):
    """Write every weight matrix by ``draw``, one of ``nn.init``; biases become 0."""
    for parameter in model.parameters():
        (draw if parameter.ndim == 2 else nn.init.zeros_)(parameter)
    return model


# %% [markdown]
# ## Zeros, where they are right
#
# Linear and logistic regression are usually started at zero. Their loss is convex: one valley, and from everywhere the way down
# leads into it. With a little weight decay the lowest point is unique, so a start at zero and a random one must end with the
# *same weights*. Softmax regression on the digits:


# %%
def descend(model, steps, lr=0.3, weight_decay=0.0):
    """Gradient descent on the whole training set; the losses on the way."""
    optimizer = tn.optim.SGD(model.parameters(), lr=lr, momentum=0.9, weight_decay=weight_decay)
    losses = []
    for _ in range(steps):
        loss = F.cross_entropy(model(X), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def accuracy(model):
    with tn.no_grad():
        return (model(X_test).argmax(1) == y_test).double().mean().item()


tn.manual_seed(0)
from_zero = start(nn.Linear(64, 10).double(), nn.init.zeros_)
from_gauss = start(nn.Linear(64, 10).double(), nn.init.normal_)
steps = quick(300, 20)
zero_losses, gauss_losses = (descend(model, steps, weight_decay=0.05) for model in (from_zero, from_gauss))
distance = tn.dist(from_zero.weight, from_gauss.weight).item() / tn.norm(from_zero.weight).item()
print(f"loss at first {zero_losses[0]:.3f} and {gauss_losses[0]:.3f}, at last {zero_losses[-1]:.6f} and {gauss_losses[-1]:.6f}")
claim(
    "E zeros convex",
    "Linear and logistic regression may be started at zero: the models work well.",
    "confirmed",
    "Softmax regression started at zero and at random weights ends at the same weights, and they are good ones.",
    "distance < 1e-4 and loss_at_zero < loss_at_random and accuracy > 0.9",
    distance=distance,
    accuracy=accuracy(from_zero),
    loss_at_zero=zero_losses[0],
    loss_at_random=gauss_losses[0],
)

# %% [markdown]
# Zero was even the better start: it says "I do not know" with $\ln 10 = 2.3$ nats, where random weights are confidently wrong.
#
# ## Zeros in a network
#
# Now two hidden layers between the 64 pixels and the 10 classes, all weights and biases zero. Before you run the next cell:
# which of the six parameters will receive a gradient that is not zero? Two facts decide it. The gradient of a weight matrix is
# an outer product, $\partial L / \partial W_l = \sum \delta_l\, h_{l-1}^\top$ (sum over examples), and the error comes down
# through the matrix above, $\delta_l = \big(W_{l+1}^\top \delta_{l+1}\big) \odot \varphi'(z_l)$. The answer depends on the
# activation.

# %%
for activation in (nn.Tanh, nn.ReLU, nn.Sigmoid):
    model = start(MLP([64, 32, 32, 10], activation).double(), nn.init.zeros_)
    F.cross_entropy(model(X), y).backward()
    flow = gradient_flow(model)
    print(f"{activation.__name__:8}", "  ".join(f"{name} {entry['norm']:.4f}" for name, entry in flow.items()))
    moving = [name for name, entry in flow.items() if entry["norm"] > 0]
    assert moving == (["4.weight", "4.bias"] if activation is nn.Sigmoid else ["4.bias"])

# %% [markdown]
# With tanh and ReLU, whose value at 0 is 0, *nothing* moves but the last bias: $W^\top\delta = 0$ stops the error, $h = 0$
# stops the outer product. The network can learn how frequent each class is, and never more. It does not stand in a valley but
# on a saddle.
#
# Sigmoid is 0.5 at 0, so the last matrix moves, in the next step the one below it, and so on. But how? All units of a layer
# hold the same number. So they hand on the same, receive the same and change by the same: the symmetry of the start is a
# symmetry of the gradient. **Not the zero is fatal, the equality is.** Any constant does the same. Let us look at the first
# matrix after training, and at the singular values of its gradient on the way: their number above zero is the rank, the number
# of *different* things that the layer learns.


# %%
def constant(weight):
    return nn.init.constant_(weight, 0.1)


steps = quick(200, 20)
cases = {"zeros, sigmoid": (nn.Sigmoid, nn.init.zeros_), "all 0.1, tanh": (nn.Tanh, constant)}
cases["Xavier, tanh"] = (nn.Tanh, nn.init.xavier_normal_)
spectra, trained = {}, {}
for name, (activation, draw) in cases.items():
    tn.manual_seed(0)
    model = start(MLP([64, 32, 10], activation).double(), draw)
    spectra[name] = []
    model[0].weight.register_hook(lambda g, name=name: spectra[name].append(np.linalg.svd(g.numpy(), compute_uv=False)))
    descend(model, steps)
    trained[name] = model

fig, panels = plt.subplots(2, 3, figsize=(10, 5), height_ratios=[1, 1.1], layout="constrained")
for (name, model), (upper, lower) in zip(trained.items(), panels.T, strict=True):
    weight = model[0].weight.detach().numpy()
    largest = np.abs(weight).max()
    upper.imshow(weight, cmap="RdBu_r", vmin=-largest, vmax=largest, aspect="auto")
    upper.set(title=name, xlabel="pixel", xticks=[0, 32, 63], yticks=[0, 31])
    values = np.array(spectra[name])
    lower.semilogy(np.where(values > 0, values, np.nan), color="tab:blue", lw=0.8)
    lower.set(xlabel="step", ylim=(1e-20, 10))
panels[0, 0].set_ylabel("unit")
panels[1, 0].set_ylabel("singular values\nof the gradient")
plt.show()

# %% [markdown]
# On the left, 32 identical rows: stripes. One singular value carries the gradient; what lies near $10^{-17}$ is the rounding of
# double precision. On the right, 32 units that have become 32 different things. The ranks in numbers, and two ways out that the
# word "zeros" hides: it is enough if *something* in the layer differs. Zero weights with random **biases** break the symmetry,
# and so does a zero **last** layer above a random one.


# %%
def rank(matrix):
    values = np.linalg.svd(matrix.detach().numpy(), compute_uv=False)
    return int((values > 1e-6 * values[0]).sum()) if values[0] > 0 else 0


def only_biases_random(model):
    nn.init.normal_(start(model, nn.init.zeros_)[0].bias)


def only_last_zero(model):
    nn.init.zeros_(start(model, nn.init.xavier_normal_)[-1].weight)


starts = {
    "zeros": lambda model: start(model, nn.init.zeros_),
    "all 0.1": lambda model: start(model, constant),
    "zeros, random biases": only_biases_random,
    "last layer zeros": only_last_zero,
    "Xavier": lambda model: start(model, nn.init.xavier_normal_),
}
seen = {}
print(f"{'one hidden layer of 32':24}{'activation':>12}{'rank of W':>11}{'of gradient':>13}{'accuracy':>10}")
for name, write in starts.items():
    for activation in (nn.Tanh, nn.Sigmoid):
        tn.manual_seed(1)
        model = MLP([64, 32, 10], activation).double()
        write(model)
        descend(model, steps)
        weight = model[0].weight
        seen[name, activation] = rank(weight), rank(weight.grad), accuracy(model)
        ranks = "{:11}{:13}{:10.3f}".format(*seen[name, activation])
        print(f"{name:24}{activation.__name__:>12}{ranks}")

# %% [markdown]
# If 32 units are always equal, they should be one. Say it exactly: let all have the input weights $w$ and the output weights
# $v$. A *single* unit with weights $w$ and $32\,v$ computes the same function. Its gradients are $32$ times as large for $w$
# and equal for $v$ (which should move $32$ times as far), so with the learning rate divided by 32 below and multiplied by 32
# above it must take the same steps. That can be tried: the two losses should agree to the last digits.

# %%
units = 32
wide = start(MLP([64, units, 10], nn.Sigmoid).double(), nn.init.zeros_)
single = start(MLP([64, 1, 10], nn.Sigmoid).double(), nn.init.zeros_)
random = start(MLP([64, units, 10], nn.Sigmoid).double(), nn.init.xavier_normal_)
wide_losses = descend(wide, steps)
random_losses = descend(random, steps)

groups = [
    {"params": list(single[0].parameters()), "lr": 0.3 / units},
    {"params": [single[2].weight], "lr": 0.3 * units},
    {"params": [single[2].bias]},
]
optimizer, single_losses = tn.optim.SGD(groups, lr=0.3, momentum=0.9), []
for _ in range(steps):
    loss = F.cross_entropy(single(X), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    single_losses.append(loss.item())

difference = np.abs(np.array(wide_losses) - single_losses).max()
print(f"largest difference of the two losses over {steps} steps: {difference:.1e}")
assert difference < 1e-8

fig, ax = plt.subplots()
ax.plot(wide_losses, color="tab:red", label="32 units, from zeros")
ax.plot(range(0, steps, 8), single_losses[::8], "o", color="black", ms=4, mfc="none", label="1 unit")
ax.plot(random_losses, color="tab:blue", label="32 units, from Xavier's")
ax.set(xlabel="step", ylabel="loss", ylim=(0, None))
ax.legend(frameon=False)
plt.show()

# %%
claim(
    "I6 zeros",
    "Zeros as initial weights fail in a network: all units of a layer get the same gradient and learn the same.",
    "confirmed with limits",
    "With sigmoid so it is: 32 units stay one unit (rank 1). With tanh or ReLU it is worse, all gradients but the last bias's are 0. "
    "But zero weights with random biases learn, and so does a zero last layer: equality is the fault, not zero.",
    "rank_sigmoid == 1 and rank_tanh == 0 and max(accuracy_sigmoid, accuracy_tanh) < 0.6 "
    "and min(accuracy_random_biases, accuracy_last_zero) > 0.9",
    rank_sigmoid=seen["zeros", nn.Sigmoid][0],
    rank_tanh=seen["zeros", nn.Tanh][0],
    accuracy_sigmoid=seen["zeros", nn.Sigmoid][2],
    accuracy_tanh=seen["zeros", nn.Tanh][2],
    accuracy_random_biases=seen["zeros, random biases", nn.Tanh][2],
    accuracy_last_zero=seen["last layer zeros", nn.Tanh][2],
)

# %% [markdown]
# ## How large? One unit first
#
# So the weights must differ: draw them at random, with mean 0 and deviation $\sigma$. How large should $\sigma$ be? A unit adds
# $n$ products, $z = \sum_{i=1}^n w_i x_i$. Independent terms with mean 0 add their mean squares:
#
# $$ \mathbb{E}[z^2] = n\,\sigma^2\; \mathbb{E}[x^2] $$
#
# $n$ is the number of **inputs of the unit** (its *fan-in*). One of the notes says that the variance grows with the amount of
# input *data*. Vary both:

# %%
tn.manual_seed(0)
fans, counts = [10, 30, 100, 300, 1000], [100, 300, 1000, 3000, 10000]


def mean_square(inputs, examples, sigma=0.1):
    layer = start(nn.Linear(inputs, 200), lambda w: nn.init.normal_(w, std=sigma))
    with tn.no_grad():
        return layer(tn.randn(examples, inputs)).square().mean().item()


by_fan = [mean_square(n, 1000) for n in fans]
by_count = [mean_square(100, n) for n in counts]
slopes = [np.polyfit(np.log(x), np.log(z), 1)[0] for x, z in ((fans, by_fan), (counts, by_count))]
fig, ax = plt.subplots(figsize=(6, 3.2))
ax.loglog(fans, by_fan, "o-", color="tab:blue", label="inputs of the unit (1,000 examples)")
ax.loglog(fans, [0.01 * n for n in fans], "--", color="black", lw=1, label="$n\\,\\sigma^2$")
ax.loglog(counts, by_count, "o-", color="tab:orange", label="examples (100 inputs)")
ax.set(xlabel="how many", ylabel="mean square of z", title="σ = 0.1")
ax.legend(frameon=False)
plt.show()

# %%
claim(
    "E fan-in",
    "The variance of a random unit's output grows with the amount of input data.",
    "confirmed with limits",
    "It grows in proportion to the number of the unit's inputs; the number of examples has nothing to do with it.",
    "abs(slope_inputs - 1) < 0.1 and abs(slope_examples) < 0.05",
    slope_inputs=slopes[0],
    slope_examples=slopes[1],
)

# %% [markdown]
# What counts is therefore not $\sigma$ but the **scale** $s = \sigma\sqrt n$, by which a layer multiplies the size of its
# input. $\sigma = 0.01$ is tiny for 100 inputs ($s = 0.1$) and exactly neutral for 10,000. All methods below are choices of
# $s$:
#
# | | weights | $s$ where layers are equally wide |
# |---|---|---|
# | Xavier (Glorot & Bengio 2010) | $\sigma^2 = 2/(n_\text{in} + n_\text{out})$ | $1$ |
# | He (He et al. 2015) | $\sigma^2 = 2/n_\text{in}$ | $\sqrt 2 = 1.41$ |
#
# Each comes as a Gaussian or as a uniform distribution of the same variance, $[-\sqrt3\,\sigma, \sqrt3\,\sigma]$. The formulas
# to come know only the variance:

# %%
tn.manual_seed(0)
weight = tn.empty(300, 500)  # from 500 inputs to 300 units
variances = {"xavier": 2 / (300 + 500), "kaiming": 2 / 500}
for name, variance in variances.items():
    for kind in ("normal_", "uniform_"):
        options = {"nonlinearity": "relu"} if name == "kaiming" else {}
        getattr(nn.init, f"{name}_{kind}")(weight, **options)
        ratio = weight.square().mean().item() / variance
        print(f"{name}_{kind:9} mean square {ratio:.3f} of the formula's, largest {weight.abs().max().item():.3f}")
        assert abs(ratio - 1) < 0.02

# %% [markdown]
# ## Through thirty layers: one formula
#
# In a deep network the output of an activation $\varphi$ is the input of the next layer. Let $q_l$ be the mean square of the
# pre-activations $z_l$. If the layers are wide, $z_l$ is a sum of many random terms, so it is Gaussian, and its next mean
# square needs only an average over a standard normal number $\xi$. Backward, the gradient passes the slope and the same matrix,
# transposed:
#
# $$ q_{l+1} = s^2\; \mathbb{E}\big[\varphi(\sqrt{q_l}\,\xi)^2\big], \qquad
#    \frac{\mathbb{E}\,\|\partial L/\partial h_{l-1}\|^2}{\mathbb{E}\,\|\partial L/\partial h_l\|^2} = \chi_l
#    = s^2\; \mathbb{E}\big[\varphi'(\sqrt{q_l}\,\xi)^2\big] $$
#
# (Poole et al. 2016; Schoenholz et al. 2017.) Forward and backward are products of thirty such factors. A factor of 0.5 makes
# $10^{-9}$ of it, a factor of 2 makes $10^9$. The slope $\varphi'$ is asked from the engine, so the function serves any
# activation.

# %%
xi = np.linspace(-8, 8, 4001)
density = np.exp(-(xi**2) / 2) / np.exp(-(xi**2) / 2).sum()


def predict(activation, s, depth):
    """Mean squares of the activations, and of the gradient there relative to the last layer's, per layer."""
    q, sizes, chis = s**2, [], []  # the input has mean square 1
    for _ in range(depth):
        z = tn.tensor(math.sqrt(q) * xi, requires_grad=True)
        h = activation()(z)
        (slope,) = tn.autograd.grad(h.sum(), [z])
        sizes.append((h.detach().numpy() ** 2) @ density)
        chis.append(s**2 * (slope.numpy() ** 2) @ density)
        q = s**2 * sizes[-1]
    return np.array(sizes), np.cumprod([1, *chis[:0:-1]])[::-1]


def measure(activation, s, depth, width, examples=100, seed=0):
    """The same, of a network with Gaussian input and a random gradient on top; and what ``Watch`` saw of each activation."""
    tn.manual_seed(seed)
    model = MLP([width] * (depth + 1), activation).double()
    model.append(activation())
    start(model, lambda w: nn.init.normal_(w, std=s / w.shape[1] ** 0.5))
    with Watch(model, [str(i) for i in range(1, 2 * depth, 2)]) as watch:
        out = model(tn.randn(examples, width, dtype=tn.float64))
        (out * tn.randn_like(out)).sum().backward()
    report = watch.report()
    sizes, gradients = ([r[key]["norm"] ** 2 for r in report.values()] for key in ("activation", "gradient"))
    return np.array(sizes) / (examples * width), np.array(gradients) / gradients[-1], report


# %% [markdown]
# The lines below are the formula, the dots are networks of 30 layers with 200 units each, two of them, averaged. Before you
# look: for which activations is there a scale that keeps *both* rows flat?

# %%
depth, width, seeds = quick(30, 6), quick(200, 30), quick(2, 1)
activations = {"tanh": nn.Tanh, "ReLU": nn.ReLU, "sigmoid": nn.Sigmoid, "linear": nn.Identity}
scales = {0.5: "tab:purple", 1.0: "tab:blue", math.sqrt(2): "tab:orange", 3.0: "tab:red"}
layers = np.arange(1, depth + 1)
worst = 0.0
fig, panels = plt.subplots(2, 4, figsize=(11, 5.6), sharex=True, layout="constrained")
for (name, activation), column in zip(activations.items(), panels.T, strict=True):
    for s, color in scales.items():
        runs = [measure(activation, s, depth, width, seed=seed)[:2] for seed in range(seeds)]
        for ax, formula, measured in zip(column, predict(activation, s, depth), np.mean(runs, 0), strict=True):
            ax.semilogy(layers, formula, color=color, lw=1.2)
            ax.semilogy(layers, measured, ".", color=color, ms=4, label=f"s = {s:.3g}")
            worst = max(worst, np.abs(np.log10(measured / formula)).max() / depth)
    column[0].set_title(name)
    column[1].set_xlabel("layer")
panels[0, 0].set_ylabel("mean square of the activation")
panels[1, 0].set_ylabel("mean square of the gradient,\nof the last layer's")
panels[0, 2].set_ylim(0.03, 3)
panels[0, 3].legend(frameon=False, fontsize=8)
plt.show()
print(f"the largest error of the formula is a factor of {10**worst:.3f} per layer")
assert worst < 0.05 or quick(False, True)

# %% [markdown]
# Read the picture column by column.
#
# - **linear**: both rows are $s^{2l}$; only $s = 1$, Xavier's choice, keeps them.
# - **ReLU**: half of the input is cut off, $\mathbb{E}[\varphi(z)^2] = q/2$ and $\mathbb{E}[\varphi'^2] = \tfrac12$: all
#   depends on $s^2/2$, and only $s = \sqrt 2$, He's choice, keeps both.
# - **tanh**: it cannot explode forward, for it is bounded. At $s = 1$ it shrinks, but slowly ($q_l \approx 1/2l$, a power, not
#   an exponential). At $s > 1$ the activations settle at a fixed size, and *the gradient grows* on its way down (red).
# - **sigmoid**: forward it looks perfect at any scale, because its values stay around 0.5. Backward it is a disaster: its slope
#   is at most $\tfrac14$, so at $s = 1$ each layer leaves at most $\tfrac1{16}$ of the gradient's mean square. No picture of
#   activations shows that. Always look at both.
#
# ## Small and large Gaussians
#
# The notes start a network with "a Gaussian of variance 0.01", and then write `randn(...) * 0.01`. These are two different
# things: the code has the *deviation* 0.01, the text the deviation 0.1. Take ten tanh layers of 100 units. Then the code is
# $s = 0.1$, the text $s = 1$, and "a larger value", deviation 1, is $s = 10$. One row of activations (blue) and one of
# gradients (red) each:

# %%
depth, width = 10, 100
chosen = [1, 2, 4, 6, 8, 10]
reports = {sigma: measure(nn.Tanh, sigma * 10, depth, width)[2] for sigma in (0.01, 0.1, 1.0)}

fig, panels = plt.subplots(6, 6, figsize=(10, 6.6), layout="constrained")
for k, (sigma, report) in enumerate(reports.items()):
    for layer, column in zip(chosen, panels.T, strict=True):
        entry = report[str(2 * layer - 1)]
        for ax, key, color in zip(column[2 * k : 2 * k + 2], ("activation", "gradient"), ("tab:blue", "tab:red"), strict=True):
            found = entry[key]
            ax.stairs(found["bars"], np.linspace(found["min"], found["max"], 33), fill=True, color=color, lw=1, ec=color)
            ax.set(xticks=[], yticks=[])
            ax.set_title(f"{found['std']:.2g}", fontsize=9, loc="left", pad=2)
        column[2 * k].set(xlim=(-1.05, 1.05), xticks=[-1, 0, 1])
        column[2 * k].tick_params(labelsize=8)
    panels[2 * k, 0].set_ylabel(f"σ = {sigma:g}", fontsize=10)
for ax, layer in zip(panels[0], chosen, strict=True):
    ax.annotate(f"layer {layer}", (0.5, 1.35), xycoords="axes fraction", ha="center")
plt.show()

# %% [markdown]
# The number above each panel is the deviation; each red panel is as wide as its own gradients. At $\sigma = 0.01$ the blue
# histograms collapse into a needle, and so do the red numbers, read from right to left. At $\sigma = 0.1$ both shrink, but
# slowly. At $\sigma = 1$ nearly all values sit at $\pm1$. `draw_layers` says how many of them are saturated (a slope under 5 %
# of the steepest):

# %%
draw_layers({f"tanh {layer}": reports[1.0][str(2 * layer - 1)] for layer in (1, 5, 10)}, title="ten layers of tanh, σ = 1")

# %%
forward = {sigma: report["19"]["activation"]["std"] / report["1"]["activation"]["std"] for sigma, report in reports.items()}
backward = {sigma: report["1"]["gradient"]["norm"] / report["19"]["gradient"]["norm"] for sigma, report in reports.items()}
per_layer = reports[0.01]["1"]["gradient"]["norm"] / reports[0.01]["3"]["gradient"]["norm"]
print("activation, tenth over first layer:", *(f"σ {sigma:g}: {ratio:.1e}" for sigma, ratio in forward.items()))
print("gradient, first over tenth layer:  ", *(f"σ {sigma:g}: {ratio:.1e}" for sigma, ratio in backward.items()))
claim(
    "E small gaussian",
    "A Gaussian of variance 0.01, written randn * 0.01, is common in small networks; in deep ones outputs go to 0 and gradients vanish.",
    "confirmed with limits",
    "True of the code, whose deviation is 0.01; with the variance 0.01 of the text nothing vanishes here. What counts is deviation times "
    "the root of the width: 0.1 per layer in the one case, 1 in the other.",
    "max(code_forward, code_backward) < 1e-7 and min(text_forward, text_backward) > 0.1 and abs(code_per_layer - 0.1) < 0.03",
    code_forward=forward[0.01],
    code_backward=backward[0.01],
    text_forward=forward[0.1],
    text_backward=backward[0.1],
    code_per_layer=per_layer,
)

# %% [markdown]
# ## Saturated, and yet exploding
#
# The notes argue: weights too large make the sums too large, sigmoid and tanh leave their steep part, slopes go to 0, *hence
# gradients vanish early*. The first three steps are true. Look at the red numbers of $\sigma = 1$ again, from right to left:
# they grow.
#
# What the argument forgets is that the gradient is also multiplied by the weights, and these are large. For tanh, with $z$ of
# deviation $\approx s$, the share of units in the steep part falls like $1/s$, while the weights contribute $s^2$:
#
# $$ \chi = s^2\, \mathbb{E}[\varphi'(z)^2] \;\approx\; s^2 \cdot \frac{1}{s\sqrt{2\pi}} \int \varphi'(z)^2\,dz \;\propto\; s $$
#
# So the larger the weights, the faster the gradient grows, carried by the few units that are not saturated. For sigmoid the
# integral is 8 times smaller, and it is the *small* weights that kill the gradient. Both against the formula, over $s$:

# %%
grid = np.geomspace(0.3, 30, quick(30, 6))
points = np.geomspace(0.5, 30, quick(8, 3))
depth, width = quick(10, 4), quick(200, 40)
fig, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
large = {}
for name, color in (("tanh", "tab:blue"), ("sigmoid", "tab:green")):
    activation = activations[name]
    left.loglog(grid, [predict(activation, s, depth)[1][0] ** 0.5 for s in grid], color=color, label=name)
    found = [measure(activation, s, depth, width) for s in points]
    left.loglog(points, [np.sqrt(gradients[0]) for _, gradients, _ in found], "o", color=color)
    saturated = [np.mean([entry["saturated"] for entry in report.values()]) for *_, report in found]
    right.semilogx(points, saturated, "o-", color=color, label=name)
    large[name] = np.sqrt(found[-1][1][0]), saturated[-1]
left.axhline(1, color="gray", lw=0.5)
left.set(xlabel="scale s", ylabel="norm of the gradient,\nfirst layer over tenth", ylim=(1e-12, 1e8))
right.set(xlabel="scale s", ylabel="share of saturated values", ylim=(0, 1))
left.legend(frameon=False)
plt.show()

# %%
claim(
    "E large gaussian",
    "Weights that are too large drive units into saturation, where slopes are near 0, so that gradients vanish early.",
    "refuted",
    "Units do saturate, but at s = 30 the gradient grows from layer to layer, for the large weights multiply it as well; "
    "in sigmoid networks it is small weights with which it vanishes.",
    "min(saturated_tanh, saturated_sigmoid) > 0.7 and growth_tanh > 100 and growth_sigmoid > 3",
    saturated_tanh=large["tanh"][1],
    saturated_sigmoid=large["sigmoid"][1],
    growth_tanh=large["tanh"][0],
    growth_sigmoid=large["sigmoid"][0],
)

# %% [markdown]
# At the notes' own deviation of 1 in layers of 100 units, $s = 10$, tanh gradients grow a thousandfold in ten layers, and those
# of sigmoid stay as they are. Large weights are a bad start all the same: such a network is *chaotic*. A small change of its
# input or of a weight grows on the way up by the same factors by which the gradient grows on the way down, so the loss is
# rugged and a gradient is true only in a tiny neighbourhood.
#
# One more sentence of the notes, "small weights make a small signal at the end, large ones a large signal", depends on the
# activation:

# %%
ends = {
    name: [measure(activations[name], s, 10, 200)[0][-1] ** 0.5 for s in (0.3, 10.0)] for name in ("tanh", "ReLU", "sigmoid")
}
for name, (small, big) in ends.items():
    print(f"{name:8} root mean square after ten layers: {small:.1e} at s = 0.3, {big:.1e} at s = 10")
claim(
    "E weights and signal",
    "If the weights are small at first, the signal at the end is small; if they are large, it is large.",
    "confirmed with limits",
    "So it is for ReLU. Bounded activations cannot grow (tanh ends near 1), and sigmoid does not even shrink: it ends near 0.5.",
    "relu_small < 1e-4 and relu_large > 1e6 and tanh_small < 1e-4 and tanh_large < 1 and sigmoid_small > 0.4 and sigmoid_large < 1",
    relu_small=ends["ReLU"][0],
    relu_large=ends["ReLU"][1],
    tanh_small=ends["tanh"][0],
    tanh_large=ends["tanh"][1],
    sigmoid_small=ends["sigmoid"][0],
    sigmoid_large=ends["sigmoid"][1],
)

# %% [markdown]
# ## He: half of the units, twice the variance
#
# He's idea in the notes: half of the units of a ReLU layer are off, so "divide Xavier's by 2 once more". Their code divides by
# $\sqrt{n/2}$. These are opposite things! Dividing the *weights* by 2 shrinks the signal; halving the *number of inputs that
# count* makes the weights $\sqrt2$ times larger. Try the sentence, the code and Xavier on thirty ReLU layers, and count the
# units that are on:

# %%
depth, width = quick(30, 6), quick(200, 40)
variants = {"Xavier: s = 1": 1.0, "the sentence: Xavier's / 2": 0.5, "the code, He: Xavier's times √2": math.sqrt(2)}
fig, ax = plt.subplots()
last = []
for (name, s), color in zip(variants.items(), ("tab:blue", "tab:gray", "tab:orange"), strict=True):
    curves = [measure(nn.ReLU, s, depth, width, seed=seed)[0] for seed in range(quick(5, 1))]
    ax.semilogy(range(1, depth + 1), np.transpose(curves), color=color, lw=0.8)
    ax.semilogy([], [], color=color, label=name)
    last.append(float(np.exp(np.mean(np.log([curve[-1] / curve[0] for curve in curves])) / (depth - 1))))
on = [1 - entry["saturated"] for entry in measure(nn.ReLU, math.sqrt(2), depth, width)[2].values()]
ax.set(xlabel="layer", ylabel="mean square of the activation", title="ReLU, five networks each")
ax.legend(frameon=False, loc="lower left")
plt.show()

claim(
    "E he half",
    "In a ReLU network half of the units are active, so to keep the variance Xavier's weights are divided by 2 once more.",
    "confirmed with limits",
    "Half are active, and the code (divide by the root of n / 2) keeps the mean square. But that makes Xavier's weights √2 times larger; "
    "divided by 2, as the sentence says, they lose seven eighths of it per layer.",
    "abs(active - 0.5) < 0.03 and abs(code_per_layer - 1) < 0.06 and abs(sentence_per_layer - 0.125) < 0.02 "
    "and abs(xavier_per_layer - 0.5) < 0.04",
    active=np.mean(on),
    code_per_layer=last[2],
    sentence_per_layer=last[1],
    xavier_per_layer=last[0],
)

# %% [markdown]
# The formula promises the mean over *all* networks. A single one of finite width drifts from it like a random walk, which you
# see in the spread of the five orange lines: the deeper and the narrower, the more.
#
# And Xavier: does it keep the variance? For linear layers yes. For tanh a little less from layer to layer, and for ReLU half of
# it, as the columns above show. In numbers, at the tenth layer of equally wide ones:

# %%
kept = {name: np.mean([measure(activations[name], 1.0, 10, 200, seed=k)[0][-1] for k in range(5)]) for name in activations}
print("mean square after ten layers at s = 1:", *(f"{name} {value:.3g}" for name, value in kept.items()))
claim(
    "E xavier variance",
    "Xavier's initialisation keeps the variance of input and output equal.",
    "confirmed with limits",
    "Exactly so for linear layers. tanh loses it slowly, as 1 over twice the depth; ReLU halves it in every layer.",
    "abs(linear - 1) < 0.15 and 0.03 < tanh < 0.09 and relu < 0.002",
    linear=kept["linear"],
    tanh=kept["tanh"],
    relu=kept["ReLU"],
)

# %% [markdown]
# ## The map: where can one train at all?
#
# So far no network has been trained. Now 64 pixels, a number of hidden layers of 64 units, 10 classes; Gaussian first weights
# of scale $s$; SGD with momentum for two epochs, of two learning rates the better one. Colour is the test accuracy; black is
# guessing. The white line comes from `predict` alone: below it, the gradient's norm changes by less than a factor of 30 from
# the last layer to the first (where the line is flat, at the top, even 20 layers are not too many).


# %%
def train(model, lr, epochs):
    """Accuracy on the test set after training in batches of 64; 0.1, guessing, where the loss overflowed."""
    optimizer = tn.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    batches = DataLoader(TensorDataset(X.float(), y), batch_size=64, shuffle=True)
    try:
        Fit(model, F.cross_entropy, optimizer, batches).run(epochs)
    except FloatingPointError:
        return 0.1
    with tn.no_grad():
        return (model(X_test.float()).argmax(1) == y_test).double().mean().item()


def best(activation, draw, depth, seed, epochs, rates=(0.03, 0.005)):
    found = []
    for lr in rates:
        tn.manual_seed(seed)
        found.append(train(start(MLP([64] * (depth + 1) + [10], activation), draw), lr, epochs))
    return max(found)


depths = quick([1, 2, 4, 8, 14, 20], [1, 2])
places = np.geomspace(0.25, 8, quick(11, 3))
maps = {
    name: np.array(
        [
            [
                best(activations[name], lambda w, s=s: nn.init.normal_(w, std=s / w.shape[1] ** 0.5), d, 0, quick(2, 1))
                for s in places
            ]
            for d in depths
        ]
    )
    for name in ("tanh", "ReLU")
}

# %%
fine = np.geomspace(0.25, 8, quick(60, 4))
fig, panels = plt.subplots(1, 2, figsize=(10, 4.2), sharey=True, layout="constrained")
for ax, (name, found) in zip(panels, maps.items(), strict=True):
    image = ax.pcolormesh(np.arange(len(places) + 1), np.arange(len(depths) + 1), found, cmap="inferno", vmin=0.1, vmax=1)
    limits = []
    for s in fine:
        gradients = predict(activations[name], s, max(depths))[1]
        change = np.abs(np.log(gradients[0] / gradients)) / 2  # of the norm, in networks of 1, 2, 3, ... hidden layers
        limits.append(np.interp(math.log(30), np.maximum.accumulate(change), np.arange(1, len(change) + 1)))
    x = np.interp(np.log(fine), np.log(places), np.arange(len(places))) + 0.5
    ax.plot(x, np.interp(limits, depths, np.arange(len(depths))) + 0.5, color="white", lw=2)
    for s, label in ((1.0, "Xavier"), (math.sqrt(2), "He")):
        at = np.interp(math.log(s), np.log(places), np.arange(len(places))) + 0.5
        ax.axvline(at, color="tab:cyan", ls=":")
        ax.text(at, len(depths) + 0.1, label, ha="center", va="bottom", fontsize=9)
    ax.set_xticks(np.arange(len(places)) + 0.5, [f"{s:.2g}" for s in places], fontsize=8)
    ax.set_yticks(np.arange(len(depths)) + 0.5, depths)
    ax.set_xlabel("scale s of the first weights")
    ax.set_title(name, pad=20)
panels[0].set_ylabel("hidden layers")
fig.colorbar(image, ax=panels, label="test accuracy")
plt.show()

# %% [markdown]
# A network of one hidden layer forgives everything: the bottom row is bright over a factor of thirty. The deeper, the narrower
# the bright tongue, and it points to where the white line says: $\sqrt2$ for ReLU, a little above 1 for tanh. Xavier's line
# leaves the tongue of ReLU at some depth; He's line stays in the middle of it, and is not bad for tanh either. (Two epochs are
# short, and one network stands for each square: take the shape of the tongue from it, not the single colours.)
#
# ## The named starts, over several seeds
#
# The same with the functions of `nn.init`, at 2 and at 16 hidden layers, several seeds each. "0.01" and "1" are Gaussian
# deviations.

# %%
named = {
    "σ = 0.01": lambda w: nn.init.normal_(w, std=0.01),
    "σ = 1": nn.init.normal_,
    "Xavier uniform": nn.init.xavier_uniform_,
    "Xavier normal": nn.init.xavier_normal_,
    "He uniform": lambda w: nn.init.kaiming_uniform_(w, nonlinearity="relu"),
    "He normal": lambda w: nn.init.kaiming_normal_(w, nonlinearity="relu"),
}
deep = quick(16, 3)
runs = {
    (name, kind, d): [best(activations[kind], draw, d, seed, quick(4, 1)) for seed in range(quick(3, 1))]
    for name, draw in named.items()
    for kind in ("tanh", "ReLU")
    for d in (2, deep)
}
fig, panels = plt.subplots(1, 2, figsize=(10, 3.4), sharey=True, layout="constrained")
for ax, d in zip(panels, (2, deep), strict=True):
    for shift, kind, color in ((-0.15, "tanh", "tab:blue"), (0.15, "ReLU", "tab:orange")):
        for place, name in enumerate(named):
            ax.plot([place + shift] * len(runs[name, kind, d]), runs[name, kind, d], "o", ms=5, alpha=0.7, color=color)
        ax.plot([], [], "o", color=color, label=kind)
    ax.axhline(0.1, color="gray", lw=0.7, ls="--")
    ax.set_xticks(range(len(named)), named, rotation=40, ha="right")
    ax.set(title=f"{d} hidden layers", ylim=(0, 1))
panels[0].set_ylabel("test accuracy")
panels[0].legend(frameon=False, loc="center left", bbox_to_anchor=(0.0, 0.55))
plt.show()
middle = {key: float(np.median(values)) for key, values in runs.items()}

# %% [markdown]
# Small and large Gaussians fail where it is deep, Xavier falls behind with deep ReLU, and in two layers only those have trouble
# who are far too small or too large. (Is He's normal better than his uniform distribution, or the other way round? A few seeds
# are too few to say so: the dots of single seeds spread wider than the two differ.)
#
# But these were four epochs. Does deep ReLU learn nothing from Xavier's weights, or only later? Guess, and give it forty. Four
# networks of each kind, side by side:

# %%
epochs, seeds = quick(40, 2), quick(4, 1)


def over_epochs(activation, draw):
    """Test accuracy after each epoch, ``(epochs, seeds)``."""
    networks = []
    for seed in range(seeds):
        tn.manual_seed(seed)
        networks.append(start(MLP([64] * (deep + 1) + [10], activation), draw))
    together, found = Stacked(networks), []
    optimizer = tn.optim.SGD(together.parameters(), lr=0.005, momentum=0.9)
    for _ in range(epochs):
        for x, target in DataLoader(TensorDataset(X.float(), y), batch_size=64, shuffle=True):
            each = F.cross_entropy(together(x).flatten(0, 1), target.repeat(seeds), reduction="none")
            optimizer.zero_grad()
            (each.sum() / len(target)).backward()
            optimizer.step()
        with tn.no_grad():
            found.append((together(X_test.float()).argmax(-1) == y_test).double().mean(1).numpy())
    return np.array(found)


cases = {
    "tanh, Xavier": (nn.Tanh, "Xavier normal", "tab:blue"),
    "ReLU, Xavier": (nn.ReLU, "Xavier normal", "tab:orange"),
    "ReLU, He": (nn.ReLU, "He normal", "tab:red"),
}
fig, ax = plt.subplots()
needed, at_best = {}, {}
for name, (activation, draw, color) in cases.items():
    found = over_epochs(activation, named[draw])
    ax.plot(range(1, epochs + 1), found, color=color, lw=0.8)
    ax.plot([], [], color=color, label=name)
    reached = found > 0.8
    needed[name] = float(np.median(np.where(reached.any(0), reached.argmax(0) + 1, epochs + 1)))
    at_best[name] = float(np.median(found.max(0)))
ax.axhline(0.8, color="gray", lw=0.7, ls="--")
ax.set(xlabel="epoch", ylabel="test accuracy", title=f"{deep} hidden layers", ylim=(0, 1))
ax.legend(frameon=False, loc="lower right")
plt.show()
print("epochs to an accuracy of 0.8:", needed)

# %% [markdown]
# It learns, after a long wait: sixteen halvings have made the mean square of its signal, and that of its gradients, $2^{16}$
# times smaller, and the first steps are as tiny as that.

# %%
claim(
    "I6 xavier",
    "Xavier's initialisation is for tanh, and not suitable for ReLU.",
    "confirmed with limits",
    "Through sixteen layers tanh learns from Xavier's weights at once; ReLU takes a multiple of the epochs that it takes from "
    "He's, but gets there. In two layers there is no difference; and the same formula with gain √2 is He's.",
    "epochs_tanh < epochs_relu / 2 and epochs_relu_he < epochs_relu / 2 and relu_at_best > 0.8 "
    "and shallow_relu > 0.9 and abs(shallow_relu - shallow_relu_he) < 0.05",
    epochs_tanh=needed["tanh, Xavier"],
    epochs_relu=needed["ReLU, Xavier"],
    epochs_relu_he=needed["ReLU, He"],
    relu_at_best=at_best["ReLU, Xavier"],
    shallow_relu=middle["Xavier normal", "ReLU", 2],
    shallow_relu_he=middle["He normal", "ReLU", 2],
)

# %%
claim(
    "E he better",
    "For ReLU, He's initialisation is much better than Xavier's.",
    "confirmed with limits",
    "In sixteen layers it saves most of the epochs, though in the end both come to nearly the same; in two layers nothing.",
    "epochs_he < epochs_xavier / 2 and abs(best_he - best_xavier) < 0.1 and abs(shallow_he - shallow_xavier) < 0.05",
    epochs_he=needed["ReLU, He"],
    epochs_xavier=needed["ReLU, Xavier"],
    best_he=at_best["ReLU, He"],
    best_xavier=at_best["ReLU, Xavier"],
    shallow_he=middle["He normal", "ReLU", 2],
    shallow_xavier=middle["Xavier normal", "ReLU", 2],
)

# %% [markdown]
# ## What was seen
#
# - Equal units stay equal: 32 units from zeros are one unit, step for step. With tanh and ReLU, zeros do not even move.
#   Anything that differs within a layer is enough to break the symmetry, so zero *biases* are fine.
# - What a layer does to the size of a signal is the scale $s = \sigma\sqrt n$, not $\sigma$. Through many layers a factor per
#   layer becomes a power.
# - Forward and backward need separate looks. Sigmoid keeps its values and loses its gradients; tanh with large weights is
#   saturated, and its gradients explode.
# - Xavier ($s = 1$) is right for linear layers and nearly for tanh, He ($s = \sqrt2$) for ReLU. Uniform or normal hardly
#   matters.
# - One or two hidden layers train from almost anything that is not tiny. Depth makes the choice matter, as the map shows; a bad
#   choice costs epochs first, and only far outside the tongue everything.
#
# ## Things to try
#
# 1. Draw the map for `nn.Sigmoid`. Where should its tongue be? ($\chi = 1$ needs $s \approx 10$; does training agree?)
# 2. Use Adam instead of SGD in `train`. It divides gradients by their own size: does the left side of the map become brighter?
#    Does the right side?
# 3. Put width 16 instead of 200 into the picture of thirty layers, with ten seeds. How far do single networks stray from the
#    formula?
# 4. Start with `nn.init.orthogonal_` of gain 1 in linear layers: the dots lie *exactly* on the line. Why? Does it help tanh at
#    depth 20?
# 5. Let 64 units be followed by 512, then 64, 512, ...: Xavier must compromise between fan-in and fan-out. What do forward and
#    backward do with `kaiming_normal_(mode="fan_in")` and `"fan_out"`?
# 6. Train the zero-started sigmoid network for 5,000 steps in `float32`. Do the singular values near rounding ever grow into a
#    second rank?
# 7. `nn.Linear` starts by PyTorch's habit uniform in $\pm1/\sqrt n$. Which $s$ is that? (0.58.) Where on the map does it lie,
#    and to what depth does it train ReLU?
# 8. Nudge the input of a ten-layer tanh network with $s = 10$ by $10^{-6}$, and follow the distance of the two signals through
#    the layers.
#
# ## Where to look
#
# - Functions: [`nn.init`](../tinygrad_notes/nn/init.py), [`Watch` and `gradient_flow`](../tinygrad_notes/train/gradients.py),
#   [`draw_layers`](../tinygrad_notes/train/gradient_pictures.py), [`MLP`](../tinygrad_notes/models/networks.py),
#   [`Fit`](../tinygrad_notes/train/fit.py).
# - Tests: [first values against their formulas](../tests/test_first_values.py), [gradients
#   seen](../tests/test_gradients_seen.py).
# - X. Glorot, Y. Bengio, *Understanding the difficulty of training deep feedforward neural networks*, AISTATS 2010.
#   [paper](https://proceedings.mlr.press/v9/glorot10a.html)
# - K. He, X. Zhang, S. Ren, J. Sun, *Delving deep into rectifiers*, ICCV 2015. [arXiv](https://arxiv.org/abs/1502.01852)
# - A. M. Saxe, J. L. McClelland, S. Ganguli, *Exact solutions to the nonlinear dynamics of learning in deep linear neural
#   networks*, 2014. [arXiv](https://arxiv.org/abs/1312.6120)
# - B. Poole, S. Lahiri, M. Raghu, J. Sohl-Dickstein, S. Ganguli, *Exponential expressivity in deep neural networks through
#   transient chaos*, NeurIPS 2016. [arXiv](https://arxiv.org/abs/1606.05340)
# - S. S. Schoenholz, J. Gilmer, S. Ganguli, J. Sohl-Dickstein, *Deep information propagation*, ICLR 2017.
#   [arXiv](https://arxiv.org/abs/1611.01232)
