# The source of 09_normalisation.ipynb: `python notebooks/build.py 09_normalisation` executes it and writes the notebook.

# %% [markdown]
# # 9 · Normalisation
#
# Mean 0, variance 1: the same simple idea, before the network and inside of it. Before it, you will see one column of a table
# make up 99.8 % of all distances, and a valley whose walls are a hundred million times as steep as its floor become a bowl.
# Inside, you will see *which* numbers batch, layer, group and instance normalisation average over, asked from the engine and
# not from a drawing; why a gradient that has passed a normalisation can only turn things and never stretch them; and what that
# does to learning rates. Several things said about batch normalisation are put to the test, among them the reason that its
# inventors gave.
#
# 均值为 0、方差为 1：这个简单的想法既用在输入上，也用在网络内部。先看输入：一个特征就占了全部距离的 99.8%，缩放之后，狭长的山谷变成圆碗；
# 也看用测试集拟合缩放器会出什么问题。再看网络内部：BatchNorm、LayerNorm、GroupNorm 到底在哪些数上求平均（直接问引擎），
# 批太小、或运行统计量还没跟上时会怎样，以及穿过归一化的梯度为什么与输入正交。最后检验笔记中的说法：允许更高的学习率、加快收敛、正则化、
# “减少内部协变量偏移”。前几条大多成立但有条件，最后一条解释经不起实验。

# %%
import copy

import matplotlib.pyplot as plt
import numpy as np
from setting import claim, quick
from sklearn.datasets import load_digits, load_wine
from sklearn.decomposition import PCA
from sklearn.model_selection import cross_val_score, train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, StandardScaler
from sklearn.tree import DecisionTreeClassifier

import tinygrad_notes as tn
from tinygrad_notes import nn
from tinygrad_notes.models.stacked import Stacked
from tinygrad_notes.nn import functional as F

# %% [markdown]
# # Before the network
#
# ## One column that hides all others
#
# 178 wines, 13 measurements each, three growers to tell apart. The measurements come in the units of the chemist: proline in
# mg/l, around 750; hue as a ratio, around 1. Two ways to remove the units, both per column:
#
# $$ \text{min-max:}\quad \frac{x - x_\min}{x_\max - x_\min} \in [0, 1], \qquad\qquad \text{z-score:}\quad \frac{x -
# \mu}{\sigma} $$
#
# How much of the squared distance between two wines comes from each column?

# %%
wine = load_wine()
scalers = {"raw": FunctionTransformer(), "min-max": MinMaxScaler(), "z-score": StandardScaler()}
shares = {}
for name, scaler in scalers.items():
    spread = scaler.fit_transform(wine.data).var(0)  # the mean squared distance of two wines is twice the variance
    shares[name] = spread / spread.sum()

fig, ax = plt.subplots(figsize=(9, 2.6))
left = np.zeros(3)
for k, column in enumerate(wine.feature_names):
    values = np.array([share[k] for share in shares.values()])
    ax.barh(list(shares), values, left=left, color=plt.colormaps["tab20"](k), label=column, ec="white")
    left += values
ax.invert_yaxis()
ax.set(xlabel="share of the squared distance", xlim=(0, 1))
ax.legend(frameon=False, fontsize=7, ncols=2, bbox_to_anchor=(1, 1.05))
plt.show()

# %% [markdown]
# The raw bar is one colour. A method that looks at distances sees proline and nothing else, so it should gain from scaling. A
# decision tree only asks "larger or smaller than?", one column at a time: no scaling can change its mind. Both, in tenfold
# cross-validation, the scaler inside the pipeline so that it is fitted on the training folds only:

# %%
scores = {
    (type(model).__name__, name): cross_val_score(make_pipeline(scaler, model), wine.data, wine.target, cv=10).mean()
    for model in (KNeighborsClassifier(5), DecisionTreeClassifier(random_state=0))
    for name, scaler in scalers.items()
}
for (model, name), score in scores.items():
    print(f"{model:24}{name:9}{score:.3f}")
claim(
    "E dominance",
    "A feature with large numbers (white cells per litre) dominates and hides the others; after scaling the problem is gone.",
    "confirmed with limits",
    "So it is for what compares distances, here nearest neighbours. A decision tree gives the same answers whatever the units.",
    "proline_share > 0.99 and neighbours_scaled - neighbours_raw > 0.2 and abs(tree_scaled - tree_raw) < 0.01",
    proline_share=shares["raw"].max(),
    neighbours_raw=scores["KNeighborsClassifier", "raw"],
    neighbours_scaled=scores["KNeighborsClassifier", "z-score"],
    tree_raw=scores["DecisionTreeClassifier", "raw"],
    tree_scaled=scores["DecisionTreeClassifier", "z-score"],
)

# %% [markdown]
# ## The shape of the valley
#
# The notes draw the loss $J(w, b)$ as a long ellipse that becomes a circle. Let us draw the real one: a line $\hat y = w x + b$
# that predicts the alcohol of a wine from its ash content, and gradient descent on the mean square. Its Hessian is
#
# $$ H = \begin{pmatrix} \overline{x^2} & \bar x \\ \bar x & 1 \end{pmatrix}, \qquad \kappa = \frac{\lambda_\max}{\lambda_\min}
# $$
#
# Descent with the best constant rate, $2/(\lambda_\max + \lambda_\min)$, shrinks the error per step by $(\kappa-1)/(\kappa+1)$:
# it needs in the order of $\kappa$ steps. (The picture uses $1/\lambda_\max$, which does not bounce, for 60 steps.) Which entry
# of $H$ makes the ellipse *tilt*?


# %%
def half_mean_square(inputs, target):
    """The loss as a function of all weights, the last of them for a column of ones."""
    A = tn.tensor(np.c_[inputs, np.ones(len(inputs))])
    return lambda weights: 0.5 * (A @ weights - target).square().mean()


def descend(loss, start, rate, steps):
    path = [tn.tensor(start)]
    for _ in range(steps):
        path.append(path[-1] - rate * tn.func.grad(loss)(path[-1]))
    return tn.stack(path).numpy()


alcohol = tn.tensor(StandardScaler().fit_transform(wine.data[:, :1])[:, 0])
ash = wine.data[:, wine.feature_names.index("ash"), None]
fig, panels = plt.subplots(1, 3, figsize=(10.5, 3.6), layout="constrained")
for ax, (name, scaler) in zip(panels, scalers.items(), strict=True):
    inputs = scaler.fit_transform(ash)
    loss = half_mean_square(inputs, alcohol)
    H = tn.func.hessian(loss)(tn.zeros(2, dtype=tn.float64)).numpy()
    np.testing.assert_allclose(H, [[(inputs**2).mean(), inputs.mean()], [inputs.mean(), 1]], atol=1e-12)
    low, high = np.linalg.eigvalsh(H)
    best = np.linalg.lstsq(np.c_[inputs, np.ones(len(inputs))], alcohol.numpy())[0]
    path = descend(loss, best + np.array([1.5, 1.0]), 1 / high, 60)
    w, b = np.meshgrid(best[0] + np.linspace(-2, 2, 120), best[1] + np.linspace(-2, 2, 120))
    surface = tn.func.vmap(tn.func.vmap(loss))(tn.tensor(np.stack([w, b], -1))).numpy()
    ax.contour(w, b, surface, levels=surface.min() + np.geomspace(0.003, 8, 12), cmap="viridis", linewidths=0.8)
    ax.plot(*path.T, ".-", color="tab:red", lw=1, ms=4)
    ax.plot(*best, "*", color="black", ms=11)
    ax.set(xlabel="w", title=f"{name}: κ = {high / low:.3g}", aspect="equal", xlim=(w.min(), w.max()), ylim=(b.min(), b.max()))
panels[0].set_ylabel("b")
plt.show()

# %% [markdown]
# $\bar x$ makes it tilt: if all inputs are positive, more slope and less offset nearly cancel. So *centring* is half of the
# cure; dividing alone would not do. With all columns the numbers become drastic. Below, all 12 other columns predict the
# alcohol. Before you run it, guess which of these has the smallest κ: dividing by the deviation without centring, min-max to
# [0, 1], min-max to [−1, 1], z-score.

# %%
others = wine.data[:, 1:]
ways = {
    "raw": FunctionTransformer(),
    "only divided by σ": StandardScaler(with_mean=False),
    "min-max to [0, 1]": MinMaxScaler(),
    "min-max to [−1, 1]": MinMaxScaler((-1, 1)),
    "z-score": StandardScaler(),
    "whitened (PCA)": PCA(whiten=True),
}
kappas, excess, needed = {}, {}, {}
steps = quick(1000, 50)
for name, scaler in ways.items():
    inputs = scaler.fit_transform(others)
    loss = half_mean_square(inputs, alcohol)
    eigenvalues = np.linalg.eigvalsh(tn.func.hessian(loss)(tn.zeros(13, dtype=tn.float64)).numpy())
    kappas[name] = eigenvalues[-1] / eigenvalues[0]
    path = descend(loss, np.zeros(13), 2 / (eigenvalues[-1] + eigenvalues[0]), steps)
    best = np.linalg.lstsq(np.c_[inputs, np.ones(len(inputs))], alcohol.numpy())[0]
    found = tn.func.vmap(loss)(tn.tensor(path)).numpy() - loss(tn.tensor(best)).item()
    excess[name] = found / found[0]
    needed[name] = int(np.argmax(excess[name] < 1e-3)) if (excess[name] < 1e-3).any() else np.inf

fig, ax = plt.subplots(figsize=(9, 3.6), layout="constrained")
for name, curve in excess.items():
    ax.loglog(np.arange(1, steps + 2), np.maximum(curve, 1e-12), label=f"{name}: κ = {kappas[name]:.2g}")
ax.set(xlabel="step of gradient descent", ylabel="loss above the lowest,\nas a share of the first", ylim=(1e-6, 2))
ax.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
plt.show()
print("steps to a thousandth:", needed)

# %%
claim(
    "E scaling faster",
    "After standardisation the best parameters are found more easily, and convergence is faster.",
    "confirmed with limits",
    "Steps follow the condition number, which falls by six decades. Centring is what matters most: only divided by σ it stays above "
    "10^4. What columns have in common (correlation) no scaling of columns removes.",
    "kappa_raw > 1e8 and kappa_divided > 1e4 and kappa_zscore < 100 and kappa_whitened < 1.1 and left_raw > 0.3 and left_zscore < 1e-3",
    kappa_raw=kappas["raw"],
    kappa_divided=kappas["only divided by σ"],
    kappa_zscore=kappas["z-score"],
    kappa_whitened=kappas["whitened (PCA)"],
    left_raw=excess["raw"][-1],
    left_zscore=excess["z-score"][-1],
)

# %% [markdown]
# One of the notes says that *stochastic* gradient descent is sensitive to scaling. It must be, and so must every method that
# multiplies the whole gradient by one number. Adam has a number per weight: is it immune? Softmax regression tells the growers
# apart, 150 steps, each bar with the best of seven learning rates from $10^{-6}$ to 1:


# %%
def grower_accuracy(inputs, make_optimizer):
    X, y = tn.tensor(inputs), tn.tensor(wine.target)
    weight, bias = tn.zeros(3, 13, dtype=tn.float64, requires_grad=True), tn.zeros(3, dtype=tn.float64, requires_grad=True)
    optimizer, rng = make_optimizer([weight, bias]), np.random.default_rng(0)
    for _ in range(quick(150, 10)):
        batch = tn.tensor(rng.integers(0, len(X), 32))
        loss = F.cross_entropy(F.linear(X[batch], weight, bias), y[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return (F.linear(X, weight, bias).argmax(1) == y).double().mean().item()


found = {
    (kind.__name__, name): max(
        grower_accuracy(scaler.fit_transform(wine.data), lambda p, lr=lr, kind=kind: kind(p, lr=lr))
        for lr in np.geomspace(1e-6, 1, quick(7, 2)).tolist()
    )
    for kind in (tn.optim.SGD, tn.optim.Adam)
    for name, scaler in scalers.items()
}
fig, ax = plt.subplots(figsize=(6, 3))
for shift, kind, color in ((-0.2, "SGD", "tab:blue"), (0.2, "Adam", "tab:orange")):
    bars = ax.bar(np.arange(3) + shift, [found[kind, name] for name in scalers], 0.38, color=color, label=kind)
    ax.bar_label(bars, fmt="%.2f", fontsize=8)
ax.axhline(np.bincount(wine.target).max() / 178, color="gray", lw=0.8, ls="--")
ax.set_xticks(range(3), scalers)
ax.set(ylabel="accuracy", ylim=(0, 1.05))
ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
plt.show()

# %%
claim(
    "E sgd scaling",
    "Stochastic gradient descent is sensitive to feature scaling.",
    "confirmed",
    "On the raw columns no learning rate from 1e-6 to 1 comes near to what any of them gives after standardisation. Adam suffers less.",
    "sgd_raw < 0.8 and sgd_zscore > 0.97 and adam_raw > sgd_raw + 0.1",
    sgd_raw=found["SGD", "raw"],
    sgd_zscore=found["SGD", "z-score"],
    adam_raw=found["Adam", "raw"],
    adam_zscore=found["Adam", "z-score"],
)

# %% [markdown]
# ## Fitted on what?
#
# $\mu$ and $\sigma$ are learned from data, so they belong to the model: `fit` on the training set, then `transform` everything
# with the *same* numbers. Two mistakes are common. One is to fit on training and test set together (information leaks from the
# test set). The other is to fit a *second* scaler on the test set. Which is worse? Nearest neighbours on the wines, 100 random
# splits; the test set is either a fair sample or, as it happens in use, only wines of one grower:


# %%
def score(way, seed, grower=None):
    X, X_test, y, y_test = train_test_split(wine.data, wine.target, train_size=60, stratify=wine.target, random_state=seed)
    if grower is not None:
        X_test, y_test = X_test[y_test == grower], y_test[y_test == grower]
    scaler = StandardScaler().fit(np.concatenate([X, X_test]) if way == "on both together" else X)
    second = StandardScaler().fit(X_test) if way == "on each its own" else scaler
    model = KNeighborsClassifier(5).fit(scaler.transform(X), y)
    return model.score(second.transform(X_test), y_test)


splits = quick(100, 5)
fitted = {
    (way, grower): np.array([score(way, seed, grower) for seed in range(splits)])
    for way in ("on the training set", "on both together", "on each its own")
    for grower in (None, 0)
}
for (way, grower), values in fitted.items():
    test = "fair" if grower is None else "one grower only"
    print(f"fitted {way:20} test set {test:16} accuracy {values.mean():.3f} ± {values.std() / splits**0.5:.3f}")
if splits == 100:
    assert abs(fitted["on both together", None].mean() - fitted["on the training set", None].mean()) < 0.01
    assert fitted["on the training set", 0].mean() > 0.95 > 0.7 > fitted["on each its own", 0].mean()

# %% [markdown]
# The leak is a sin against the protocol and costs nothing here: means and deviations are hardly learned from the test set.
# (With few examples, outliers and min-max it can matter, and with anything that looks at the *labels* it does: so keep the rule
# and let a `Pipeline` keep it for you.) The second scaler is the catastrophe. It declares that whatever arrives is average; if
# all wines of a day come from one grower, their difference from the others is exactly what it removes. Remember this when you
# meet batch normalisation.
#
# # Inside the network
#
# ## Which numbers?
#
# Batch normalisation (Ioffe & Szegedy 2015) standardises what a layer has computed:
#
# $$ \hat x = \frac{x - \mu}{\sqrt{\sigma^2 + \varepsilon}}, \qquad y = \gamma\,\hat x + \beta $$
#
# with $\gamma, \beta$ learned per channel. Its relatives use the same formula and differ only in *which numbers* $\mu$ and
# $\sigma$ are taken of. Every book has a drawing of it. We ask the engine: for activations of shape $(N, C, L)$, examples,
# channels and places (pixels, time steps), which inputs have a gradient from one single output number? These must be the ones
# that it was normalised with.

# %%
N, C, L = 4, 6, 5
tn.manual_seed(0)
kinds = {
    "BatchNorm": nn.BatchNorm1d(C),
    "LayerNorm": nn.LayerNorm([C, L]),
    "GroupNorm, 3 groups": nn.GroupNorm(3, C),
    "InstanceNorm": nn.InstanceNorm1d(C),
}
fig = plt.figure(figsize=(11, 3.3), layout="constrained")
for place, (name, norm) in enumerate(kinds.items()):
    x = tn.randn(N, C, L, requires_grad=True)
    (g,) = tn.autograd.grad(norm(x)[0, -1, -1], [x])
    together = g.numpy() != 0
    along = [together.any(axes).sum() for axes in ((1, 2), (0, 2), (0, 1))]
    print(f"{name:20} {together.sum():3} numbers: along N {along[0]}, along C {along[1]}, along L {along[2]}")
    ax = fig.add_subplot(1, 4, place + 1, projection="3d")
    shown = together.transpose(1, 0, 2)  # channels to the right, examples into the depth, places upwards
    ax.voxels(np.ones_like(shown), facecolors=np.where(shown, "#f08a35", "#dfe6ee"), edgecolor="#8c98a8", linewidth=0.4)
    ax.set(title=name, xticks=[], yticks=[], zticks=[])
    ax.set_xlabel("channel", labelpad=-12)
    ax.set_ylabel("example", labelpad=-12)
    ax.set_zlabel("place", labelpad=-12)
    ax.set_box_aspect((C, N, L))
    ax.view_init(22, -60)
plt.show()

# %% [markdown]
# Batch normalisation is the odd one out: it alone looks at *other examples*. All its strengths and troubles come from there.
# (For a vector per example there are no places: batch normalisation takes one channel over the batch, layer normalisation one
# example over its channels. In a Transformer, layer normalisation takes the channels only, at each place.)
#
# What a normalisation averages over decides what it makes invisible. Six changes in front of it, and what they do to the
# result: of data and weights, does the output change?

# %%
tn.manual_seed(0)
X0, W0 = tn.randn(16, 10, dtype=tn.float64) + 1, tn.randn(8, 10, dtype=tn.float64)
row, example = tn.ones(8, 1, dtype=tn.float64), tn.ones(16, 1, dtype=tn.float64)
row[2], example[5] = 5.0, 5.0
shift = tn.randn(10, dtype=tn.float64)
changes = {
    "all weights × 5": (X0, W0 * 5),
    "one unit's weights × 5": (X0, W0 * row),
    "a vector added to all units' weights": (X0, W0 + shift),
    "all data × 5": (X0 * 5, W0),
    "a vector added to all examples": (X0 + shift, W0),
    "one example × 5": (X0 * example, W0),
}
norms = {"batch": nn.BatchNorm1d(8).double(), "layer": nn.LayerNorm(8).double(), "group": nn.GroupNorm(2, 8).double()}
change = np.array(
    [[(norm(x @ w.T) - norm(X0 @ W0.T)).abs().max().item() for norm in norms.values()] for x, w in changes.values()]
)
fig, ax = plt.subplots(figsize=(5.4, 3.2))
ax.imshow(change < 1e-3, cmap="RdYlGn", vmin=-0.6, vmax=1.6, aspect="auto")
for (i, k), value in np.ndenumerate(change):
    ax.text(k, i, "unchanged" if value < 1e-3 else f"up to {value:.1f}", ha="center", va="center", fontsize=9)
ax.set_xticks(range(3), [f"{name} norm" for name in norms])
ax.set_yticks(range(6), changes)
ax.tick_params(length=0, labeltop=True, labelbottom=False)
ax.spines[:].set_visible(False)
plt.show()
assert ((change < 1e-3) == [[1, 1, 1], [1, 0, 0], [0, 1, 1], [1, 1, 1], [1, 0, 0], [0, 1, 1]]).all()

# %% [markdown]
# The first line is the most important one: *no normalisation notices the size of a weight matrix in front of it.* (The table is
# that of Ba, Kiros & Hinton 2016.) Hold on to it.
#
# ## A gradient that only turns
#
# Take one channel, the numbers $x_1 \dots x_N$ of a batch. Adding a constant to all of them changes nothing; stretching their
# deviations from the mean changes nothing. A function that does not change in a direction has no gradient in it. So whatever
# cotangent $g$ arrives from above, the gradient at $x$ must be orthogonal to the vector of ones *and* to $\hat x$. The formula
# says the same: two projections are taken away,
#
# $$ \frac{\partial L}{\partial x} = \frac1\sigma \Big( g - \overline{g} - \hat x\; \overline{g\,\hat x} \Big) $$

# %%
tn.manual_seed(1)
norm = nn.BatchNorm1d(1, eps=0.0, affine=False).double()
x = tn.randn(3, 1, dtype=tn.float64, requires_grad=True)  # a batch of three: a point in space
x_hat = norm(x)
cotangents = tn.randn(40, 3, 1, dtype=tn.float64)
gradients = np.stack([tn.autograd.grad(x_hat, [x], g, retain_graph=True)[0].numpy()[:, 0] for g in cotangents])

point, hat, g = x.detach().numpy()[:, 0], x_hat.detach().numpy()[:, 0], cotangents.numpy()[:, :, 0]
formula = (g - g.mean(1, keepdims=True) - hat * (g * hat).mean(1, keepdims=True)) / point.std()
np.testing.assert_allclose(gradients, formula, atol=1e-12)
along_ones, along_hat = np.abs(gradients.sum(1)).max(), np.abs(gradients @ hat).max()
print(f"largest |⟨gradient, 1⟩|: {along_ones:.0e}, largest |⟨gradient, x̂⟩|: {along_hat:.0e}")
assert max(along_ones, along_hat) < 1e-12

plane = np.array([[1, -1, 0], [1, 1, -2]]) / np.sqrt([[2], [6]])  # two axes of the plane orthogonal to (1, 1, 1)
center, radius = plane @ point, np.linalg.norm(plane @ point)
fig, ax = plt.subplots(figsize=(6, 4))
ax.add_patch(plt.Circle((0, 0), radius, fill=False, ls="--", color="gray"))
for vectors, color, label in ((g, "lightsteelblue", "cotangents at $\\hat x$"), (gradients, "tab:red", "gradients at $x$")):
    tips = 0.25 * vectors @ plane.T
    ax.quiver(
        *np.tile(center, (40, 1)).T, *tips.T, angles="xy", scale_units="xy", scale=1, color=color, width=0.004, label=label
    )
ax.annotate("", center, (0, 0), arrowprops={"arrowstyle": "->", "lw": 2})
ax.text(*(0.3 * center + 0.08), "$x - \\bar x$", fontsize=12)
ax.plot(0, 0, "o", color="black", ms=4)
ax.set(aspect="equal", title="a batch of three numbers, seen along (1, 1, 1)", xticks=[], yticks=[])
ax.set(xlim=(-1.6 * radius, 1.3 * radius), ylim=(-1.2 * radius, 1.6 * radius))
ax.spines[:].set_visible(False)
ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
plt.show()

# %% [markdown]
# Forty cotangents in all directions; forty gradients on one tangent of the circle. (With $\varepsilon > 0$ a trace of
# $\varepsilon/\sigma^2$ remains along $\hat x$.) For the weights in front of a normalisation the same holds:
# $L(\alpha W) = L(W)$, so
#
# $$ \langle W, \nabla L(W)\rangle = 0 \quad\text{(for every unit)}, \qquad \nabla L(\alpha W) = \tfrac1\alpha \nabla L(W) $$
#
# The first says that a step of gradient descent is a tangent too, so by Pythagoras the weights can only *grow*:
# $\|W_{t+1}\|^2 = \|W_t\|^2 + \eta^2\|\nabla\|^2$. The second says that larger weights have smaller gradients. Together they
# make a brake: what counts for the direction of $W$ is the effective rate $\eta / \|W\|^2$, and a rate that is too large makes
# one large step, then larger weights, then small steps. Three rates, a factor of ten between each:

# %%
images, labels = load_digits(return_X_y=True)
images, test_images, labels, test_labels = train_test_split(images, labels, test_size=0.25, stratify=labels, random_state=0)
scaler = StandardScaler().fit(images)
X, y = tn.tensor(scaler.transform(images)).float(), tn.tensor(labels)
X_test, y_test = tn.tensor(scaler.transform(test_images)).float(), tn.tensor(test_labels)


def network(norm, depth, width=64, scale=2**0.5):
    """Hidden layers of Linear, a normalisation, ReLU; Gaussian first weights of ``scale`` / sqrt(inputs), biases 0."""
    layers = []
    for inputs in [64] + [width] * (depth - 1):
        layers += [nn.Linear(inputs, width), norm(width), nn.ReLU()]
    model = nn.Sequential(*layers, nn.Linear(width, 10))
    for module in model:
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=scale / module.in_features**0.5)
            nn.init.zeros_(module.bias)
    return model


def batches(steps, size=64):
    """Random batches of the digits."""
    rng = np.random.default_rng(0)
    for _ in range(steps):
        chosen = tn.tensor(rng.integers(0, len(X), size))
        yield X[chosen], y[chosen]


fig, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
steps, kept = quick(100, 5), {}
for lr, color in ((0.3, "tab:blue"), (3.0, "tab:orange"), (30.0, "tab:red")):
    tn.manual_seed(0)
    model = network(lambda width: nn.BatchNorm1d(width, affine=False), depth=3).double()
    optimizer, weight = tn.optim.SGD(model.parameters(), lr=lr), model[3].weight
    squares, predicted = [weight.square().sum().item()], [weight.square().sum().item()]
    for x, target in batches(steps):
        loss = F.cross_entropy(model(x.double()), target)
        optimizer.zero_grad()
        loss.backward()
        predicted.append(predicted[-1] + lr**2 * weight.grad.square().sum().item())
        optimizer.step()
        squares.append(weight.square().sum().item())
    left.semilogy(squares, color=color, label=f"η = {lr:g}")
    left.semilogy(predicted, "--", color="black", lw=0.8)
    right.semilogy(lr / np.array(squares), color=color)
    np.testing.assert_allclose(squares, predicted, rtol=1e-2)
    kept[lr] = lr / squares[-1]
left.set(xlabel="step", ylabel="$\\|W\\|^2$ of the second layer")
left.legend(frameon=False)
right.set(xlabel="step", ylabel="effective rate $\\eta / \\|W\\|^2$")
plt.show()
print("effective rates at the end:", {lr: f"{value:.1e}" for lr, value in kept.items()})

# %% [markdown]
# The dashed lines are Pythagoras. On the right, something to think about: with the largest rate the network ends with the
# *smallest* steps. The first step threw its weights so far out that all later ones are tiny in comparison. A network without
# normalisation would have been lost at this point.
#
# "Batch normalisation removes the effect of the weights' scale", say the notes. In one number forward and one backward:

# %%
tn.manual_seed(0)
model = network(nn.BatchNorm1d, depth=3).double()
x, target = next(batches(1))
outcomes = []
for factor in (1.0, 10.0):
    with tn.no_grad():
        model[3].weight.mul_(factor)
    loss = F.cross_entropy(model(x.double()), target)
    model.zero_grad()
    loss.backward()
    g, w = model[3].weight.grad, model[3].weight.detach()
    outcomes.append((loss.item(), g.norm().item(), (g * w).sum(1).abs().max().item()))
(loss_1, size_1, along_1), (loss_10, size_10, along_10) = outcomes
claim(
    "E bn scale",
    "Batch normalisation removes the enlarging and shrinking that the weights cause.",
    "confirmed with limits",
    "Forward completely: weights ten times as large give the same loss. Backward their gradient becomes ten times smaller, "
    "so their size acts as a learning rate.",
    "abs(loss_change) < 1e-4 and abs(gradient_ratio - 0.1) < 1e-3 and gradient_along_weights < 1e-4",
    loss_change=loss_10 - loss_1,
    gradient_ratio=size_10 / size_1,
    gradient_along_weights=along_1 / size_1,
)

# %% [markdown]
# ## Higher learning rates?
#
# The best-known claim. Six hidden layers of 64 ReLU units read digits; He's first weights; plain SGD, 60 steps; seven learning
# rates, five seeds. And several variants, so that we learn *what* it is that helps. The notes say that batch normalisation has
# two parts, "scale and shift" and "training the scale and shift". So one variant is nothing but scale and shift, and another
# normalises without them.
#
# `Stacked` runs networks of one shape side by side, each with parameters of its own. A trick lets one optimizer serve all
# learning rates: SGD moves by $\eta\,\nabla L$, so member $m$'s *loss* is multiplied by $\eta_m$, and the optimizer's own rate
# is one. (Batch statistics are used in the test as well; the running ones come below.)


# %%
class ScaleAndShift(nn.Module):
    def __init__(self, width):
        self.weight, self.bias = nn.Parameter(tn.ones(width)), nn.Parameter(tn.zeros(width))

    def forward(self, x):
        return x * self.weight + self.bias


def batch_norm(width, affine=True):
    return nn.BatchNorm1d(width, affine=affine, track_running_stats=False)


def race(networks, rates, steps):
    """Train networks side by side, each at its rate: losses ``(steps, M)``, and accuracies on the test set ``(M,)``."""
    together = Stacked(networks)
    optimizer, eta = tn.optim.SGD(together.parameters(), lr=1.0), tn.tensor(rates).float()
    losses = []
    for x, target in batches(steps):
        scores, targets = together(x).flatten(0, 1), target.repeat(len(together))
        each = F.cross_entropy(scores, targets, reduction="none").reshape(len(together), -1).mean(1)
        optimizer.zero_grad()
        (each * eta).sum().backward()
        optimizer.step()
        losses.append(each.detach().numpy().copy())
    together.eval()
    with tn.no_grad():
        right = (together(X_test).argmax(-1) == y_test).double().mean(1).numpy()
    return np.array(losses), right


def sweep(norm, rates):
    """Losses ``(steps, rates, seeds)`` and test accuracies ``(rates, seeds)``; a network that overflowed has guessed."""
    seeds, depth, steps, networks = quick(5, 1), quick(6, 2), quick(60, 8), []
    for _ in rates:
        for seed in range(seeds):
            tn.manual_seed(seed)
            networks.append(network(norm, depth))
    losses, right = race(networks, np.repeat(rates, seeds), steps)
    right = np.where(np.isfinite(losses).all(0), right, 0.1)
    return losses.reshape(steps, len(rates), seeds), right.reshape(len(rates), seeds)


# %%
class Jolted(nn.Module):
    """Batch normalisation, its result stretched and shifted at random in training, anew in every step and unit."""

    def __init__(self, width, size=0.5):
        self.norm, self.size = batch_norm(width), size

    def forward(self, x):
        x = self.norm(x)
        if not self.training:
            return x
        return x * (1 + self.size * (2 * tn.rand(x.shape[-1]) - 1)) + self.size * tn.randn(x.shape[-1])


variants = {
    "nothing": nn.Identity,
    "scale and shift only": ScaleAndShift,
    "batch norm": batch_norm,
    "batch norm without scale and shift": lambda width: batch_norm(width, affine=False),
    "batch norm, jolted": Jolted,
    "layer norm": nn.LayerNorm,
}
rates = np.geomspace(0.01, 10, quick(7, 2))
swept = {name: sweep(norm, rates) for name, norm in variants.items()}
middle = {name: np.median(right, 1) for name, (_, right) in swept.items()}
usable = {name: float(rates[values > 0.8].max(initial=0)) for name, values in middle.items()}

fig, ax = plt.subplots(figsize=(9.5, 3.8), layout="constrained")
styles = ["-", ":", "-", "--", "-.", "-"]
colors = ["black", "black", "tab:red", "tab:red", "tab:purple", "tab:blue"]
for (name, (_, right)), style, color in zip(swept.items(), styles, colors, strict=True):
    ax.semilogx(rates, middle[name], style, color=color, label=name)
    ax.semilogx(rates, right, ".", color=color, ms=4, alpha=0.4)
ax.axhline(0.1, color="gray", lw=0.6)
ax.set(xlabel="learning rate", ylabel="test accuracy after 60 steps", ylim=(0, 1))
ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
plt.show()
for name, values in middle.items():
    print(f"{name:36}", *(f"{value:5.2f}" for value in values), f"   usable up to {usable[name]:.3g}")

# %%
claim(
    "I6 batch norm",
    "Batch normalisation allows higher learning rates.",
    "confirmed",
    "In six layers of ReLU the largest usable rate is about ten times as high as without; layer normalisation does not get that far.",
    "usable_batch_norm >= 3 * usable_nothing and batch_norm_at_1 > 0.85 and batch_norm_at_1 - nothing_at_1 > 0.25",
    usable_nothing=usable["nothing"],
    usable_batch_norm=usable["batch norm"],
    usable_layer_norm=usable["layer norm"],
    nothing_at_1=middle["nothing"][rates.searchsorted(0.99)],
    batch_norm_at_1=middle["batch norm"][rates.searchsorted(0.99)],
)

# %%
claim(
    "E bn parts",
    "Batch normalisation consists of two parts: scale and shift, and the training of these two parameters.",
    "refuted",
    "Scale and shift alone do nothing for the learning rate; the part that is not mentioned, dividing by the batch's own deviation, "
    "does everything, with them or without.",
    "usable_parts <= 1.01 * usable_nothing and usable_without >= 3 * usable_nothing",
    usable_nothing=usable["nothing"],
    usable_parts=usable["scale and shift only"],
    usable_without=usable["batch norm without scale and shift"],
)

# %% [markdown]
# ## Faster?
#
# "Batch normalisation accelerates convergence." Look at the left half of the picture before you believe it. In how many steps
# does the training loss fall below 1, at each rate?


# %%
def steps_to(losses, level=1.0):
    """Per rate, the median over seeds of the first step after which the mean of five losses is below the level; at most 60."""
    below = np.stack([losses[k : k + 5].mean(0) < level for k in range(len(losses) - 4)])
    return np.median(np.where(below.any(0), below.argmax(0) + 5, 60), 1)


speed = {name: steps_to(swept[name][0]) for name in ("nothing", "batch norm", "layer norm")}
fig, ax = plt.subplots(figsize=(6, 3))
for (name, values), color in zip(speed.items(), ("black", "tab:red", "tab:blue"), strict=True):
    ax.semilogx(rates, values, "o-", color=color, label=name)
ax.axhline(60, color="gray", lw=0.6)
ax.set(xlabel="learning rate", ylabel="steps to a loss of 1\n(60: not in time)", ylim=(0, 64))
ax.legend(frameon=False)
plt.show()
slow = rates.searchsorted(0.03)
claim(
    "E bn faster",
    "Normalising inside the network accelerates convergence.",
    "confirmed with limits",
    "At a small rate it needs more steps than without; it is faster only by the higher rates that it bears.",
    "fewest_batch_norm < 0.7 * fewest_nothing and slow_batch_norm > slow_nothing",
    fewest_nothing=speed["nothing"].min(),
    fewest_batch_norm=speed["batch norm"].min(),
    slow_nothing=speed["nothing"][slow],
    slow_batch_norm=speed["batch norm"][slow],
)

# %% [markdown]
# ## Because of what?
#
# The inventors' reason, which the notes repeat, is *internal covariate shift*: a layer's inputs change their distribution while
# the layers below learn, and normalising keeps it steady. That is what the "jolted" variant was for (after Santurkar et al.
# 2018): behind each batch normalisation all units are stretched and shifted at random, differently in every step. If steadiness
# were the reason, it should be worse than no normalisation at all. How unsteady is it? The means of five units that the fourth
# layer receives, while training at rate 0.1:

# %%
tracks = {}
steps = quick(60, 5)
for name in ("nothing", "batch norm", "batch norm, jolted"):
    tn.manual_seed(0)
    model = network(variants[name], depth=6)
    optimizer, seen = tn.optim.SGD(model.parameters(), lr=0.1), []
    model[7].register_forward_hook(lambda module, inputs, out, seen=seen: seen.append(out.detach().numpy()))
    for x, target in batches(steps, size=128):
        loss = F.cross_entropy(model(x), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    tracks[name] = np.stack([out.mean(0) for out in seen]), np.stack([out.std(0) for out in seen])

fig, panels = plt.subplots(1, 3, figsize=(10, 2.8), sharey=True, layout="constrained")
unrest = {}
for ax, (name, (means, deviations)) in zip(panels, tracks.items(), strict=True):
    ax.plot(means[:, :5] / deviations[0, :5], lw=1)
    unrest[name] = (np.abs(np.diff(means, axis=0)) / deviations[:-1]).mean()
    ax.set(xlabel="step", title=name)
panels[0].set_ylabel("mean of a unit\n(its first deviation = 1)")
plt.show()
print("change of a mean from step to step, in deviations:", {name: f"{value:.3f}" for name, value in unrest.items()})

# %%
one = rates.searchsorted(0.99)
claim(
    "E covariate shift",
    "Batch normalisation works by reducing internal covariate shift.",
    "refuted",
    "With random stretches and shifts behind it, far more shift than without any normalisation, it still bears the high rate.",
    "unrest_jolted > 3 * unrest_nothing and jolted_at_1 > nothing_at_1 + 0.3 and jolted_at_1 > 0.8",
    unrest_nothing=unrest["nothing"],
    unrest_jolted=unrest["batch norm, jolted"],
    nothing_at_1=middle["nothing"][one],
    jolted_at_1=middle["batch norm, jolted"][one],
    batch_norm_at_1=middle["batch norm"][one],
)

# %% [markdown]
# (Jolts are not free: look at the purple curve at small rates, and at the largest ones. But steadiness was to be the *reason*.)
# What remains as an explanation is what we derived: the gradient is orthogonal to the weights, their length is a brake.
# (Santurkar et al. show that the loss becomes smoother; it is the same fact from another side.)
#
# ## Careless first weights
#
# If the weights' size does not matter forward, first weights need less care: the notes say that with batch normalisation a
# distribution of small variance will do. Six layers, first weights from a thirtieth of He's to thirty times, each variant at a
# rate that suits it:

# %%
scales, seeds = np.geomspace(1 / 30, 30, quick(11, 2)), quick(3, 1)
careless = {}
for name, lr in (("nothing", 0.1), ("batch norm", 0.3), ("layer norm", 0.3)):
    networks = []
    for scale in scales:
        for seed in range(seeds):
            tn.manual_seed(seed)
            networks.append(network(variants[name], quick(6, 2), scale=2**0.5 * scale))
    losses, right = race(networks, [lr] * len(networks), quick(60, 5))
    careless[name] = np.where(np.isfinite(losses).all(0), right, 0.1).reshape(len(scales), seeds)

fig, ax = plt.subplots(figsize=(6.5, 3))
for (name, right), color in zip(careless.items(), ("black", "tab:red", "tab:blue"), strict=True):
    ax.semilogx(scales, np.median(right, 1), color=color, label=name)
    ax.semilogx(scales, right, ".", color=color, ms=4, alpha=0.4)
ax.set(xlabel="first weights, as multiples of He's", ylabel="test accuracy", ylim=(0, 1))
ax.legend(frameon=False, loc="upper right", fontsize=8)
plt.show()

# %%
good = {name: scales[np.median(right, 1) > 0.75] for name, right in careless.items()}
eightfold = {name: np.median(right[scales.searchsorted(7)]) for name, right in careless.items()}
claim(
    "E bn init",
    "With batch normalisation the network depends less on good first weights; a distribution of small variance will do.",
    "confirmed with limits",
    "The range of first weights that train becomes many times wider, far down on the small side. Large ones are no longer fatal, "
    "but the larger the slower, since their size divides the learning rate.",
    "range_batch_norm > 3 * range_nothing and smallest_batch_norm < 0.2 and eightfold_batch_norm > 0.5 > 0.2 > eightfold_nothing "
    "and thirtyfold_batch_norm < eightfold_batch_norm - 0.1",
    range_nothing=good["nothing"].max(initial=0.01) / good["nothing"].min(initial=100),
    range_batch_norm=good["batch norm"].max(initial=0.01) / good["batch norm"].min(initial=100),
    smallest_batch_norm=good["batch norm"].min(initial=100),
    eightfold_nothing=eightfold["nothing"],
    eightfold_batch_norm=eightfold["batch norm"],
    thirtyfold_batch_norm=np.median(careless["batch norm"][-1]),
)

# %% [markdown]
# ## The company of others
#
# In training, what batch normalisation says of an example depends on the examples that happen to be beside it. How much? Take
# one digit, put it into 300 random batches, and collect what one unit of the first layer makes of it. Before you look at the
# first histogram: what can the result be if a batch holds *two* examples, whatever they are?

# %%
tn.manual_seed(0)
linear = nn.Linear(64, 1)
with tn.no_grad():
    z = linear(X)
digit = int((z - z.mean()).abs().argmin())  # the most average one, for this unit
layer = nn.Sequential(linear, batch_norm(1, affine=False))
rng = np.random.default_rng(0)
fig, panels = plt.subplots(1, 5, figsize=(11, 2.4), layout="constrained")
for ax, size in zip(panels, (2, 3, 8, 32, 128), strict=True):
    company = rng.integers(0, len(X), (300, size - 1))
    company[company == digit] = 0
    with tn.no_grad():
        values = np.array([layer(X[tn.tensor(np.r_[digit, row])])[0].item() for row in company])
    ax.hist(values, bins=np.linspace(-2, 2, 41), color="tab:red")
    ax.set(title=f"batch of {size}", yticks=[], xlabel="$\\hat x$ of the same digit")
    assert np.abs(values).max() <= (size - 1) ** 0.5 + 1e-3
plt.show()

# %% [markdown]
# Of two numbers one is above their mean and one below, by the same amount: after dividing by the deviation they are $+1$ and
# $-1$. Nothing else of them is left. (In general $|\hat x| \le \sqrt{N-1}$, which the cell asserts.) Of *one* number nothing is
# left at all:

# %%
try:
    nn.BatchNorm1d(8)(tn.randn(1, 8))
except ValueError as error:
    print("ValueError:", error)
image = tn.randn(1, 8, 5, 5)  # one image has 25 numbers per channel: that works, and is instance normalisation
assert tn.allclose(nn.BatchNorm2d(8)(image), nn.InstanceNorm2d(8)(image), atol=1e-6)

# %% [markdown]
# ## Does the noise regularise?
#
# Random company is noise, and noise regularises, as dropout does: so the notes say that batch normalisation regularises and
# generalises better. Then its training loss should stay *higher* and its test accuracy become *better*, most of all where data
# are few. Three layers, batches of 20, trained on 100 and on 1,000 digits and tested on all the others. A gain of one point is
# less than the luck of the digits, so we take sixteen sets of them, and compare networks on the same set; of two rates the
# better one. Layer normalisation, which has no company and no noise, is the control.

# %%
everything, answers = tn.cat([X, X_test]), tn.cat([y, y_test])


def own_digits(norm, count, rates, seeds, steps):
    """Networks side by side, each with digits of its own: last training losses and accuracies on all others, ``(rates, seeds)``."""
    orders = np.stack([np.random.default_rng(seed).permutation(len(everything)) for seed in range(seeds)] * len(rates))
    networks = []
    for _ in rates:
        for seed in range(seeds):
            tn.manual_seed(seed)
            networks.append(network(norm, depth=3))
    together, rng, losses = Stacked(networks, shared=False), np.random.default_rng(0), []
    optimizer, eta = tn.optim.SGD(together.parameters(), lr=1.0), tn.tensor(np.repeat(rates, seeds)).float()
    for _ in range(steps):
        rows = tn.tensor(orders[:, rng.integers(0, count, 20)])
        each = F.cross_entropy(together(everything[rows]).flatten(0, 1), answers[rows].flatten(), reduction="none")
        each = each.reshape(len(together), -1).mean(1)
        optimizer.zero_grad()
        (each * eta).sum().backward()
        optimizer.step()
        losses.append(each.detach().numpy().copy())
    rows = tn.tensor(orders[:, count:])
    with tn.no_grad():
        right = (together.eval()(everything[rows]).argmax(-1) == answers[rows]).double().mean(1).numpy()
    return np.mean(losses[-20:], 0).reshape(len(rates), seeds), right.reshape(len(rates), seeds)


# %%
seeds, small = quick(16, 1), {}
for count in (100, 1000):
    for name in ("nothing", "batch norm", "layer norm"):
        losses, right = own_digits(variants[name], count, (0.1, 0.3), seeds, quick(250, 8))
        best = right.mean(1).argmax()
        small[count, name] = losses[best].mean(), right[best]
        print(f"{count:5} digits, {name:11} training loss {small[count, name][0]:.4f}, test accuracy {right[best].mean():.3f}")

fig, ax = plt.subplots(figsize=(7, 2.8))
rows = [(count, name) for count in (100, 1000) for name in ("batch norm", "layer norm")]
gains = {key: small[key][1] - small[key[0], "nothing"][1] for key in rows}
for place, (key, gain) in enumerate(gains.items()):
    color = "tab:red" if key[1] == "batch norm" else "tab:blue"
    ax.plot(100 * gain, np.full(seeds, place), "o", color=color, alpha=0.5)
    ax.plot(100 * gain.mean(), place, "|", color="black", ms=18)
    print(f"{key[0]:5} digits, {key[1]}: gained {100 * gain.mean():.1f} ± {100 * gain.std() / seeds**0.5:.1f} points")
ax.axvline(0, color="black", lw=0.5)
ax.set_yticks(range(len(rows)), [f"{name}, {count:,} digits" for count, name in rows])
ax.set_ylim(len(rows) - 0.5, -0.5)
ax.set(xlabel="accuracy gained over no normalisation, points")
plt.show()

# %%
claim(
    "E bn generalises",
    "Batch normalisation has a regularising effect and improves generalisation.",
    "confirmed with limits",
    "The training loss stays higher. The test gains a point or nothing with 1,000 digits, which one set of them cannot show, and "
    "with 100, where a regulariser should help most, hardly more; layer normalisation, which has no noise, gains about as much "
    "with 1,000.",
    "loss_ratio > 1 and abs(gain_1000) < 0.02 and abs(gain_100) < 0.02 and gain_1000_layer > gain_1000 - 0.01",
    loss_ratio=small[1000, "batch norm"][0] / small[1000, "nothing"][0],
    gain_100=gains[100, "batch norm"].mean(),
    gain_1000=gains[1000, "batch norm"].mean(),
    gain_100_layer=gains[100, "layer norm"].mean(),
    gain_1000_layer=gains[1000, "layer norm"].mean(),
)

# %% [markdown]
# ## Without company: the running statistics
#
# In use there may be one single example, and nobody wants its label to depend on its neighbours. So the layer keeps a running
# mean and variance, moved a little towards those of every batch, and `model.eval()` uses them:
#
# $$ \mu_\text{run} \leftarrow (1 - m)\,\mu_\text{run} + m\,\mu_\text{batch}, \qquad
#    \sigma^2_\text{run} \leftarrow (1 - m)\,\sigma^2_\text{run} + m\,\tfrac{N}{N-1}\,\sigma^2_\text{batch} $$
#
# with $m$ = `momentum` = 0.1. They start at 0 and 1, and after $t$ steps the share $(1-m)^t$ of that start is still in them.
# What if you evaluate too early, or choose a small $m$? This network reads raw pixels, from 0 to 16, so that 0 and 1 are bad
# guesses.

# %%
layer = nn.BatchNorm1d(1, momentum=0.1)
batch = 5 + 3 * tn.randn(10, 1)
layer(batch)
print(f"batch:   mean {batch.mean().item():.3f}, variance {batch.var().item():.3f}")
print(f"running: mean {layer.running_mean.item():.3f}, variance {layer.running_var.item():.3f}")
assert abs(layer.running_mean.item() - 0.1 * batch.mean().item()) < 1e-6
assert abs(layer.running_var.item() - (0.9 + 0.1 * batch.var().item())) < 1e-5

pixels, test_pixels = tn.tensor(images).float(), tn.tensor(test_images).float()
fig, ax = plt.subplots(figsize=(7.5, 3.2))
for momentum, color in ((0.1, "tab:blue"), (0.01, "tab:orange"), (None, "tab:green")):
    tn.manual_seed(0)
    model = network(lambda width, m=momentum: nn.BatchNorm1d(width, momentum=m), depth=4)
    optimizer, rng, curves = tn.optim.SGD(model.parameters(), lr=0.3), np.random.default_rng(0), []
    for step in range(quick(150, 5)):
        chosen = tn.tensor(rng.integers(0, len(pixels), 64))
        loss = F.cross_entropy(model(pixels[chosen]), y[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 3 == 0:
            tried = copy.deepcopy(model)  # a copy: in training mode a call moves the running statistics
            with tn.no_grad():
                scores = tried.eval()(test_pixels), tried.train()(test_pixels)
            curves.append([step] + [(s.argmax(1) == y_test).double().mean().item() for s in scores])
    at, running, own = np.array(curves).T
    if momentum == 0.1:
        ax.plot(at, own, "--", color="black", lw=1, label="statistics of the test batch")
    ax.plot(at, running, color=color, label=f"running, momentum {momentum}" + ("" if momentum else " (mean of all batches)"))
ax.set(xlabel="step", ylabel="test accuracy", ylim=(0, 1))
ax.legend(frameon=False, loc="lower right", fontsize=8)
plt.show()

# %% [markdown]
# The black line and the blue one are the *same weights*; only the numbers that they normalise with differ. With $m = 0.1$
# evaluation lags for some fifteen steps, with $m = 0.01$ for more than a hundred. If your validation accuracy is at chance
# while the training loss falls, look here first. The mean of all batches (`momentum=None`) follows at once, but ends a little
# lower: it never forgets the first, untrained weights.
#
# ## Small batches
#
# Small batches hurt twice: what a layer hands on is mostly noise, as the histograms showed, and evaluation, with the running
# numbers, looks different from it. Layer and group normalisation do not look at other examples. Three layers, 100 steps at rate
# 0.05, three seeds; predict the order of the curves at the left end:

# %%
sizes, seeds = quick([2, 4, 8, 32], [2, 16]), quick(3, 1)
runs = {}
kinds = {
    "nothing": nn.Identity,
    "batch norm": nn.BatchNorm1d,
    "layer norm": nn.LayerNorm,
    "group norm": lambda width: nn.GroupNorm(8, width),
}
for name, norm in kinds.items():
    for size in sizes:
        for seed in range(seeds):
            tn.manual_seed(seed)
            model = network(norm, depth=3)
            optimizer = tn.optim.SGD(model.parameters(), lr=0.05)
            for x, target in batches(quick(100, 5), size):
                loss = F.cross_entropy(model(x), target)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            with tn.no_grad():
                right = (model.eval()(X_test).argmax(1) == y_test).double().mean().item()
            runs.setdefault(name, []).append(right)

fig, ax = plt.subplots(figsize=(7, 3.2))
for (name, right), color in zip(runs.items(), ("black", "tab:red", "tab:blue", "tab:cyan"), strict=True):
    right = np.reshape(right, (len(sizes), seeds))
    ax.semilogx(sizes, right.mean(1), "o-", base=2, color=color, label=name)
    ax.semilogx(sizes, right, ".", base=2, color=color, ms=4, alpha=0.5)
    print(f"{name:11}", right.mean(1).round(3))
ax.set(xlabel="batch size", ylabel="test accuracy")
ax.legend(frameon=False)
plt.show()

# %% [markdown]
# With two examples batch normalisation falls far behind even "nothing"; from eight on it keeps up. That is the reason
# for group normalisation (Wu & He 2018) where images are so large that only one or two fit into memory, and one reason why
# Transformers normalise layers.
#
# ## What was seen
#
# - Scaling inputs is about the condition number. Centring does more than one thinks, correlation stays, and whoever compares
#   distances or descends by one rate needs it.
# - A scaler is a part of the model: fit it on the training set, once. A second one fitted on the test set destroys what is to
#   be recognised.
# - Batch normalisation averages over other examples, all others do not. From there come its noise, its running statistics and
#   its trouble with small batches.
# - The gradient behind a normalisation is orthogonal to ones and to $\hat x$; that of the weights is orthogonal to the weights,
#   and their length is a brake. This is what allows learning rates ten times as high. Scale and shift have no part in it, and
#   steadiness of the distributions is not needed.
# - It regularises a little and generalises a little better, if at all: it takes many sets of data to see it.
#
# ## Things to try
#
# 1. Put `PowerTransformer` and `QuantileTransformer` into the race of the scalers. What do they do to κ, and to nearest
#    neighbours?
# 2. Multiply one wine by 1,000 (a typing error). What does min-max make of the others? And `RobustScaler`?
# 3. Let `tn.optim.Newton` predict the alcohol from the raw columns. Why does scaling not matter to it? (One step is enough: κ
#    cancels in $H^{-1} g$.)
# 4. Sweep the learning rates with tanh in place of ReLU. Is the gain as large? (No: tanh bears a rate near 1 by itself, and
#    batch normalisation at most three times that.)
# 5. Make the jolts larger (`size=2`). When does it hurt more than no normalisation?
# 6. Evaluate the network that was trained with batches of two in training mode, the whole test set as one batch. How much of
#    its failure was the noise, how much the running statistics?
# 7. What is the gradient of the biases of the linear layers in front of batch normalisation, and why? (Zero: a constant added
#    to a channel.)
# 8. Use weight decay with batch normalisation: it cannot change the function. What does it do to the effective rate?
# 9. Put the normalisation *behind* the ReLU. Which is better, and at which rates?
#
# ## Where to look
#
# - Functions: [`BatchNorm1d`, `LayerNorm`, `GroupNorm`](../tinygrad_notes/nn/normalization.py) and [their
#   formulas](../tinygrad_notes/nn/functional/normalization.py), [`Stacked`](../tinygrad_notes/models/stacked.py), [`hessian`,
#   `vmap`](../tinygrad_notes/func/__init__.py).
# - Tests: [normalisations against PyTorch](../tests/test_modules_torch.py), [replayed with their running
#   statistics](../tests/test_module_replay.py), [scalers and first values](../tests/test_first_values.py).
# - S. Ioffe, C. Szegedy, *Batch normalization: accelerating deep network training by reducing internal covariate shift*, ICML
#   2015. [arXiv](https://arxiv.org/abs/1502.03167)
# - J. L. Ba, J. R. Kiros, G. E. Hinton, *Layer normalization*, 2016. [arXiv](https://arxiv.org/abs/1607.06450)
# - Y. Wu, K. He, *Group normalization*, ECCV 2018. [arXiv](https://arxiv.org/abs/1803.08494)
# - S. Santurkar, D. Tsipras, A. Ilyas, A. Mądry, *How does batch normalization help optimization?*, NeurIPS 2018.
#   [arXiv](https://arxiv.org/abs/1805.11604)
# - T. van Laarhoven, *L2 regularization versus batch and weight normalization*, 2017. [arXiv](https://arxiv.org/abs/1706.05350)
# - Y. LeCun, L. Bottou, G. Orr, K.-R. Müller, *Efficient BackProp*, 1998: why inputs should be centred and scaled.
#   [doi](https://doi.org/10.1007/3-540-49430-8_2)
