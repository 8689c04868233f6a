# The source of 13_vanishing_exploding.ipynb: `python notebooks/build.py` executes it and writes the notebook.

# %% [markdown]
# # 13 · Gradients that vanish, gradients that explode
#
# A gradient on its way down through fifty layers is multiplied fifty times. It will rarely arrive at the size at which it
# started. This notebook follows it: you will see the product of Jacobians, factor by factor, against three predictions of its
# size; a graph whose colours fade from orange to blue; networks that are dead at birth, as often as a formula with two letters
# says; a map of eleven architectures and five ways to draw first weights, in powers of ten; batch normalisation, which mends
# vanishing gradients and makes others explode, by a factor that contains π; the half-life of an LSTM's memory; and a descent
# that falls off a cliff, or does not, because its gradients are clipped.
#
# 梯度往回穿过五十层，就要连乘五十次，到达时很少还是原来的大小。本节跟着它走：把雅可比矩阵一个个乘起来，与三种预测对照；
# 在计算图上用颜色看梯度怎样变淡；算出网络“生来就死”的概率；画一张“结构×初始化”的地图，比较 ReLU、归一化、残差等办法；
# 检验“BatchNorm 能解决梯度消失和爆炸”（消失解决了，爆炸没有：每层乘以 $\sqrt{\pi/(\pi-1)}$）、“LSTM 缓解梯度消失”（取决于遗忘门的偏置）；
# 最后看梯度裁剪：按值、按范数、按全局范数，分别怎样改变方向，以及一次训练如何因为裁剪而没有被悬崖甩到远处。

# %%
import math

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import SymLogNorm
from setting import claim, quick
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

import tinygrad_notes as tn
from tinygrad_notes import nn
from tinygrad_notes.models.networks import MLP
from tinygrad_notes.nn import functional as F
from tinygrad_notes.train import Clip, Fit
from tinygrad_notes.train.gradient_pictures import draw_gradient_flow, draw_run, draw_through_time
from tinygrad_notes.train.gradients import GradientWatch, Watch, gradient_flow, gradient_through_time
from tinygrad_notes.utils.data import DataLoader, TensorDataset
from tinygrad_notes.viz.norms import length

# %% [markdown]
# ## A derivative that is a product
#
# A layer makes $h_l = \varphi(W_l h_{l-1})$. Its Jacobian is $J_l = \mathrm{diag}(\varphi'(z_l))\, W_l$, and the chain rule
# says
#
# $$ \frac{\partial L}{\partial h_0} = J_1^\top J_2^\top \cdots J_L^\top\; \frac{\partial L}{\partial h_L} $$
#
# The engine gives us each factor. Multiplied, they must give what `backward` gives:


# %%
def layers(depth, width, activation, draw, dtype=tn.float64):
    """``depth`` layers, Linear and activation, as a list; weights by ``draw``, biases 0."""
    found = []
    for _ in range(depth):
        linear = nn.Linear(width, width, dtype=dtype)
        draw(linear.weight)
        nn.init.zeros_(linear.bias)
        found.append(nn.Sequential(linear, activation()))
    return found


def gaussian(scale):
    """First weights of deviation ``scale`` / sqrt(inputs): 1 is Xavier's, √2 is He's."""
    return lambda weight: nn.init.normal_(weight, std=scale / weight.shape[1] ** 0.5)


def jacobians(chain, x):
    """The Jacobian of each layer at the place where x comes by."""
    found = []
    for layer in chain:
        found.append(tn.func.jacrev(layer)(x).detach().numpy())
        x = layer(x).detach()
    return found


tn.manual_seed(0)
chain = layers(6, 8, nn.Tanh, gaussian(1.0))
x = tn.randn(8, dtype=tn.float64, requires_grad=True)
weights = tn.randn(8, dtype=tn.float64)
(engine,) = tn.autograd.grad(nn.Sequential(*chain)(x) @ weights, [x])

by_hand = weights.numpy()
for J in reversed(jacobians(chain, x.detach())):
    by_hand = J.T @ by_hand
np.testing.assert_allclose(by_hand, engine.numpy(), atol=1e-14)
print("the product of six Jacobians gives the engine's gradient")

# %% [markdown]
# How large will such a product be? Three answers, from pessimistic to exact:
#
# 1. **The bound.** $\|J_1^\top \cdots J_L^\top g\| \le \prod \|J_l\|\;\|g\|$ with the largest singular value as norm. One
#    often reads: *if the norms are above 1 the gradient explodes, below 1 it vanishes.*
# 2. **The average.** A random $g$ is not in the worst direction. The root mean square of $J$'s singular values, $\|J\|_F /
#    \sqrt n$, says what happens to an average one.
# 3. **The formula** for wide random networks, without a look at any of them: $\chi = s^2\,\mathbb{E}[\varphi'^2]$ per layer,
#    from [the notebook on first weights](08_initialisation.ipynb).
#
# Thirty layers of 64 units. Which of the lines will the gradient follow? And will the bound be of the right *sign*, at least?

# %%
xi = np.linspace(-8, 8, 4001)
density = np.exp(-(xi**2) / 2) / np.exp(-(xi**2) / 2).sum()


def chi(activation, scale, depth):
    """Per layer, by how much the mean square of a gradient changes on average, in wide networks with input of mean square 1."""
    q, found = scale**2, []
    for _ in range(depth):
        z = tn.tensor(math.sqrt(q) * xi, requires_grad=True)
        h = activation()(z)
        (slope,) = tn.autograd.grad(h.sum(), [z])
        found.append(scale**2 * (slope.numpy() ** 2) @ density)
        q = scale**2 * (h.detach().numpy() ** 2) @ density
    return np.array(found)


depth, width = quick(30, 6), quick(64, 16)
nets = {
    "sigmoid, Xavier": (nn.Sigmoid, 1.0),
    "tanh, Xavier": (nn.Tanh, 1.0),
    "tanh, s = 2": (nn.Tanh, 2.0),
    "ReLU, He": (nn.ReLU, 2**0.5),
}
fig, panels = plt.subplots(1, 4, figsize=(11, 3), layout="constrained")
ends = {}
for ax, (name, (activation, scale)) in zip(panels, nets.items(), strict=True):
    tn.manual_seed(0)
    factors = jacobians(layers(depth, width, activation, gaussian(scale)), tn.randn(width, dtype=tn.float64))[::-1]
    g, measured = tn.randn(width, 20, dtype=tn.float64).numpy(), [1.0]
    start = np.linalg.norm(g)
    for J in factors:
        g = J.T @ g
        measured.append(np.linalg.norm(g) / start)
    bound = np.cumprod([1, *(np.linalg.norm(J, 2) for J in factors)])
    average = np.cumprod([1, *(np.linalg.norm(J) / width**0.5 for J in factors)])
    formula = np.cumprod([1, *np.sqrt(chi(activation, scale, depth))[::-1]])
    for values, style, label in (
        (bound, "-", "bound: product of the norms"),
        (average, "-", "average: root mean squares"),
        (formula, "--", "formula: χ, no look at the network"),
    ):
        ax.semilogy(values, style, label=label, lw=1.2)
    ax.semilogy(measured, ".", color="black", ms=4, label="measured")
    ax.axhline(1, color="gray", lw=0.5)
    ax.set(title=name, xlabel="layers passed, downward")
    ends[name] = measured[-1], bound[-1]
panels[0].set_ylabel("norm of the gradient")
fig.legend(*panels[0].get_legend_handles_labels(), frameon=False, fontsize=8, ncols=4, loc="outside lower center")
plt.show()
for name, (measured, bound) in ends.items():
    print(f"{name:16} measured {measured:8.1e}, bound {bound:8.1e}")

# %% [markdown]
# The bound is true and useless: for tanh with Xavier's weights it promises an explosion while the gradient shrinks. Random
# matrices stretch a few directions much (by up to $2s$) and squeeze most of them. The average and the formula meet the dots.
#
# ## Even where nothing vanishes, most directions do
#
# ReLU with He's weights keeps the average. But an average of what? Multiply the factors into *one* matrix and look at all of
# its 64 singular values: how strongly 64 orthogonal directions at the top are felt at the bottom. Compare with orthogonal
# weights, which stretch all directions alike. (Before you look: can a product of matrices whose singular values average to 1
# be harmless?)

# %%
cases = {
    "linear, Gaussian s = 1": (nn.Identity, gaussian(1.0)),
    "ReLU, He": (nn.ReLU, gaussian(2**0.5)),
    "tanh, Xavier": (nn.Tanh, gaussian(1.0)),
    "tanh, orthogonal": (nn.Tanh, nn.init.orthogonal_),
    "linear, orthogonal": (nn.Identity, nn.init.orthogonal_),
}
fig, panels = plt.subplots(1, 5, figsize=(11, 2.7), sharey=True, layout="constrained")
silent = {}
for ax, (name, (activation, draw)) in zip(panels, cases.items(), strict=True):
    tn.manual_seed(1)
    product, spectra = np.eye(width), [np.ones(width)]
    for J in jacobians(layers(depth, width, activation, draw), tn.randn(width, dtype=tn.float64)):
        product = J @ product
        spectra.append(np.linalg.svd(product, compute_uv=False))
    spectra = np.maximum(spectra, 1e-12)
    ax.fill_between(range(depth + 1), spectra[:, -1], spectra[:, 0], color="tab:blue", alpha=0.15)
    ax.semilogy(spectra[:, :: max(width // 8, 1)], color="tab:blue", lw=0.7)
    ax.semilogy(np.sqrt((spectra**2).mean(1)), color="tab:red", lw=1.5)
    ax.set(title=name, xlabel="layers", ylim=(1e-8, 1e3))
    silent[name] = (spectra[-1] < 0.01).mean()
panels[0].set_ylabel("singular values of the product")
plt.show()
print("share of directions weaker than 1/100:", {name: f"{share:.0%}" for name, share in silent.items()})
assert silent["ReLU, He"] > 0.5 > 0.3 > silent["tanh, orthogonal"] > silent["linear, orthogonal"] or depth < 30

# %% [markdown]
# Red is the root mean square. It stays at 1 for the first two, carried by a few directions, while most of the others sink
# below a hundredth. The gradient arrives with the right *length* and has forgotten most of what it was. Orthogonal weights
# (Saxe et al. 2014) keep all of it in a linear network and most of it with tanh. Random weights cannot do that for ReLU,
# orthogonal or not: it cuts about half of the directions at every layer.
#
# ## Three sentences to correct
#
# The notes: *"if the derivatives of the activations are above 1 the gradient explodes, below 1 it vanishes."* The weights are
# missing. Two counterexamples: tanh, whose slope is never above 1, with large weights; and $3\tanh(x)$, whose slope is 3 at 0,
# with small ones:


# %%
class Steep(nn.Module):
    def forward(self, x):
        return 3 * x.tanh()


def through(activation, draw, depth=30, width=64, seeds=3):
    """Norm of the gradient below, as a share of that above; geometric mean over seeds."""
    logs = []
    for seed in range(seeds):
        tn.manual_seed(seed)
        x = tn.randn(32, width, dtype=tn.float64, requires_grad=True)
        out = nn.Sequential(*layers(depth, width, activation, draw))(x)
        g = tn.randn_like(out)
        logs.append(math.log(tn.autograd.grad(out, [x], g)[0].norm().item() / g.norm().item()))
    return math.exp(np.mean(logs))


flat_large, steep_small = through(nn.Tanh, gaussian(4.0)), through(Steep, gaussian(0.2))
claim(
    "A5 slopes",
    "If the activation's derivatives are above 1 gradients explode with the number of layers, if below 1 they vanish.",
    "refuted",
    "A factor is slope times weights. tanh, never steeper than 1, explodes with large weights; three times tanh vanishes with "
    "small ones.",
    "tanh_large_weights > 1e3 and steep_small_weights < 1e-3",
    tanh_large_weights=flat_large,
    steep_small_weights=steep_small,
)

# %% [markdown]
# Elsewhere: *"when most of the factors are below 1 the product goes to 0, when most are above 1, to infinity."* A factor here
# is a matrix; its singular values say by how much it stretches. What is the majority of them, for ReLU and He's weights? And
# where does the product go?

# %%
tn.manual_seed(0)
factors = jacobians(layers(30, 64, nn.ReLU, gaussian(2**0.5)), tn.randn(64, dtype=tn.float64))
stretches = np.concatenate([np.linalg.svd(J, compute_uv=False) for J in factors])
claim(
    "A5 majority",
    "If most factors of the product are below 1 the gradient goes to 0, if most are above 1, to infinity.",
    "confirmed with limits",
    "True if all of them are. In between it is their sizes that decide, not the majority: two thirds of the singular values "
    "are below 1, half of them even 0, and the gradient arrives as it left, since the others are large enough for the mean "
    "square to be 1.",
    "below_one > 0.55 and 0.1 < arrives < 10",
    below_one=(stretches < 1).mean(),
    mean_square=np.mean(stretches**2),
    arrives=through(nn.ReLU, gaussian(2**0.5)),
)

# %% [markdown]
# And: *"the root of it lies in the backpropagation rule, an inborn defect."* Backpropagation only reports. If the loss really
# depends so little on an early weight, another method must find the same. Central differences know nothing of backpropagation;
# so do dual numbers (`jvp`), which go *forward*:

# %%
tn.manual_seed(0)
net = nn.Sequential(*layers(12, 16, nn.Sigmoid, gaussian(1.0)))
x, target = tn.randn(8, 16, dtype=tn.float64), tn.randn(8, 16, dtype=tn.float64)
parameters = {name: p.detach() for name, p in net.named_parameters()}
direction = tn.randn(16, 16, dtype=tn.float64)


def loss_of(weight):
    return F.mse_loss(tn.func.functional_call(net, parameters | {"0.0.weight": weight}, (x,)), target)


first = parameters["0.0.weight"]
backward = (tn.func.grad(loss_of)(first) * direction).sum().item()
forward = tn.func.jvp(loss_of, (first,), (direction,))[1].item()
h = 1e-3
difference = (loss_of(first + h * direction).item() - loss_of(first - h * direction).item()) / (2 * h)
print(f"backward {backward:.6e}, forward {forward:.6e}, difference quotient {difference:.6e}")
claim(
    "A5 backpropagation",
    "Vanishing and exploding gradients are rooted in the rule of backpropagation, an inborn defect.",
    "refuted",
    "Forward differentiation and plain difference quotients find the same tiny number: it is the function that is flat.",
    "abs(forward_over_backward - 1) < 1e-6 and abs(difference_over_backward - 1) < 1e-3 and abs(backward) < 1e-6",
    backward=backward,
    forward_over_backward=forward / backward,
    difference_over_backward=difference / backward,
)

# %% [markdown]
# ## Seeing it
#
# In a real model nobody multiplies Jacobians. Three tools look for you. **The graph, tinted**: `tint="grad"` colours every box
# by the norm of the gradient (of the sum of the outputs) there. Six equal hidden layers of sigmoid are drawn as one frame, ×6,
# and the stripes in its boxes are those layers, the first on the left:

# %%
tn.manual_seed(0)
small = MLP([16] * 7 + [4], nn.Sigmoid)
for p in small.parameters():
    (nn.init.xavier_normal_ if p.ndim == 2 else nn.init.zeros_)(p)
x, target = tn.randn(32, 16), tn.tensor(np.arange(32) % 4)
tn.viz.draw(small(x), tint="grad")

# %% [markdown]
# **`gradient_flow`** says it per parameter, after `backward`. Grey is the size of the parameter, blue the size of its gradient:

# %%
F.cross_entropy(small(x), target).backward()
draw_gradient_flow(gradient_flow(small))

# %% [markdown]
# The weights are all of about the same size (biases begin at 0: no grey); their gradients are nearly four decades apart, from
# the last layer to the first.
#
# **`Watch`** looks at what activations give: how many are saturated (a slope under 5 % of the steepest), how many units are
# dead (slope 0 for every example), and how large the gradient is there. Four networks of twenty layers. Guess first where the
# saturated ones are, in the net whose gradient vanishes or in the one whose gradient explodes:

# %%
print(f"{'twenty layers of 64':22}{'saturated':>11}{'dead':>8}{'gradient, first layer / last':>32}")
for name, activation, draw in (
    ("sigmoid, Xavier", nn.Sigmoid, gaussian(1.0)),
    ("tanh, Xavier", nn.Tanh, gaussian(1.0)),
    ("tanh, s = 8", nn.Tanh, gaussian(8.0)),
    ("ReLU, He", nn.ReLU, gaussian(2**0.5)),
):
    tn.manual_seed(0)
    net = nn.Sequential(*[part for layer in layers(20, 64, activation, draw) for part in layer])
    with Watch(net, [str(i) for i in range(1, 40, 2)]) as watch:
        out = net(tn.randn(100, 64, dtype=tn.float64))
        out.backward(tn.randn_like(out))
    report = watch.report()
    saturated, dead = (np.mean([entry[key] for entry in report.values()]) for key in ("saturated", "dead"))
    ratio = report["1"]["gradient"]["norm"] / report["39"]["gradient"]["norm"]
    print(f"{name:22}{saturated:11.0%}{dead:8.0%}{ratio:32.1e}")

# %% [markdown]
# Saturation and vanishing are two different things. Not one sigmoid here is saturated (the slope is a quarter everywhere, and
# that is enough), while the saturated tanh network explodes. (A ReLU that is off counts as saturated; that is its business,
# half of the time.)
#
# ## Dead at birth
#
# ReLU can make a gradient vanish *exactly*. A unit with a random symmetric weight vector is off for a given input with
# probability $\tfrac12$, whatever the scale. A layer of $n$ units is off altogether with probability $2^{-n}$, and then
# nothing of this input gets through, neither up nor down. So, for one given input,
#
# $$ P(\text{dead}) = 1 - (1 - 2^{-n})^L $$
#
# That is a small number for wide layers and a large one for narrow deep ones. 2,000 networks each, run side by side as stacked
# matrices:

# %%
tn.manual_seed(0)
count, widths = quick(2000, 100), [2, 3, 4, 5, 6, 8]
fig, ax = plt.subplots(figsize=(6.5, 3.2))
worst = 0.0
for depth, color in ((10, "tab:blue"), (50, "tab:orange"), (200, "tab:red")):
    shares = []
    for width in widths:
        h = tn.randn(count, width, 1, dtype=tn.float64)
        for _ in range(depth):
            h = (tn.randn(count, width, width, dtype=tn.float64) @ h * (2 / width) ** 0.5).relu()
            h = h / h.amax(1, keepdim=True).clamp(min=1e-12)  # only the sign matters: no overflow, no underflow
        shares.append((h.sum(1) == 0).double().mean().item())
    formula = 1 - (1 - 0.5 ** np.array(widths)) ** depth
    worst = max(worst, np.abs(formula - shares).max())
    ax.plot(widths, formula, color=color, label=f"{depth} layers")
    ax.plot(widths, shares, "o", color=color)
ax.set(xlabel="units per layer", ylabel="share of networks whose gradient is 0", ylim=(-0.02, 1.02))
ax.legend(frameon=False)
plt.show()
print(f"largest difference from the formula: {worst:.3f}")
assert worst < 0.05 or count < 2000

# %% [markdown]
# Lines are the formula, dots are networks, each with one input. Three units per layer sound like a toy, but think of a
# bottleneck.
#
# ## Who learns?
#
# "The layers in front learn much more slowly than those behind, or do not change at all." Six layers of sigmoid on digits.
# `GradientWatch` is a callback of `Fit` that notes the norms while training; its picture shows the weights' gradients from the
# first layer (dark) to the last (yellow):

# %%
images, labels = load_digits(return_X_y=True)
images, test_images, labels, test_labels = train_test_split(images, labels, test_size=0.25, stratify=labels, random_state=0)
scaler = StandardScaler().fit(images)
X, y = tn.tensor(scaler.transform(images)).float(), tn.tensor(labels)
X_test, y_test = tn.tensor(scaler.transform(test_images)).float(), tn.tensor(test_labels)


def started(net, draw):
    for p in net.parameters():
        (draw if p.ndim == 2 else nn.init.zeros_)(p)
    return net


tn.manual_seed(0)
net = started(MLP([64] * 7 + [10], nn.Sigmoid), nn.init.xavier_normal_)
before = {name: p.detach().clone() for name, p in net.named_parameters()}
watch = GradientWatch(every=8)
batches = DataLoader(TensorDataset(X, y), batch_size=64, shuffle=True)
Fit(net, F.cross_entropy, tn.optim.SGD(net.parameters(), lr=0.5, momentum=0.9), batches, callbacks=[watch]).run(quick(8, 1))
moved = {
    name: tn.dist(p, before[name]).item() / before[name].norm().item()
    for name, p in net.named_parameters()
    if name.endswith("weight")
}
records = [
    {"step": record["step"], "flow": {name: entry for name, entry in record["flow"].items() if name in moved}}
    for record in watch.records
]
draw_run(records, title="six layers of sigmoid on digits")

# %%
print("moved, as a share of the first weights:", {name: f"{share:.1e}" for name, share in moved.items()})
claim(
    "A5 front layers",
    "Where gradients vanish, the layers in front learn much more slowly than those behind, or do not change.",
    "confirmed",
    "After the whole training the first matrix has moved by a tiny share of its size, the last by a large one.",
    "first < 0.01 and last > 100 * first",
    first=moved["0.weight"],
    third=moved["4.weight"],
    last=moved["12.weight"],
)

# %% [markdown]
# *And where gradients explode, the front layers' speed soars, and gradients swing violently.* Thirty layers of tanh, Xavier's
# weights against three times as large ones, plain SGD. Two numbers: how much more an update moves the first hidden matrix than
# the last, and by what factor the gradient's norm differs between one update and the next:


# %%
def updates(scale, seed):
    """How much more the first update moves the first hidden matrix than the last; the gradient's norm at every update."""
    tn.manual_seed(seed)
    hidden = [part for layer in layers(quick(30, 4), 64, nn.Tanh, gaussian(scale), tn.float32) for part in layer]
    net, watch = nn.Sequential(*hidden, nn.Linear(64, 10)), GradientWatch(every=1, modules=[])
    Fit(net, F.cross_entropy, tn.optim.SGD(net.parameters(), lr=0.05), batches, callbacks=[watch]).run(quick(3, 1))
    flows = [list(record["flow"].values()) for record in watch.records]  # weight, bias, weight, bias, ...
    return flows[0][0]["ratio"] / flows[0][-4]["ratio"], [math.hypot(*(entry["norm"] for entry in flow)) for flow in flows]


fig, ax = plt.subplots()
front, swing = {}, {}
for scale, color in ((1.0, "tab:blue"), (3.0, "tab:red")):
    runs = [updates(scale, seed) for seed in range(quick(3, 1))]
    front[scale] = np.exp(np.mean([np.log(ratio) for ratio, _ in runs]))
    swing[scale] = 10 ** np.mean([np.abs(np.diff(np.log10(norms))).mean() for _, norms in runs])
    ax.semilogy(runs[0][1], color=color, lw=0.9, label=f"weights {scale:g} × Xavier's")
ax.set(xlabel="update", ylabel="norm of the whole gradient")
ax.legend(frameon=False)
plt.show()
claim(
    "A5 front explodes",
    "Where gradients explode, the layers near the input train at a soaring rate, and their gradients change violently.",
    "confirmed",
    "The first update moves the first matrix many times as much as the last, and the norm jumps from one update to the next.",
    "front_large > 5 and front_large > 5 * front_xavier and swing_large > 1.3 and swing_large > swing_xavier",
    front_large=front[3.0],
    front_xavier=front[1.0],
    swing_large=swing[3.0],
    swing_xavier=swing[1.0],
)

# %% [markdown]
# ## The map of remedies
#
# Now the cures, side by side, and each from five first weights. Fifty blocks of 64 units; the gradient's norm at the bottom
# over that at the top, as a power of ten. A block is
#
# - plain: $\varphi(W h)$, or with a normalisation, $\varphi(\mathrm{norm}(W h))$;
# - a residual block: $h + \varphi(\mathrm{norm}(W h))$ (He et al. 2016), where a scale $1/\sqrt{L}$ in front of $\varphi$ is
#   one more idea;
# - "pre-norm", as in Transformers: $h + \varphi(W\, \mathrm{norm}(h))$.
#
# Before you run it: which row will be white (0) from left to right? And what does batch normalisation do, of which the notes
# say that it removes the effect of the weights and so *solves vanishing and exploding*?


# %%
class Block(nn.Module):
    def __init__(self, width, activation, norm=nn.Identity, skip=False, share=1.0, first=False, pieces=1):
        self.linear, self.norm, self.activation = nn.Linear(width, pieces * width), norm(pieces * width), activation()
        self.skip, self.share, self.first = skip, share, first

    def forward(self, x):
        h = self.linear(self.norm(x)) if self.first else self.norm(self.linear(x))
        h = self.activation(h)
        return x + self.share * h if self.skip else h


kinds = {
    "sigmoid": {"activation": nn.Sigmoid},
    "tanh": {"activation": nn.Tanh},
    "ReLU": {"activation": nn.ReLU},
    "ReLU, batch norm": {"activation": nn.ReLU, "norm": nn.BatchNorm1d},
    "tanh, batch norm": {"activation": nn.Tanh, "norm": nn.BatchNorm1d},
    "ReLU, layer norm": {"activation": nn.ReLU, "norm": nn.LayerNorm},
    "ReLU, residual": {"activation": nn.ReLU, "skip": True},
    "ReLU, residual / √L": {"activation": nn.ReLU, "skip": True, "share": 50**-0.5},
    "ReLU, residual, batch norm": {"activation": nn.ReLU, "skip": True, "norm": nn.BatchNorm1d},
    "ReLU, pre-norm (layer)": {"activation": nn.ReLU, "skip": True, "norm": nn.LayerNorm, "first": True},
    "sigmoid, residual": {"activation": nn.Sigmoid, "skip": True},
}
starts = {
    "σ = 0.01": lambda weight: nn.init.normal_(weight, std=0.01),
    "PyTorch's": lambda weight: nn.init.uniform_(weight, -(weight.shape[1] ** -0.5), weight.shape[1] ** -0.5),
    "Xavier": nn.init.xavier_normal_,
    "He": lambda weight: nn.init.kaiming_normal_(weight, nonlinearity="relu"),
    "σ = 1": nn.init.normal_,
}


def decades(kind, draw, depth=50, width=64, examples=64, seed=0):
    """log10 of the gradient's norm below, over that above."""
    tn.manual_seed(seed)
    net = nn.Sequential(*[Block(width, **kind) for _ in range(depth)]).double()
    for module in net.modules():
        if isinstance(module, nn.Linear):
            draw(module.weight)
            nn.init.zeros_(module.bias)
    x = tn.randn(examples, width, dtype=tn.float64, requires_grad=True)
    out = net(x)
    g = tn.randn_like(out)
    return math.log10(length(tn.autograd.grad(out, [x], g)[0].numpy().ravel()) / length(g.numpy().ravel()))


depth = quick(50, 4)
table = np.array([[decades(kind, draw, depth) for draw in starts.values()] for kind in kinds.values()])

# %%
fig, ax = plt.subplots(figsize=(7.5, 5))
image = ax.imshow(table, cmap="RdBu_r", norm=SymLogNorm(1, vmin=-60, vmax=60), aspect="auto")
for (row, column), value in np.ndenumerate(table):
    ax.text(column, row, f"{value:+.1f}", ha="center", va="center", color="white" if abs(value) > 15 else "black", fontsize=9)
ax.set_xticks(range(5), starts)
ax.set_yticks(range(len(kinds)), kinds)
ax.tick_params(length=0, labeltop=True, labelbottom=False)
ax.spines[:].set_visible(False)
fig.colorbar(image, ax=ax, label="gradient below / above, power of ten", ticks=[-60, -10, -1, 0, 1, 10, 60], format="%+g")
plt.show()

# %% [markdown]
# Read it row by row.
#
# - **sigmoid** is blue everywhere: ten to the minus thirty with Xavier's weights. No start in use saves it.
# - **tanh** and **ReLU** have one good column each, Xavier's and He's. Far from it, tens of powers of ten are lost or gained.
# - **Batch norm** has the same number in *all* columns: the weights' scale is indeed without effect. But that number is not 0!
# - **Layer norm** has nearly 0 in all columns.
# - **Residual** blocks never vanish, because the identity is always there: even sigmoid is cured. But without anything that
#   bounds the sums they explode; with a normalisation inside they hardly do, and with a small share only if the weights are
#   huge ($\sigma = 1$).


# %%
def mean_decades(kind, draw):
    return np.mean([decades(kind, draw, depth, seed=seed) for seed in range(quick(3, 1))])


class Pairs(nn.Module):
    """The larger of each two neighbours: maxout behind a Linear with twice as many outputs."""

    def forward(self, x):
        return F.maxout(x, 2)


maxout = {"activation": Pairs, "pieces": 2}
claim(
    "A5 relu",
    "Take ReLU or maxout in place of sigmoid: that relieves vanishing gradients.",
    "confirmed with limits",
    "With first weights that suit them nothing vanishes in fifty layers. With PyTorch's usual ones ReLU's gradient vanishes "
    "as well, half as fast as sigmoid's (in decades): the activation and the weights belong together.",
    "sigmoid_he < -15 and abs(relu_he) < 3 and abs(maxout_xavier) < 3 and 0.75 * sigmoid_usual < relu_usual < -10",
    sigmoid_he=mean_decades(kinds["sigmoid"], starts["He"]),
    relu_he=mean_decades(kinds["ReLU"], starts["He"]),
    maxout_xavier=mean_decades(maxout, gaussian(1.0)),
    relu_usual=mean_decades(kinds["ReLU"], starts["PyTorch's"]),
    sigmoid_usual=mean_decades(kinds["sigmoid"], starts["PyTorch's"]),
)

# %%
customary = table[:3, 1:4]
claim(
    "A5 more often",
    "In deep networks it is more often that gradients vanish than that they explode.",
    "confirmed with limits",
    "With customary first weights and no remedy so it is. Larger weights, residual sums and batch normalisation turn it round.",
    "vanishing > 3 * exploding + 2 and exploding_remedies > vanishing_remedies",
    vanishing=(customary < -3).sum(),
    exploding=(customary > 3).sum(),
    vanishing_remedies=(table[3:, 1:4] < -3).sum(),
    exploding_remedies=(table[3:, 1:4] > 3).sum(),
)

# %% [markdown]
# ### A factor with π in it
#
# Why does batch normalisation explode? Take a layer $\mathrm{relu}(\mathrm{bn}(Wh))$ whose input is the output of another.
# ReLU hands on numbers that are all positive: their mean square is $\tfrac12$, but around their mean only $\tfrac12 -
# \tfrac1{2\pi}$. Batch normalisation subtracts the mean, so it divides by *that* deviation: it enlarges more than ReLU has
# shrunk. The gradient's mean square is halved by ReLU and then divided by the variance,
#
# $$ \frac{1/2}{1/2 - 1/2\pi} = \frac{\pi}{\pi - 1} = 1.467 \quad\text{per layer}, \qquad \text{its norm by } 1.211 $$
#
# (Yang et al. 2019 derive it properly.) No weights in it, so no initialisation can help:

# %%
depths = quick([5, 10, 20, 30, 40, 50], [2, 4])
grown = [
    np.mean([decades(kinds["ReLU, batch norm"], starts["He"], d, seed=seed) for seed in range(quick(3, 1))]) for d in depths
]
per_layer = 10 ** np.polyfit(depths, grown, 1)[0]
fig, ax = plt.subplots(figsize=(6, 3))
ax.plot(depths, grown, "o", color="tab:red", label="measured")
ax.plot(depths, np.array(depths) * math.log10(math.pi / (math.pi - 1)) / 2, color="black", label="$(\\pi/(\\pi-1))^{L/2}$")
ax.set(xlabel="layers with batch normalisation and ReLU", ylabel="gradient below / above,\npower of ten")
ax.legend(frameon=False)
plt.show()
claim(
    "A5 batch norm",
    "Batch normalisation removes the effect of the weights' scale and so solves vanishing and exploding gradients.",
    "confirmed with limits",
    "Vanishing yes, whatever the weights. But at the start it makes gradients explode by itself, by √(π/(π − 1)) = 1.21 per "
    "layer of ReLU: four decades in fifty layers.",
    "abs(per_layer - 1.211) < 0.03 and highest - lowest < 0.5 and lowest > 3",
    per_layer=per_layer,
    lowest=table[3].min(),
    highest=table[3].max(),
)

# %% [markdown]
# ### A thousand layers?
#
# "With residual networks one can build hundreds, even more than a thousand layers without fear that gradients vanish too
# fast." Width 32, up to 1,000 blocks:

# %%
depths = quick([10, 50, 200, 1000], [4, 8])
tall = {
    name: [decades(kinds[name], starts["He"], d, width=32, examples=32) for d in depths]
    for name in ("ReLU", "ReLU, residual", "ReLU, residual, batch norm", "ReLU, pre-norm (layer)")
}
fig, ax = plt.subplots(figsize=(8, 3.4), layout="constrained")
for name, values in tall.items():
    ax.semilogx(depths, values, "o-", label=name)
ax.axhline(0, color="gray", lw=0.5)
ax.set(xlabel="blocks", ylabel="gradient below / above,\npower of ten", yscale="symlog", ylim=(-30, 600))
ax.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
plt.show()
claim(
    "A5 residual",
    "With residual networks hundreds or a thousand layers can be built without gradients vanishing too fast.",
    "confirmed with limits",
    "With a normalisation in the branch the norm changes by a factor of some tens to some thousands through 1,000 blocks, less "
    "than one per cent per block on average (1.01 to the 1,000th is ten to the 4.3). Without one the gradient explodes.",
    "4.3 > max(abs(normalised), abs(pre_norm)) and bare > 30",
    normalised=tall["ReLU, residual, batch norm"][-1],
    pre_norm=tall["ReLU, pre-norm (layer)"][-1],
    bare=tall["ReLU, residual"][-1],
)

# %% [markdown]
# ### And do they learn?
#
# A gradient of the right size is not yet a network that learns. Fifty blocks of 64 units between the pixels and the ten
# classes, He's weights, SGD with momentum for four epochs, the better of two rates, two seeds. Who will be first, and who will
# not move?


# %%
def learned(kind, lr, seed, depth=50):
    tn.manual_seed(seed)
    blocks = [Block(64, **kind) for _ in range(depth)]
    net = started(nn.Sequential(*blocks, nn.Linear(64, 10)), starts["He"])
    for module in net.modules():
        if isinstance(module, nn.BatchNorm1d | nn.LayerNorm):
            nn.init.ones_(module.weight)
    batches = DataLoader(TensorDataset(X, y), batch_size=128, shuffle=True)
    try:
        Fit(net, F.cross_entropy, tn.optim.SGD(net.parameters(), lr=lr, momentum=0.9), batches).run(quick(4, 1))
    except FloatingPointError:
        return 0.1
    net.eval()
    with tn.no_grad():
        return (net(X_test).argmax(1) == y_test).double().mean().item()


tried = (
    "tanh",
    "ReLU",
    "ReLU, batch norm",
    "ReLU, residual",
    "ReLU, residual, batch norm",
    "ReLU, pre-norm (layer)",
)
seeds = quick(2, 1)
results = {
    name: max(
        ([learned(kinds[name], lr, seed, quick(50, 3)) for seed in range(seeds)] for lr in quick((0.1, 0.01), (0.01,))),
        key=np.mean,
    )
    for name in tried
}
fig, ax = plt.subplots(figsize=(7, 3), layout="constrained")
ax.barh(range(len(tried)), [np.mean(result) for result in results.values()], color="lightsteelblue")
for place, result in enumerate(results.values()):
    ax.plot(result, [place] * seeds, "o", color="tab:blue", ms=4)
ax.axvline(0.1, color="gray", lw=0.8, ls="--")
ax.set_yticks(range(len(tried)), tried)
ax.invert_yaxis()
ax.set(xlabel="test accuracy after four epochs (dashed: guessing)", xlim=(0, 1))
plt.show()
claim(
    "G residual",
    "Networks of several tens of layers are not worth mentioning beside residual networks.",
    "confirmed with limits",
    "Of fifty layers those with shortcuts and a normalisation learn, plain ReLU hardly at all, tanh something. But shortcuts "
    "alone learn nothing, and batch normalisation alone hardly more: it takes both.",
    "min(residual_batch_norm, pre_norm) > max(plain_tanh, plain_relu, batch_norm_alone) + 0.1 and residual_alone < 0.2",
    plain_tanh=np.mean(results["tanh"]),
    plain_relu=np.mean(results["ReLU"]),
    residual_alone=np.mean(results["ReLU, residual"]),
    batch_norm_alone=np.mean(results["ReLU, batch norm"]),
    residual_batch_norm=np.mean(results["ReLU, residual, batch norm"]),
    pre_norm=np.mean(results["ReLU, pre-norm (layer)"]),
)

# %% [markdown]
# ## Through time
#
# A recurrent network is a deep one whose layers share *one* matrix. For a linear recurrence $h_t = W h_{t-1}$ the product is
# $W^t$, and there is a third number to predict it with: not the largest singular value (the bound), not the root mean square
# (the average of the first step), but the largest *eigenvalue* $\rho$, because in the end $\|W^t\| \approx \rho^t$.
# `gradient_through_time` reads the norms off any loop whose steps are written in a `scope`. Three matrices of the same $\rho =
# 0.8$: what differs?

# %%
rng = np.random.default_rng(0)
n, steps, rho = 8, quick(120, 8), 0.8
random = rng.normal(size=(n, n))
matrices = {
    "a rotation": np.linalg.qr(rng.normal(size=(n, n)))[0],
    "Gaussian": random / np.abs(np.linalg.eigvals(random)).max(),
    "triangular": np.eye(n) + np.diag(np.full(n - 1, 0.6), 1),
}
fig, panels = plt.subplots(1, 3, figsize=(11, 3.2), sharey=True, layout="constrained")
for ax, (name, matrix) in zip(panels, matrices.items(), strict=True):
    W = tn.tensor(rho * matrix)
    h = tn.randn(n, dtype=tn.float64, requires_grad=True)
    for t in range(steps):
        with tn.scope("step", t):
            h = W @ h
    (norms,) = gradient_through_time(h @ tn.tensor(rng.normal(size=n))).values()
    back = np.arange(steps)
    ax.semilogy(back, norms[::-1] / norms[-1], ".", color="black", label="measured")
    ax.semilogy(back, np.linalg.norm(rho * matrix, 2) ** back, color="tab:blue", label="largest singular value$^t$ (bound)")
    ax.semilogy(back, rho**back, color="tab:red", label="largest eigenvalue$^t$")
    ax.set(title=name, xlabel="steps back", ylim=(1e-13, 1e7))
panels[0].set_ylabel("norm of the gradient")
panels[0].legend(frameon=False, fontsize=8, loc="lower left")
plt.show()

# %% [markdown]
# The rotation keeps to both lines, which coincide. The triangular matrix has nothing but the eigenvalue 0.8, and yet the
# gradient *grows* at first, and even after a hundred steps it is many decades above the eigenvalue's line: what a matrix does
# in the end it need not do in the first twenty steps. (Pascanu et al. 2013: a largest singular value below 1 suffices for
# vanishing, above 1 is only *necessary* for exploding.) With tanh, the slopes multiply as well; [the notebook on recurrent
# networks](14_rnn_lstm_bptt.ipynb) goes on from there.
#
# ### The half-life of an LSTM
#
# "The LSTM mends vanishing gradients." Along the cell, $c_t = f_t\,c_{t-1} + i_t\,g_t$, the factor per step is the forget gate
# $f$. At the start $f \approx \sigma(b)$ with the forget gate's bias $b$, so that half of the gradient is lost after
#
# $$ t_{1/2} = \frac{\ln 2}{-\ln \sigma(b)} \quad\text{steps:}\qquad b = 0: 1, \; b = 1: 2.2, \; b = 3: 14, \; b = 5: 103 $$
#
# But this is one road only. The gradient has another: $c \to h \to$ gates of the next step $\to c$. We close it (recurrent
# weights 0), then open it:


# %%
def reach(layer, steps):
    """Norm of the gradient at the state after each step, for a loss at the last."""
    outputs, _ = layer(tn.randn(steps, 16, 4, dtype=tn.float64))
    (norms,) = gradient_through_time((outputs[-1] * tn.randn_like(outputs[-1])).sum()).values()
    return norms


steps, roads, arrived = quick(100, 20), {}, {}
for bias in (0.0, 1.0, 3.0, 5.0):
    tn.manual_seed(0)
    layer = nn.LSTM(4, 32, dtype=tn.float64).forget_bias_(bias)
    with tn.no_grad():
        layer.weight_hh_l0.zero_()
    norms = np.log(reach(layer, steps)[: steps // 2])
    half_life = math.log(2) / np.polyfit(np.arange(len(norms)), norms, 1)[0]
    predicted = math.log(2) / math.log(1 + math.exp(-bias))
    print(f"b = {bias:g}: half-life {half_life:6.1f} steps, predicted {predicted:6.1f}")
    assert abs(half_life / predicted - 1) < 0.2

# %%
memories = {"RNN": (nn.RNN, None), "GRU": (nn.GRU, None)} | {f"LSTM, b = {b}": (nn.LSTM, b) for b in (0, 1, 3, 5)}
for name, (kind, bias) in memories.items():
    curves = []
    for seed in range(quick(5, 1)):
        tn.manual_seed(seed)
        layer = kind(4, 32, dtype=tn.float64)
        curves.append(reach(layer if bias is None else layer.forget_bias_(bias), steps))
    roads[name] = np.exp(np.log(curves).mean(0))  # the geometric mean
    arrived[name] = roads[name][0] / roads[name][-1]
draw_through_time(roads)

# %%
claim(
    "I6 lstm",
    "The LSTM mends vanishing gradients.",
    "confirmed with limits",
    "It makes them a matter of the forget gate's bias: with b = 5 the gradient is still there after a hundred steps, with the "
    "usual b = 0 it has vanished by about twenty decades, as a GRU's, and a plain network's somewhat more.",
    "rnn < 1e-6 and bias_0 < 1e-6 and bias_5 > 0.1",
    rnn=arrived["RNN"],
    gru=arrived["GRU"],
    bias_0=arrived["LSTM, b = 0"],
    bias_1=arrived["LSTM, b = 1"],
    bias_3=arrived["LSTM, b = 3"],
    bias_5=arrived["LSTM, b = 5"],
)

# %% [markdown]
# With the second road closed the formula holds. With both open *more* arrives: at $b = 0$ the half-life is one and a half
# steps in place of one, and at $b = 3$ and $5$ the gradient hardly fades; at 5 it even grows on its way back. What the gates
# pass along adds to what the cell keeps, so an LSTM can explode.
#
# ## Clipping
#
# Explosion has a cure of its own: cut the gradient down where it is too large. There are three ways, and they differ in what
# they do to the *direction*:
#
# - by **value**: every number is clamped to $\pm c$ (`clip_grad_value_`);
# - by **norm**, each parameter on its own: $g_i \leftarrow g_i\,\min(1, c/\|g_i\|)$;
# - by **global norm**, all parameters together: $g \leftarrow g\,\min(1, c/\|g\|)$ (`clip_grad_norm_`).
#
# Two numbers can be drawn. Grey arrows before, red after:


# %%
def clipped(gradients, how, limit):
    """Copies of the gradients, clipped: "value", "each norm" or "global norm"."""
    owners = [tn.zeros_like(g) for g in gradients]
    for owner, g in zip(owners, gradients, strict=True):
        owner.grad = g.clone()
    if how == "value":
        nn.utils.clip_grad_value_(owners, limit)
    elif how == "global norm":
        nn.utils.clip_grad_norm_(owners, limit)
    else:
        for owner in owners:
            nn.utils.clip_grad_norm_(owner, limit)
    return [owner.grad for owner in owners]


fig, panels = plt.subplots(1, 2, figsize=(8, 3.8), layout="constrained")
rng = np.random.default_rng(3)
arrows = rng.normal(size=(14, 2)) * [2.2, 0.9]
for ax, how in zip(panels, ("value", "global norm"), strict=True):
    shorter = np.array([clipped([tn.tensor(g)], how, 1.0)[0].numpy() for g in arrows])
    zero = np.zeros(len(arrows))
    for vectors, color, width in ((arrows, "lightgray", 0.008), (shorter, "tab:red", 0.006)):
        ax.quiver(zero, zero, *vectors.T, angles="xy", scale_units="xy", scale=1, color=color, width=width)
    ax.add_patch(
        plt.Rectangle((-1, -1), 2, 2, fill=False, ls="--") if how == "value" else plt.Circle((0, 0), 1, fill=False, ls="--")
    )
    ax.set(title=f"by {how}", xlim=(-4.7, 4.7), ylim=(-2.6, 3.2), aspect="equal", xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
plt.show()

# %% [markdown]
# Clamping pushes long arrows onto the edge of a square, the longest into its corners: the direction turns towards the
# diagonals, and two very different gradients can become equal. With a real gradient, of a plain recurrent network whose
# weights are too large, how far does it turn? All limits from a millionth of the gradient's norm up to the norm itself:

# %%
tn.manual_seed(0)
layer = nn.RNN(4, 32)
with tn.no_grad():
    layer.weight_hh_l0.mul_(3)
outputs, _ = layer(tn.randn(30, 16, 4))
gradients = list(tn.autograd.grad((outputs[-1] * tn.randn(16, 32)).mean(), list(layer.parameters())))
flat = np.concatenate([g.numpy().ravel() for g in gradients])
limits = np.geomspace(1e-6, 1, 25) * np.linalg.norm(flat)
fig, ax = plt.subplots(figsize=(6.5, 3.2))
turned = {}
for how, color in (("value", "tab:blue"), ("each norm", "tab:orange"), ("global norm", "tab:red")):
    angles = []
    for limit in limits.tolist():
        cut = np.concatenate([g.numpy().ravel() for g in clipped(gradients, how, limit)])
        cosine = flat @ cut / np.linalg.norm(flat) / np.linalg.norm(cut)
        angles.append(math.degrees(math.acos(min(cosine, 1.0))))
    ax.semilogx(limits / np.linalg.norm(flat), angles, "o-", ms=3, color=color, label=f"by {how}")
    turned[how] = max(angles)
ax.set(xlabel="limit, as a share of the gradient's norm", ylabel="angle turned, degrees", ylim=(-2, 60))
ax.legend(frameon=False)
plt.show()
print("turned at most by", {how: f"{angle:.1f}°" for how, angle in turned.items()})
assert turned["global norm"] < 0.1 < 10 < turned["value"]

# %% [markdown]
# The global norm keeps the direction, so a clipped step is still one of steepest descent, only shorter. (The others lead
# downhill, too, since no number changes its sign, but on another way.) That is why it is the one in use. (Small limits turn
# "by value" into the *sign* of the gradient.)
#
# ### The cliff
#
# Why is a shorter step all that is needed? Take the smallest recurrent network, one unit with two numbers (Pascanu et al.
# 2013):
#
# $$ x_{t} = \sigma(w\,x_{t-1} + b), \quad x_0 = \tfrac12, \qquad L = (x_{20} - 0.7)^2 $$
#
# On one side of a line in the plane of $(w, b)$ the unit ends near 0, on the other near 1. Between them is a wall, and at its
# foot the valley that descent is looking for. Here is the landscape; then a walk without clipping, and the same walk with the
# norm clipped to 0.2:


# %%
def end_loss(point):
    w, b = point[..., 0], point[..., 1]
    x = tn.full(w.shape, 0.5, dtype=tn.float64)
    for _ in range(20):
        x = (w * x + b).sigmoid()
    return (x - 0.7).square()


def walk(start, lr, limit=None, steps=80):
    point = tn.tensor(start, dtype=tn.float64, requires_grad=True)
    optimizer, path, norms = tn.optim.SGD([point], lr=lr), [start], []
    for _ in range(steps):
        optimizer.zero_grad()
        end_loss(point).backward()
        norms.append(nn.utils.clip_grad_norm_(point, math.inf if limit is None else limit).item())
        optimizer.step()
        path.append(tuple(point.tolist()))
    return np.array(path), np.array(norms)


start = (6.0, -2.2)
free, free_norms = walk(start, 2.0)
held, held_norms = walk(start, 2.0, limit=0.2)

w, b = np.meshgrid(np.linspace(2, 12, 220), np.linspace(-5, 10, 220))
with tn.no_grad():
    surface = end_loss(tn.tensor(np.stack([w, b], -1))).numpy()
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.3), width_ratios=[1.3, 1], layout="constrained")
image = left.pcolormesh(w, b, surface, cmap="Greys", vmin=0, vmax=0.6)
left.plot(*free.T, "o-", color="tab:red", ms=3, lw=0.8, label="not clipped")
left.plot(*held.T, "o-", color="tab:blue", ms=3, lw=0.8, label="clipped to 0.2")
left.plot(*start, "*", color="black", ms=12)
left.set(xlabel="w", ylabel="b", xlim=(2, 12), ylim=(-5, 10))
left.legend(frameon=False, loc="upper left")
fig.colorbar(image, ax=left, label="loss")
with tn.no_grad():
    for path, color in ((free, "tab:red"), (held, "tab:blue")):
        right.semilogy(np.maximum(end_loss(tn.tensor(path)).numpy(), 1e-6), color=color)
right.set(xlabel="step", ylabel="loss")
plt.show()
print(f"largest gradient {free_norms.max():.1f}; farthest step {np.linalg.norm(np.diff(free, axis=0), axis=1).max():.1f}")
assert np.linalg.norm(free[-1] - free[-2]) < 0.01 < 5 < np.linalg.norm(np.diff(free, axis=0), axis=1).max()
assert end_loss(tn.tensor(held[-20:])).numpy().mean() < 0.5 * end_loss(tn.tensor(free[-20:])).numpy().mean()

# %% [markdown]
# One step too many at the wall, one gradient a hundred times as large as the others, and the red walk lands on a plateau where
# the gradient is nearly 0: exploding is followed by vanishing. The blue one falls off the same wall again and again, but never
# far, and works its way down the valley.
#
# ### In a real network
#
# The notes have three medicines against explosion: clip the gradient, penalise the weights, lower the learning rate. A plain
# recurrent network reads a digit in 16 steps of four pixels. Its recurrent weights are three times too large. Each medicine at
# four rates, and for comparison the start that makes none necessary ($s = 1$). Bet before you run: will clipping win?


# %%
class Reader(nn.Module):
    def __init__(self, scale, units=32):
        self.rnn, self.head = nn.RNN(4, units), nn.Linear(units, 10)
        gaussian(scale)(self.rnn.weight_hh_l0)

    def forward(self, x):
        outputs, _ = self.rnn(x.reshape(len(x), 16, 4).permute(1, 0, 2))
        return self.head(outputs[-1])


def treated(lr, seed, scale=3.0, clip=None, penalty=0.0):
    """Test accuracy, and the median of the gradient's norm before any clipping, over the last half of the updates."""
    tn.manual_seed(seed)
    net, watch = Reader(scale), GradientWatch(every=1, modules=[])
    optimizer = tn.optim.SGD(net.parameters(), lr=lr, momentum=0.9, weight_decay=penalty)
    batches = DataLoader(TensorDataset(X, y), batch_size=64, shuffle=True)
    Fit(net, F.cross_entropy, optimizer, batches, callbacks=[watch] + ([Clip(norm=clip)] if clip else [])).run(quick(5, 1))
    norms = [math.hypot(*(entry["norm"] for entry in record["flow"].values())) for record in watch.records]
    with tn.no_grad():
        return (net(X_test).argmax(1) == y_test).double().mean().item(), np.median(norms[len(norms) // 2 :])


rates = quick([0.3, 0.1, 0.03, 0.01], [0.1, 0.03])
medicines = {"none": {}, "clip to 1": {"clip": 1.0}, "penalty 0.1": {"penalty": 0.1}, "s = 1": {"scale": 1.0}}
outcome = np.array(  # medicine, rate, seed, (accuracy, gradient)
    [[[treated(lr, seed, **how) for seed in range(quick(3, 1))] for lr in rates] for how in medicines.values()]
)
fig, (left, right) = plt.subplots(1, 2, figsize=(10, 3.4), layout="constrained")
for name, runs in zip(medicines, outcome, strict=True):
    left.semilogx(rates, runs[..., 0].mean(1), "o-", label=name)
    right.loglog(rates, np.exp(np.log(runs[..., 1]).mean(1)), "o-", label=name)
left.set(xlabel="learning rate", ylabel="test accuracy after five epochs", ylim=(0, 1))
right.set(xlabel="learning rate", ylabel="norm of the gradient\n(before clipping), later half")
right.legend(frameon=False)
plt.show()

# %%
best, high = outcome[..., 0].mean(2).max(1), outcome[:, 0, :, 0].mean(1)
gradient = np.exp(np.log(outcome[..., 1]).mean(2))  # medicine, rate
claim(
    "A6 clipping",
    "A threshold to which larger gradients are cut down directly prevents exploding gradients.",
    "confirmed with limits",
    "It bounds the step, not the gradient. At the cliff, one large gradient among small ones, that is the rescue. In the "
    "network that explodes at every update it is no gain, each at its best rate: without it the large steps soon lead out of "
    "the region where gradients explode; with it the network stays there.",
    "cliff_clip < 0.5 * cliff_none and gradient_clip > gradient_none and best_clip < best_none + 0.1",
    cliff_none=end_loss(tn.tensor(free[-20:])).numpy().mean(),
    cliff_clip=end_loss(tn.tensor(held[-20:])).numpy().mean(),
    gradient_none=np.exp(np.log(gradient[0]).mean()),
    gradient_clip=np.exp(np.log(gradient[1]).mean()),
    best_none=best[0],
    best_clip=best[1],
)

# %%
claim(
    "A6 penalty",
    "When gradients explode the weights' norm grows very large, so a penalty on the weights can partly limit the explosion.",
    "confirmed",
    "It is the best medicine here, since it treats the cause, large weights: 1 % of them goes at every update (at rate 0.01, "
    "with momentum), and after a hundred updates s = 3 has become about 1.",
    "best_penalty > best_none + 0.05 and gradient_penalty < 0.7 * gradient_none",
    best_none=best[0],
    best_penalty=best[2],
    gradient_none=np.exp(np.log(gradient[0]).mean()),
    gradient_penalty=np.exp(np.log(gradient[2]).mean()),
)

# %%
claim(
    "A6 learning rate",
    "Against exploding gradients lower the learning rate.",
    "confirmed with limits",
    "A lower rate than 0.3 learns more. But the gradient does not become smaller by it, and no rate comes near "
    "to the right first weights.",
    "best_none > high_none + 0.1 and gradient_low > 0.5 * gradient_high and best_start > best_none + 0.1",
    high_none=high[0],
    best_none=best[0],
    best_start=best[3],
    gradient_high=gradient[0, 0],
    gradient_low=gradient[0, -1],
)

# %% [markdown]
# Three medicines, and the best of all is not to fall ill: the size of the first weights, one number, is worth more than any of
# them. Clipping is an insurance against the rare step over the cliff, not a cure for a network that explodes at every step.
#
# ## What was seen
#
# - A gradient is multiplied by a Jacobian per layer. Its size follows the *mean square* of the singular values, $\chi =
#   s^2\,\mathbb{E}[\varphi'^2]$, not the largest one, not the majority, not the slope alone. And even where the size is kept,
#   most directions are lost, unless the weights are orthogonal.
# - It is not backpropagation's fault: the function is flat, and other methods find the same number.
# - Vanishing does not need saturation, and saturation does not imply vanishing. Dead ReLU layers are exact zeros, and their
#   frequency is a formula.
# - Batch normalisation makes the weights' scale irrelevant and a gradient explode by 1.21 per layer of ReLU. Shortcuts with a
#   normalisation change it by some per cent per block in fifty blocks, by less than one on average over a thousand; and
#   they learn.
# - An LSTM remembers as long as its forget gates are open, and at first that is a matter of their bias.
# - Clipping by global norm keeps the direction, by value it does not. It bounds steps, it does not heal.
#
# ## Things to try
#
# 1. In the first picture give tanh $s = 1.2$ and $1.5$, for thirty layers and for sixty. Is there an $s$ for which the
#    gradient neither vanishes nor explodes at any depth? (None. Up to sixty layers 1.2
#    comes closest; but above 1 it explodes in the end, and at 1 it shrinks, slowly.)
# 2. In the picture of singular values try leaky ReLU with slopes 0.1, 0.5 and 0.9 (He's scale becomes $\sqrt{2/(1+a^2)}$). How
#    much survives? (Not even 0.9 keeps a third of the directions above a hundredth: Gaussian weights alone lose the rest.)
# 3. Draw the tinted graph for tanh with weights eight times Xavier's. Where is it dark now?
# 4. Put batch normalisation *behind* the activation, $\mathrm{norm}(\varphi(Wh))$. Does the factor with π change? (Hardly: the
#    same steps, in another order.)
# 5. What is batch normalisation's factor for tanh? The map says two decades in fifty layers, about 1.1 per layer. Compute it.
# 6. Give the residual network without normalisation `callbacks=[Clip(norm=1.0)]` in `learned`. Does it learn now? (Not at 0.1
#    or 0.01: what it gives has exploded as well.)
# 7. On the cliff, clip to 0.05, to 1 and to 3, for 300 steps. Which arrive? (3 is too much: one such step is enough to be
#    lost.)
# 8. In `treated`, clip by value (`Clip(value=0.1)`). Is the other direction a loss?
# 9. Give the LSTM with $b = 5$ recurrent weights three times as large. By how much does its gradient grow in a hundred steps?
#
# ## Where to look
#
# - Functions: [`gradient_flow`, `gradient_through_time`, `Watch`](../tinygrad_notes/train/gradients.py), [their
#   pictures](../tinygrad_notes/train/gradient_pictures.py), [clipping](../tinygrad_notes/nn/utils/clip_grad.py), [first
#   values](../tinygrad_notes/nn/init.py), [tinted pictures](../tinygrad_notes/viz/__init__.py).
# - Tests: [gradients seen](../tests/test_gradients_seen.py), [clipping](../tests/test_clipping.py).
# - Other notebooks: [activations](03_activations.ipynb), [first weights](08_initialisation.ipynb),
#   [normalisation](09_normalisation.ipynb), [layer-wise pre-training](10_regularisation.ipynb), [truncated backpropagation
#   through time](14_rnn_lstm_bptt.ipynb).
# - Y. Bengio, P. Simard, P. Frasconi, *Learning long-term dependencies with gradient descent is difficult*, IEEE Transactions
#   on Neural Networks 5, 1994. [doi](https://doi.org/10.1109/72.279181)
# - R. Pascanu, T. Mikolov, Y. Bengio, *On the difficulty of training recurrent neural networks*, ICML 2013.
#   [arXiv](https://arxiv.org/abs/1211.5063)
# - A. M. Saxe, J. L. McClelland, S. Ganguli, *Exact solutions to the nonlinear dynamics of learning in deep linear neural
#   networks*, ICLR 2014. [arXiv](https://arxiv.org/abs/1312.6120)
# - K. He, X. Zhang, S. Ren, J. Sun, *Deep residual learning for image recognition*, CVPR 2016.
#   [arXiv](https://arxiv.org/abs/1512.03385)
# - G. Yang, J. Pennington, V. Rao, J. Sohl-Dickstein, S. S. Schoenholz, *A mean field theory of batch normalization*, ICLR
#   2019. [arXiv](https://arxiv.org/abs/1902.08129)
# - L. Lu, Y. Shin, Y. Su, G. E. Karniadakis, *Dying ReLU and initialization: theory and numerical examples*, 2019.
#   [arXiv](https://arxiv.org/abs/1903.06733)
