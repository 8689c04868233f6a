# The source of 10_regularisation.ipynb: `python notebooks/build.py` executes it and writes the notebook.

# %% [markdown]
# # 10 · Regularisation
#
# A network that is large enough can learn anything by heart, mistakes included. *Regularisation* is everything that makes it
# learn less than it could, so that it knows more. You will **see** a polynomial that passes through all points and is wrong
# nearly everywhere, and one number that mends it; why the corner of a square makes weights exactly zero, and why gradient
# descent on the same penalty makes none; how much memory that saves; a network that learned a fifth of its labels wrongly,
# and what dropout does about it, taken apart into its three usual explanations; digits that are turned and stretched; the
# best moment to stop; and a deep network of sigmoids that does not learn until its layers have practised one by one.
#
# 足够大的网络可以把训练数据连同错误一起背下来；**正则化**就是故意让它少学一点，从而真正学会规律。
# 本节用实验检验笔记中的各种说法：岭回归的闭式解与梯度下降是否一致；L1 为什么产生稀疏解、普通梯度下降为什么得不到精确的零、
# 稀疏到底能省多少存储；dropout 的三种解释（取平均、减少共适应、缩小权重）哪些经得起测量；翻转、旋转、弹性变形对手写数字是帮忙还是捣乱；
# 早停要不要回滚、耐心取 10 轮够不够；逐层预训练和微调什么时候有用。
#
# Every claim of the notes is measured, and where they are wrong or need limits, the numbers say so.

# %%
import copy
import io
from functools import cache, partial

import matplotlib.pyplot as plt
import numpy as np
from numpy.polynomial import legendre
from scipy.sparse import csr_array
from scipy.stats import gmean
from setting import claim, quick
from sklearn.datasets import load_digits
from sklearn.linear_model import Lasso
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split

import tinygrad_notes as tn
from tinygrad_notes import nn, optim
from tinygrad_notes.data.augment import (
    Augmentation,
    elastic_distortion,
    random_crop,
    random_flip,
    random_rotation,
    random_shift,
)
from tinygrad_notes.models.networks import MLP
from tinygrad_notes.nn.regularization import joint_norm, lq_penalty
from tinygrad_notes.train import Callback, EarlyStopping, Fit
from tinygrad_notes.train.pretraining import pretrain
from tinygrad_notes.utils.data import DataLoader, TensorDataset

F = nn.functional

# %% [markdown]
# ## The quadratic penalty
#
# Twelve noisy points of a sine wave, and a polynomial of degree 9 (in Legendre's basis $\phi_j$, which behaves better than
# powers). Ten weights for twelve points: it can pass close to all of them. The notes add a penalty on the size of the
# weights,
#
# $$ E(w) = \tfrac12 \sum_n \big(t_n - w^{\!\top}\phi(x_n)\big)^2 + \tfrac{\lambda}{2}\, w^{\!\top} w
#    \qquad\Longrightarrow\qquad w = (\lambda I + \Phi^{\!\top}\Phi)^{-1}\Phi^{\!\top} t . $$
#
# (They call $t_n$ the targets of the *test* set. It must be the training set: nothing may be fitted to test data.)
# Does descent on $E$ reach that formula? We let the engine find the gradient of the whole expression, penalty included, and,
# as a third way, leave the penalty out and give `SGD` a `weight_decay` of $\lambda$.


# %%
def twelve(seed):
    """Twelve points and their targets."""
    rng = np.random.default_rng(seed)
    x = np.sort(rng.uniform(-1, 1, 12))
    return x, np.sin(np.pi * x) + 0.3 * rng.standard_normal(12)


x, t = twelve(3)
grid = np.linspace(-1, 1, 201)
Phi, Phi_grid = legendre.legvander(x, 9), legendre.legvander(grid, 9)


def ridge(strength, Phi=Phi, t=t):
    return np.linalg.solve(strength * np.eye(10) + Phi.T @ Phi, Phi.T @ t)


def descend(strength, decay):
    """Weights after descent; the penalty stands in the loss, or (decay) in the optimizer."""
    w = tn.zeros(10, dtype=tn.float64, requires_grad=True)
    steepest = np.linalg.eigvalsh(Phi.T @ Phi)[-1] + strength
    optimizer = optim.SGD([w], 1 / steepest, momentum=0.95, nesterov=True, weight_decay=strength if decay else 0)
    features, targets = tn.tensor(Phi), tn.tensor(t)
    for _ in range(quick(3000, 200)):
        optimizer.zero_grad()
        error = (targets - features @ w).square().sum() / 2
        (error if decay else error + strength / 2 * lq_penalty(w, q=2)).backward()
        optimizer.step()
    return w.detach().numpy()


off = {decay: max(abs(descend(s, decay) - ridge(s)).max() for s in (0.01, 1.0)) for decay in (False, True)}
print(f"largest difference of a weight from the formula: penalty in the loss {off[False]:.1e}, weight decay {off[True]:.1e}")
claim(
    "F ridge",
    "The quadratic penalty has its minimum at w = (λI + ΦᵀΦ)⁻¹Φᵀt.",
    "confirmed",
    "Descent on the penalised loss, and SGD with weight decay λ on the plain one, both arrive at the formula to rounding.",
    "penalty < 1e-9 and weight_decay < 1e-9",
    penalty=off[False],
    weight_decay=off[True],
)

# %% [markdown]
# Now turn the knob. What will the three curves look like for $\lambda$ nearly 0, for a good one, and for a thousand?

# %%
strengths = np.geomspace(1e-6, 1e3, 60)
weights = np.array([ridge(s) for s in strengths])
training = np.sqrt(np.mean((weights @ Phi.T - t) ** 2, 1))
true_error = np.sqrt(np.mean((weights @ Phi_grid.T - np.sin(np.pi * grid)) ** 2, 1))
best = int(true_error.argmin())

fig, axes = plt.subplots(1, 3, figsize=(9, 2.8), sharey=True)
for ax, i, name in zip(axes, (0, best, -1), ("too weak", "the best", "too strong"), strict=True):
    ax.plot(grid, np.sin(np.pi * grid), "--", color="tab:gray", label="truth")
    ax.plot(grid, Phi_grid @ weights[i], color="tab:red", label="polynomial")
    ax.plot(x, t, "o", color="black", ms=4, label="training points")
    ax.set(title=f"{name}: λ = {strengths[i]:.2g}", xlabel="x", ylim=(-2.2, 2.2))
axes[1].legend(frameon=False, fontsize=8, loc="upper left")
fig.tight_layout()
plt.show()

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2))
left.loglog(strengths, training, color="tab:blue", label="at the training points")
left.loglog(strengths, true_error, color="tab:red", label="from the truth")
left.plot(strengths[best], true_error[best], "o", color="tab:red")
left.set(xlabel="λ", ylabel="root mean square error", title="two errors")
left.legend(frameon=False)
right.semilogx(strengths, weights)
right.axvline(strengths[best], color="tab:gray", lw=1, ls=":")
right.set(xlabel="λ", ylabel="weights $w_0 \\dots w_9$", title="every weight shrinks, none becomes zero", ylim=(-3, 3))
fig.tight_layout()
plt.show()

# %% [markdown]
# The blue curve only rises, so the training error would always choose $\lambda = 0$; the knob must be set by data that were not
# trained on. (That is notebook 11.) Twelve points are few, and others would have given other curves. Fifty sets of them, and their
# medians:

# %%
norms, errors = [], []
for seed in range(50):
    x_other, t_other = twelve(seed)
    found = np.array([ridge(s, legendre.legvander(x_other, 9), t_other) for s in strengths])
    norms.append(np.linalg.norm(found, axis=1))
    errors.append(np.sqrt(np.mean((found @ Phi_grid.T - np.sin(np.pi * grid)) ** 2, 1)))
assert (np.diff(norms) < 0).all()
norms, errors = np.median(norms, 0), np.median(errors, 0)
best = int(errors.argmin())
claim(
    "F strength",
    "The larger λ, the stronger the restriction.",
    "confirmed",
    "The norm of the weights falls over the whole range of λ, in each of fifty sets; the error has its minimum between two bad ends.",
    "norm_weak > 10 * norm_best > 100 * norm_strong and error_best < 0.5 * min(error_weak, error_strong)",
    norm_weak=norms[0],
    norm_best=norms[best],
    norm_strong=norms[-1],
    error_weak=errors[0],
    error_best=errors[best],
    error_strong=errors[-1],
)

# %% [markdown]
# ## Other penalties, and what a norm is
#
# The notes generalise: $\tfrac{\lambda}{2}\sum_j |w_j|^q$. Instead of adding a penalty one may allow only weights inside the
# ball $\sum_j |w_j|^q \le 1$; the two ask for the same thing. Here are five balls. The ellipses are equal errors around the
# best unpenalised weights (the cross); the red dot is the best point inside the ball. Guess where it will lie before you
# look.

# %%
centre, curvature = np.array([0.35, 1.6]), np.array([[1.0, 0.2], [0.2, 0.7]])
plane = np.stack(np.meshgrid(np.linspace(-1.6, 1.9, 351), np.linspace(-1.6, 1.9, 351)), -1)
error = np.einsum("...i,ij,...j", plane - centre, curvature, plane - centre)
angles = np.linspace(0, 2 * np.pi, 4001)
round_ = np.stack([np.cos(angles), np.sin(angles)], -1)

fig, axes = plt.subplots(1, 5, figsize=(11, 2.6))
touching = {}
for ax, q in zip(axes, (0.5, 1, 1.5, 2, 4), strict=True):
    ball = round_ / (np.abs(round_) ** q).sum(-1, keepdims=True) ** (1 / q)
    errors = np.einsum("ni,ij,nj->n", ball - centre, curvature, ball - centre)
    touching[q] = ball[errors.argmin()]
    ax.contour(
        plane[..., 0], plane[..., 1], error, levels=np.sort([errors.min(), 0.2, 1.2, 2.5, 5]), colors="tab:gray", linewidths=0.6
    )
    ax.fill(*ball.T, color="tab:blue", alpha=0.25)
    ax.plot(*ball.T, color="tab:blue", lw=1)
    ax.plot(*centre, "x", color="black")
    ax.plot(*touching[q], "o", color="tab:red")
    ax.set(title=f"q = {q}", aspect="equal", xticks=[-1, 0, 1], yticks=[-1, 0, 1], xlabel="$w_1$")
axes[0].set_ylabel("$w_2$")
fig.tight_layout()
plt.show()
assert all(abs(touching[q][0]) < 1e-3 for q in (0.5, 1))  # in the corner: the first weight is zero
assert all(abs(touching[q][0]) > 0.05 for q in (1.5, 2, 4))

# %% [markdown]
# Balls with corners are touched in a corner, and in a corner a weight is zero; round balls are touched anywhere. For $q<1$ the
# balls are hollow: the problem has several minima.
#
# The notes list the norms that go with it: $L_0$ counts, $L_1$ adds, $L_2$ is the distance, $L_p = (\sum_i x_i^p)^{1/p}$. Try
# the last one on $(1, -1)$ with $p = 3$. And what makes a norm a norm? $\lVert 2x\rVert = 2\lVert x\rVert$, and a
# detour is never shorter than the way: $\lVert x + y \rVert \le \lVert x\rVert + \lVert y\rVert$.

# %%
vector_norm = tn.linalg.vector_norm
v, a, b = (tn.tensor(value) for value in ([1.0, -1.0], [1.0, 0.0], [0.0, 1.0]))
as_written = (v**3).sum().item() ** (1 / 3)
longer = {p: vector_norm(2 * v, p).item() / vector_norm(v, p).item() for p in (0, 0.5, 1, 2, 3)}
detour = {p: vector_norm(a + b, p).item() / (vector_norm(a, p) + vector_norm(b, p)).item() for p in (0, 0.5, 1, 2, 3)}
print("p               ", *(f"{p:6}" for p in longer))
print("|2v| / |v|      ", *(f"{value:6.2f}" for value in longer.values()))
print("|a+b| / (|a|+|b|)", *(f"{value:6.2f}" for value in detour.values()))
claim(
    "F norms",
    "L0, L1, L2 and Lp = (Σ xᵢᵖ)^(1/p) are norms.",
    "confirmed with limits",
    "Without |xᵢ| the formula gives (1, -1) the length 0 for p = 3; and only p ≥ 1 are norms: L0 does not double with its "
    "vector, and for p = 1/2 a detour is shorter than the way.",
    "written_3 == 0 and correct_3 > 1.2 and double_0 == 1 and detour_half > 1.5 and max(detour_1, detour_2, detour_3) <= 1",
    written_3=as_written,
    correct_3=vector_norm(v, 3).item(),
    double_0=longer[0],
    detour_half=detour[0.5],
    detour_1=detour[1],
    detour_2=detour[2],
    detour_3=detour[3],
)

# %% [markdown]
# ## L1 makes zeros. Does gradient descent?
#
# A linear problem with 40 weights, of which only five matter. Three solutions with the same L1 penalty: scikit-learn's `Lasso`
# (coordinate descent, made for it), our gradient descent on `loss + λ · lq_penalty(w, 1)`, and descent on the loss alone with a
# *proximal* step after each update,
#
# $$ w \leftarrow \mathrm{sign}(w)\,\max(|w| - \eta\lambda,\, 0), $$
#
# which moves each weight towards zero and lets it stick there (`F.softshrink`). All three minimise the same function. How many
# exact zeros will each have?

# %%
rng = np.random.default_rng(0)
A = rng.standard_normal((80, 40))
true = np.zeros(40)
true[:5] = 3, -2, 1.5, -1, 0.8
b = A @ true + rng.standard_normal(80)


def l1_descent(strength, proximal, rate=0.1):
    w = tn.zeros(40, dtype=tn.float64, requires_grad=True)
    optimizer = optim.SGD([w], rate)
    features, targets = tn.tensor(A), tn.tensor(b)
    for _ in range(quick(2000, 100)):
        optimizer.zero_grad()
        error = (targets - features @ w).square().mean() / 2
        (error if proximal else error + strength * lq_penalty(w, q=1)).backward()
        optimizer.step()
        if proximal:
            with tn.no_grad():
                w.copy_(F.softshrink(w, rate * strength))
    return w.detach().numpy()


lasso = Lasso(0.2, fit_intercept=False, tol=1e-12, max_iter=100_000).fit(A, b).coef_
solutions = {
    "ridge, λ = 0.2": np.linalg.solve(A.T @ A / 80 + 0.2 * np.eye(40), A.T @ b / 80),
    "L1, gradient descent": l1_descent(0.2, proximal=False),
    "L1, proximal descent": l1_descent(0.2, proximal=True),
    "L1, scikit-learn": lasso,
}
zeros = {name: int((w == 0).sum()) for name, w in solutions.items()}
print(zeros)

fig, ax = plt.subplots(figsize=(7, 3))
for (name, w), marker in zip(solutions.items(), "s.ox", strict=True):
    ax.semilogy(
        np.sort(np.abs(w))[::-1] + 1e-6, marker, ms=6 if marker != "." else 8, mfc="none", label=f"{name}: {zeros[name]} zeros"
    )
ax.axhline(0.1 * 0.2, color="tab:gray", lw=1, ls="--")
ax.text(18, 0.1 * 0.2 * 1.4, "one step of the penalty, ηλ", ha="center", color="tab:gray", fontsize=8)
ax.set(xlabel="weights, largest first", ylabel="$|w|$ (zeros drawn at $10^{-6}$)")
ax.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(0, 0.35))
plt.show()

# %% [markdown]
# The gradient of $|w|$ is $\pm 1$ however small $w$ is, so plain descent jumps to and fro over zero, by one step of
# the penalty, for ever. The *minimum* is sparse; the *iterates* are not. Proximal descent finds scikit-learn's minimum with
# every zero. Follow the weights while $\lambda$ grows, as above for ridge:

# %%
path = np.geomspace(0.01, 3, 40)
by_l1 = np.array([Lasso(s, fit_intercept=False, max_iter=100_000).fit(A, b).coef_ for s in path])
by_l2 = np.array([np.linalg.solve(A.T @ A / 80 + s * np.eye(40), A.T @ b / 80) for s in path])
fig, axes = plt.subplots(1, 2, figsize=(9, 3.2), sharey=True)
for ax, found, name in zip(axes, (by_l1, by_l2), ("L1", "L2"), strict=True):
    ax.semilogx(path, found[:, 5:], color="tab:gray", lw=0.6)
    ax.semilogx(path, found[:, :5], lw=2)
    ax.set(xlabel="λ", title=f"{name}: {int((np.abs(found[24]) < 1e-12).sum())} of 40 are zero at λ = {path[24]:.2f}")
axes[0].set_ylabel("weights (five that matter in colour)")
fig.tight_layout()
plt.show()
claim(
    "F L1 sparse",
    "L1 makes the solution sparse: many weights are 0.",
    "confirmed with limits",
    "The minimum has its zeros, and proximal descent reaches it; gradient descent on the same loss makes not one exact zero, "
    "nor does L2.",
    "lasso > 25 and proximal == lasso and gradient_descent == 0 and ridge == 0 and off < 1e-9",
    lasso=zeros["L1, scikit-learn"],
    proximal=zeros["L1, proximal descent"],
    gradient_descent=zeros["L1, gradient descent"],
    ridge=zeros["ridge, λ = 0.2"],
    off=abs(solutions["L1, proximal descent"] - lasso).max(),
)

# %% [markdown]
# ## Do zeros save memory?
#
# The notes doubt it: L1 makes a model sparse, some say it compresses, but the memory does not shrink much, so that cannot be
# its purpose. We train a classifier of digits (scikit-learn's, $8\times 8$ pixels) without penalty and with proximal L1, and
# count bytes three ways: the array as it is, a sparse format (`csr_array`: each weight that is not zero, and its column), and
# a compressed file. As a rival: take the network *without* penalty and simply set its smallest weights to zero.

# %%
digits = load_digits()
images, labels = (digits.images / 16).astype(np.float32), digits.target
pixels = images.reshape(len(images), -1)


def train(net, x, y, epochs, *, batch=50, optimizer=None, **options):
    """Train with cross-entropy; Adam if no optimizer is given. Returns the run; the network is left in evaluation mode."""
    optimizer = optimizer or optim.Adam(net.parameters(), lr=3e-3)
    examples = DataLoader(TensorDataset(tn.tensor(x), tn.tensor(y)), batch, shuffle=True)
    run = Fit(net, F.cross_entropy, optimizer, examples, **options)
    run.run(epochs)
    net.eval()
    return run


def probabilities(net, x):
    with tn.no_grad():
        return F.softmax(net(tn.tensor(x)), -1).numpy()


def accuracy(net, x, y):
    return accuracy_score(y, probabilities(net, x).argmax(-1))


def matrices(net):
    """The weights of the layers, without biases."""
    return [q for q in net.parameters() if q.ndim > 1]


class SoftThreshold(Callback):
    """The proximal step of L1, after each update."""

    def __init__(self, strength):
        self.strength = strength

    def after_update(self, run):
        with tn.no_grad():
            for w in matrices(run.model):
                w.copy_(F.softshrink(w, run.optimizer.param_groups[0]["lr"].item() * self.strength))


# %%
def bytes_of(net):
    """Bytes of the weights as arrays, in a sparse format, and in a compressed file."""
    arrays = [w.detach().numpy() for w in matrices(net)]
    sparse = [csr_array(w) for w in arrays]
    file = io.BytesIO()
    np.savez_compressed(file, *arrays)
    in_sparse = sum(s.data.nbytes + s.indices.nbytes + s.indptr.nbytes for s in sparse)
    return np.array([sum(w.nbytes for w in arrays), in_sparse, file.tell()])


def share_of_zeros(net):
    return 1 - joint_norm(matrices(net), 0).item() / sum(w.numel() for w in matrices(net))


def cut(net, share):
    """Set the smallest weights to zero."""
    limit = np.quantile(np.concatenate([w.detach().abs().flatten().numpy() for w in matrices(net)]), share)
    with tn.no_grad():
        for w in matrices(net):
            w.masked_fill_(w.abs() < float(limit), 0.0)


shares, found, cuts, sizes, nets = np.linspace(0, 0.95, 20), [], [], [], {}
for seed in range(quick(4, 1)):
    parts = train_test_split(pixels, labels, test_size=0.3, random_state=seed, stratify=labels)
    for strength in (0.0, 1e-3, 2e-3):
        tn.manual_seed(seed)
        net = nets[strength] = MLP([64, 64, 10])
        train(
            net,
            parts[0],
            parts[2],
            quick(30, 3),
            batch=64,
            optimizer=optim.SGD(net.parameters(), 0.4),
            callbacks=[SoftThreshold(strength)],
        )
        found.append((strength, share_of_zeros(net), accuracy(net, parts[1], parts[3])))
        sizes.append(bytes_of(net) / bytes_of(net)[0])
    for share in shares:
        nets["cut"] = copy.deepcopy(nets[0.0])
        cut(nets["cut"], share)
        cuts.append(accuracy(nets["cut"], parts[1], parts[3]))

# %%
strength, zero, right_ = np.array(found).reshape(-1, 3, 3).mean(0).T
in_sparse, in_file = np.array(sizes).reshape(-1, 3, 3).mean(0)[:, 1:].T
after_cut = np.reshape(cuts, (-1, len(shares))).mean(0)
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2))
left.plot(100 * shares, 100 * after_cut, "o-", color="tab:gray", ms=3, label="no penalty, smallest weights set to 0")
left.plot(100 * zero, 100 * right_, "D", color="tab:red", label="L1, proximal")
left.set(xlabel="weights that are 0, %", ylabel="test accuracy, %", ylim=(88, 98), title="what the zeros cost")
left.legend(frameon=False, loc="lower left")
right.axhline(100, color="tab:gray", lw=1, ls="--")
right.plot(100 * zero, 100 * in_sparse, "o-", label="sparse format")
right.plot(100 * zero, 100 * in_file, "o-", label="compressed file")
right.set(xlabel="weights that are 0, %", ylabel="bytes, % of the plain array", ylim=(0, 210), title="what the zeros save")
right.legend(frameon=False)
fig.tight_layout()
plt.show()
claim(
    "F L1 memory",
    "L1's zeros do not save much memory; compressing the model is not what it is for.",
    "confirmed with limits",
    "Plain arrays do not shrink. A sparse format pays off only from half zeros on; with two thirds it still needs about two "
    "thirds of the bytes, a compressed file 40 %. L1 pays for it in accuracy; a network without penalty can lose as many of "
    "its smallest weights for no higher price.",
    "array == 1 and sparse_none > 1.9 and sparse_l1 < 0.8 and file_l1 < 0.5 and l1 < none - 0.005 and cut > l1 - 0.005",
    array=1,
    zeros=zero[-1],
    sparse_none=in_sparse[0],
    sparse_l1=in_sparse[-1],
    file_l1=in_file[-1],
    none=right_[0],
    l1=right_[-1],
    cut=float(np.interp(zero[-1], shares, after_cut)),
)

# %% [markdown]
# L1 shrinks *every* weight by the same amount, the useful ones too. To compress, one need not have it: remove small weights after
# training (and train on a little). What L1 does give is something to look at. Each little square shows what one hidden unit looks for
# in the $8 \times 8$ pixels (blue: ink speaks against it, red: for it, white: exactly zero):


# %%
def filters(net, count=24):
    """The first layer's weights of the units with the largest ones, as one picture."""
    w = matrices(net)[0].detach().numpy()
    chosen = w[np.argsort(-np.linalg.norm(w, axis=1))[:count]].reshape(-1, 12, 8, 8)
    framed = np.pad(chosen, ((0, 0), (0, 0), (0, 1), (0, 1)), constant_values=np.nan)
    return framed.transpose(0, 2, 1, 3).reshape(-1, 12 * 9)


nets["cut"] = copy.deepcopy(nets[0.0])
cut(nets["cut"], share_of_zeros(nets[2e-3]))
fig, axes = plt.subplots(3, 1, figsize=(8, 5))
for ax, key, name in zip(axes, (0.0, "cut", 2e-3), ("no penalty", "the same, smallest weights set to 0", "L1"), strict=True):
    picture = filters(nets[key])
    ax.imshow(picture, cmap="RdBu_r", vmin=-1, vmax=1)
    ax.set_title(f"{name}: {share_of_zeros(nets[key]):.0%} zeros", fontsize=10)
    ax.axis("off")
fig.tight_layout()
plt.show()

# %% [markdown]
# The corner pixels, which are blank in every image, have no gradient at all: without penalty they keep the random weights
# they were born with. A penalty cleans them away.
#
# ## Weight decay, coupled and decoupled
#
# For plain gradient descent the gradient of $\tfrac{\lambda}{2} w^2$ and "shrink $w$ by $\eta\lambda w$ each step" are one
# and the same; that was the third way above. For Adam they are not. Adam divides each gradient by its usual size, and if the
# penalty is *in* the gradient, it is divided too: weights whose gradients are large or noisy are hardly decayed. AdamW
# (Loshchilov & Hutter) shrinks the weights beside Adam's step. The clearest experiment has no signal at all: three useless
# weights start at 1, and their gradients are nothing but noise, of size 0.1, 1 and 10.

# %%
noise = np.random.default_rng(0).standard_normal((quick(3000, 100), 3)) * [0.1, 1, 10]


def decayed(make):
    w = tn.ones(3, dtype=tn.float64, requires_grad=True)
    optimizer = make([w])
    seen = []
    for g in noise:
        w.grad = tn.tensor(g)
        optimizer.step()
        seen.append(w.detach().numpy().copy())
    return np.array(seen)


makers = {
    "SGD, weight decay": partial(optim.SGD, lr=1e-3, weight_decay=1),
    "Adam, L2 in the gradient": partial(optim.Adam, lr=1e-3, weight_decay=1),
    "AdamW, decoupled": partial(optim.AdamW, lr=1e-3, weight_decay=1),
}
ends = {}
fig, axes = plt.subplots(1, 3, figsize=(10, 2.8), sharey=True)
for ax, (name, make) in zip(axes, makers.items(), strict=True):
    seen = decayed(make)
    ends[name] = np.abs(seen[-1])
    for i, (size, color) in enumerate(zip(("0.1", "1", "10"), ("tab:green", "tab:orange", "tab:red"), strict=True)):
        ax.plot(seen[:, i], color=color, lw=1, label=f"noise {size}")
    ax.axhline(0, color="black", lw=0.5)
    ax.set(title=name, xlabel="step", ylim=(-1, 1.4))
axes[0].set_ylabel("weight")
axes[2].legend(frameon=False)
fig.tight_layout()
plt.show()

# %% [markdown]
# SGD decays all three alike and passes the noise on, ten times as much for the red weight. Adam tames the noise and loses the
# decay with it: with noise 10 more than half of the weight is left, with noise 0.1 nothing. AdamW has both. (For
# `Adam(weight_decay=...)` this library, like PyTorch, means the coupled form.)
#
# ## Dropout
#
# In training each hidden value is set to 0 with some probability, and the others are divided by the probability to be kept,
# so that the mean stays (*inverted* dropout; then nothing needs to be done at prediction). Eight draws of one image, with 80
# % of pixels kept:

# %%
tn.manual_seed(0)
kept = F.dropout(tn.tensor(np.repeat(images[:1], 8, 0)), p=0.2).numpy()
fig, axes = plt.subplots(1, 9, figsize=(9, 1.4))
for ax, image in zip(axes, [images[0], *kept], strict=True):
    ax.imshow(image, cmap="gray_r", vmin=0, vmax=1.25)
    ax.axis("off")
axes[0].set_title("whole", fontsize=9)
plt.show()
many = F.dropout(tn.ones(1000, 1000), p=0.2)
assert abs(many.mean().item() - 1) < 2e-3  # the mean stays
assert sorted(set(many.flatten().tolist())) == [0, 1.25]

# %% [markdown]
# "Sampling probability 0.5 in hidden layers and 0.8 at the input", say the notes, and in the same breath that units are
# *deleted* with it. It is the probability to be **kept**, so at the input `Dropout(p=0.2)`. What the other reading costs, we
# can measure: 200 digits for training, and so that there is something to overfit, a fifth of their labels is wrong. (Test
# labels are right.)


# %%
def few(seed, wrong=0.2, count=200):
    """Training images and labels, of which some are wrong; test images and labels."""
    x, x_test, y, y_test = train_test_split(pixels, labels, train_size=count, random_state=seed, stratify=labels)
    rng = np.random.default_rng(seed)
    lies = rng.random(count) < wrong
    return x, np.where(lies, (y + rng.integers(1, 10, count)) % 10, y), x_test, y_test, lies


def network(keep_input, keep_hidden):
    """Two hidden layers."""
    hidden = (
        nn.Linear(64, 128),
        nn.ReLU(),
        nn.Dropout(1 - keep_hidden),
        nn.Linear(128, 128),
        nn.ReLU(),
        nn.Dropout(1 - keep_hidden),
    )
    return nn.Sequential(nn.Dropout(1 - keep_input), *hidden, nn.Linear(128, 10))


@cache  # several experiments look at the same networks
def dropped(data, wrong=0.2, keep_input=1.0, keep_hidden=1.0, start=0):
    """A network trained on the images of ``few(data, wrong)``."""
    x, y, *_ = few(data, wrong)
    tn.manual_seed(start)
    net = network(keep_input, keep_hidden)
    train(net, x, y, quick(40, 2))
    return net


keeps = (1.0, 0.8, 0.5, 0.2)
table = np.zeros((4, 4))
for seed in range(quick(2, 1)):
    _, _, x_test, y_test, _ = few(seed)
    for i, keep_input in enumerate(keeps):
        for j, keep_hidden in enumerate(keeps):
            right = accuracy(dropped(seed, 0.2, keep_input, keep_hidden), x_test, y_test)
            table[i, j] += 100 * right / quick(2, 1)

fig, ax = plt.subplots(figsize=(4.6, 3.8))
shown = ax.imshow(table, cmap="viridis", vmin=60)
for (i, j), value in np.ndenumerate(table):
    ax.text(j, i, f"{value:.0f}", ha="center", va="center", color="white" if value < 82 else "black")
ax.set_xticks(range(4), keeps)
ax.set_yticks(range(4), keeps)
ax.set(xlabel="hidden values kept", ylabel="inputs kept", title="test accuracy, %")
ax.spines[:].set_visible(False)
fig.colorbar(shown)
plt.show()

# %% [markdown]
# Top left is no dropout. The other reading of 0.8 is the bottom row, many points below the row of 0.8, whatever is kept inside.
# But one picture of a task made for dropout proves little. What if all labels are right, so that learning by heart does not hurt?

# %%
results = []
for seed in range(quick(5, 1)):
    for wrong in (0.2, 0.0):
        x, y, x_test, y_test, lies = few(seed, wrong)
        for keep_input, keep_hidden in ((1.0, 1.0), (0.8, 0.5)):
            net = dropped(seed, wrong, keep_input, keep_hidden)
            learned_lies = accuracy(net, x[lies], y[lies]) if wrong else np.nan
            size = joint_norm(matrices(net)).item()
            results.append((accuracy(net, x_test, y_test), accuracy(net, x, y), learned_lies, size))
mean = np.array(results).reshape(-1, 2, 2, 4).mean(0)
for labels_are, row in zip(("a fifth wrong", "all right"), mean, strict=True):
    for name, values in zip(("none", "0.8 / 0.5"), row, strict=True):
        print(
            f"labels {labels_are:14} dropout {name:9}: test {values[0]:.3f}, training {values[1]:.3f}, lies learned {values[2]:.2f}"
        )
claim(
    "F dropout",
    "Dropout, with 0.5 of the hidden values and 0.8 of the inputs kept, prevents overfitting.",
    "confirmed with limits",
    "With a fifth of the labels wrong it learns far fewer of the lies and is right much more often, and the notes' cell is "
    "among the best of the table. Where all labels are right there is nothing to win in accuracy, and it costs a little.",
    "dropout > none + 0.04 and lies_dropout < 0.6 * lies_none and best_of_table - notes_cell < 3 and dropout_clean < "
    "none_clean + 0.01",
    none=mean[0, 0, 0],
    dropout=mean[0, 1, 0],
    lies_none=mean[0, 0, 2],
    lies_dropout=mean[0, 1, 2],
    notes_cell=table[1, 2],
    best_of_table=table.max(),
    none_clean=mean[1, 0, 0],
    dropout_clean=mean[1, 1, 0],
)

# %% [markdown]
# ### Explanation 1: an average of many networks
#
# Every mask leaves another network, $2^N$ of them for $N$ units, all with shared weights. The trained network with nothing
# deleted is said to be their average. Which average? Take one layer, $z = W(m \circ h)/k + b$ with a mask $m$, and write down
# the *geometric* mean of $\mathrm{softmax}(z)$ over all masks: logarithms are averaged, $E[z] = Wh + b$, and normalised. That
# is the undeleted layer, exactly. With 10 units we can visit all 1,024 masks.

# %%
rng = np.random.default_rng(0)
W, h, bias, keep = rng.standard_normal((4, 10)), rng.standard_normal(10), rng.standard_normal(4), 0.8
masks = (np.arange(1024)[:, None] >> np.arange(10)) & 1
chance = (keep**masks * (1 - keep) ** (1 - masks)).prod(1)
each = F.softmax(tn.tensor((masks * h / keep) @ W.T + bias), -1).numpy()
geometric = np.exp(chance @ np.log(each))
whole = F.softmax(tn.tensor(W @ h + bias), -1).numpy()
print("arithmetic mean of 1,024 networks", (chance @ each).round(4))
print("geometric mean, normalised       ", (geometric / geometric.sum()).round(4))
print("nothing deleted                  ", whole.round(4))
np.testing.assert_allclose(geometric / geometric.sum(), whole, rtol=1e-12)

# %% [markdown]
# For deeper networks no theorem says so; but one can draw masks. In evaluation mode nothing is deleted; in training mode
# each call is another of the networks. We average the answers of up to a thousand of them.

# %%
_, _, x_test, y_test, _ = few(0)
x_test, y_test = x_test[:500], y_test[:500]
net = dropped(0, 0.2, 0.8, 0.5)
undeleted = probabilities(net, x_test)
net.train()
tn.manual_seed(1)
samples = np.array([probabilities(net, x_test) for _ in range(quick(1000, 20))])
net.eval()

counts = np.unique(np.geomspace(1, len(samples), 25).astype(int))
arithmetic = [samples[:n].mean(0) for n in counts]
geometric = [gmean(samples[:n], 0) for n in counts]
geometric = [g / g.sum(-1, keepdims=True) for g in geometric]
right_ = {
    name: [accuracy_score(y_test, p.argmax(-1)) for p in found]
    for name, found in (("arithmetic", arithmetic), ("geometric", geometric))
}
loss = {name: [log_loss(y_test, p) for p in found] for name, found in (("arithmetic", arithmetic), ("geometric", geometric))}
single = np.mean([accuracy_score(y_test, p.argmax(-1)) for p in samples[:100]])

fig, axes = plt.subplots(1, 2, figsize=(9, 3.2))
for ax, curves, reference, label in zip(
    axes,
    (right_, loss),
    (accuracy_score(y_test, undeleted.argmax(-1)), log_loss(y_test, undeleted)),
    ("accuracy", "loss"),
    strict=True,
):
    for name, color in (("arithmetic", "tab:blue"), ("geometric", "tab:red")):
        ax.semilogx(counts, curves[name], "o-", ms=3, color=color, label=f"{name} mean of n networks")
    ax.axhline(reference, color="black", ls="--", lw=1, label="nothing deleted, one pass")
    ax.set(xlabel="networks n", ylabel=f"test {label}")
axes[0].legend(frameon=False, fontsize=9)
fig.tight_layout()
plt.show()
distance = {
    name: np.abs(found[-1] - undeleted).sum(-1).mean() / 2
    for name, found in (("arithmetic", arithmetic), ("geometric", geometric))
}
claim(
    "F dropout average",
    "Dropout amounts to averaging a great many networks (bagging).",
    "confirmed with limits",
    "One pass with nothing deleted says what the geometric mean of a thousand masked networks says, not what their "
    "arithmetic mean, bagging's, says; each network alone is much worse. And they share weights: none was trained on its "
    "own.",
    "geometric < 0.08 and geometric < 0.5 * arithmetic and accuracy > single + 0.08 and accuracy > mean_of_all - 0.02",
    geometric=distance["geometric"],
    arithmetic=distance["arithmetic"],
    single=single,
    mean_of_all=right_["geometric"][-1],
    accuracy=accuracy_score(y_test, undeleted.argmax(-1)),
)

# %% [markdown]
# The two figures of distance are total variations: by how much probability the answers differ. The arithmetic mean is about as
# often right, but too unsure of itself (its loss is larger).
#
# The notes lead to dropout by a real ensemble: train five networks on the same data, average or vote; different networks
# overfit differently, and errors in opposite directions cancel. Do they? The lies in the data are the same for all five.

# %%
rows = []
for seed in range(quick(3, 1)):
    _, _, x_test, y_test, _ = few(seed)
    answers = np.array([probabilities(dropped(seed, start=k), x_test) for k in range(5)])
    votes = np.array([np.bincount(column, minlength=10).argmax() for column in answers.argmax(-1).T])
    wrong = answers.argmax(-1) != y_test
    rows.append(
        (
            1 - wrong.mean(),
            accuracy_score(y_test, answers.mean(0).argmax(-1)),
            accuracy_score(y_test, votes),
            wrong.all(0).mean() / wrong.mean(),
        )
    )
alone, averaged, voted, shared = np.mean(rows, 0)
print(
    f"one network {alone:.3f}, mean of five {averaged:.3f}, vote of five {voted:.3f}; of its errors, all five share {shared:.0%}"
)
claim(
    "F ensemble",
    "Averaging five networks trained on the same data usually prevents overfitting well: their errors cancel.",
    "confirmed with limits",
    "Averaging helps a little, for five times the work. Most errors are shared, since all five learned the same lies; "
    "dropout, with one network, gains several times as much.",
    "averaged > alone and shared > 0.4 and dropout - alone > 2 * (averaged - alone)",
    alone=alone,
    averaged=averaged,
    voted=voted,
    shared=shared,
    dropout=mean[0, 1, 0],
)

# %% [markdown]
# ### Explanation 2: no unit may rely on another
#
# "Co-adaptation": a unit that is useful only together with certain others. Dropout is said to forbid it, so that the loss of a
# clue does not matter. Test: delete hidden units from *finished* networks, of both kinds.


# %%
def without(net, x, y, share, rng, draws=20):
    """Accuracy with this share of the hidden units deleted, the rest strengthened; mean over draws."""
    found = []
    for _ in range(draws):
        h = tn.tensor(x)
        with tn.no_grad():
            for module in net:
                h = module(h)
                if isinstance(module, nn.ReLU):
                    kept = (rng.random(h.shape[1]) >= share) / (1 - share)
                    h = h * tn.tensor(kept.astype(np.float32))
        found.append(accuracy_score(y, h.argmax(-1).numpy()))
    return np.mean(found)


deleted = np.linspace(0, 0.8, 9)
curves = {}
for wrong, keep_hidden in ((0.0, 1.0), (0.0, 0.5), (0.2, 1.0), (0.2, 0.5)):
    found = []
    for seed in range(quick(3, 1)):
        _, _, x_test, y_test, _ = few(seed, wrong)
        net, rng = dropped(seed, wrong, 1.0, keep_hidden), np.random.default_rng(0)
        found.append([without(net, x_test[:500], y_test[:500], share, rng) for share in deleted])
    curves[wrong, keep_hidden] = np.mean(found, 0)
fig, ax = plt.subplots()
for (wrong, keep_hidden), curve in curves.items():
    name = f"{'dropout' if keep_hidden < 1 else 'no dropout'}, {'a fifth of the labels wrong' if wrong else 'labels right'}"
    ax.plot(
        100 * deleted,
        100 * curve,
        "o-" if wrong else "o--",
        ms=4,
        color="tab:red" if keep_hidden < 1 else "tab:gray",
        label=name,
    )
ax.set(xlabel="hidden units deleted after training, %", ylabel="test accuracy, %")
ax.legend(frameon=False)
plt.show()
half = {key: curve[5] for key, curve in curves.items()}
claim(
    "F dropout co-adaptation",
    "Dropout reduces co-adaptation: the network must not depend on particular clues and stays robust when some are lost.",
    "confirmed",
    "With half of the hidden units deleted, networks trained with dropout lose some points of accuracy, the others about "
    "three times as many.",
    "lost_dropout < 0.5 * lost_none and lost_dropout_clean < 0.5 * lost_none_clean",
    lost_none=curves[0.2, 1.0][0] - half[0.2, 1.0],
    lost_dropout=curves[0.2, 0.5][0] - half[0.2, 0.5],
    lost_none_clean=curves[0.0, 1.0][0] - half[0.0, 1.0],
    lost_dropout_clean=curves[0.0, 0.5][0] - half[0.0, 0.5],
)

# %% [markdown]
# ### Explanation 3: like L1 and L2, it makes weights smaller
#
# For a *linear* model this is a theorem. If inputs are kept with probability $k$, the expected squared error is
#
# $$ E\,\lVert t - \tfrac1k (X \circ M) w \rVert^2 = \lVert t - Xw\rVert^2 + \tfrac{1-k}{k} \sum_j \Big(\sum_n x_{nj}^2\Big) w_j^2 , $$
#
# ridge, in which a feature pays according to its own size. Check: copy the data several thousand times with a mask for each
# copy, and solve ordinary least squares. For networks there is no theorem; the norms were noted above.

# %%
X, target, keep, copies = A[:, :8] * np.linspace(0.5, 2, 8), b, 0.8, quick(4000, 200)
tn.manual_seed(0)
masked = F.dropout(tn.tensor(np.tile(X, (copies, 1))), p=1 - keep).numpy()
by_masks = np.linalg.solve(masked.T @ masked, masked.T @ np.tile(target, copies))
by_ridge = np.linalg.solve(X.T @ X + (1 - keep) / keep * np.diag((X**2).sum(0)), X.T @ target)
plain = np.linalg.solve(X.T @ X, X.T @ target)
print("least squares ", plain.round(3), "\ndropout       ", by_masks.round(3), "\nits ridge     ", by_ridge.round(3))
claim(
    "F dropout weights",
    "Dropout is like L1 and L2 regularisation: it reduces the weights.",
    "confirmed with limits",
    "In a linear model it is ridge, to the accuracy of the draws. Networks trained on lies have smaller weights with "
    "dropout, because they do not fit the lies; with right labels the norm hardly changes.",
    "from_ridge < 0.1 * shrinkage and norm_dropout < 0.9 * norm_none and abs(norm_dropout_clean / norm_none_clean - 1) < 0.08",
    from_ridge=np.linalg.norm(by_masks - by_ridge),
    shrinkage=np.linalg.norm(plain - by_ridge),
    norm_none=mean[0, 0, 3],
    norm_dropout=mean[0, 1, 3],
    norm_none_clean=mean[1, 0, 3],
    norm_dropout_clean=mean[1, 1, 3],
)

# %% [markdown]
# ### Does it save time?
#
# The notes compute: with dropout one trains $N$ units' worth of time and gets a model of $2N$. The exponent has slipped:
# there are $2^N$ masks, not $2N$ parameters, and nobody would have trained them one by one. Compared with the one network
# that one would have trained, what counts is how many updates are needed.

# %%
needed = []
for seed in range(quick(3, 1)):
    x, y, *_ = few(seed, wrong=0.0)
    whole = DataLoader(TensorDataset(tn.tensor(x), tn.tensor(y)), 200)
    for keep_input, keep_hidden in ((1.0, 1.0), (0.8, 0.5)):
        tn.manual_seed(seed)
        run = train(network(keep_input, keep_hidden), x, y, quick(60, 3), validation=whole)
        losses = np.array([row["validation loss"] for row in run.history])
        needed.append(4 * (1 + int((losses < 0.2).argmax())))  # four updates per epoch
plain_updates, dropout_updates = np.reshape(needed, (-1, 2)).mean(0)
print(f"updates until the training loss is below 0.2: {plain_updates:.0f} without, {dropout_updates:.0f} with dropout;")
print(f"masks drawn meanwhile: {50 * dropout_updates:,.0f}, of 2^{64 + 256} = 10^{(64 + 256) * np.log10(2):.0f}")
claim(
    "F dropout time",
    "Dropout saves time: the effect of 2N parameters for the training time of N.",
    "refuted",
    "It takes more than twice the updates that the same network needs without. Of the 2^N masks practically none is drawn twice, "
    "so nothing was trained N times over; what is saved is only the ensemble that nobody would train.",
    "ratio > 1.4",
    ratio=dropout_updates / plain_updates,
    updates_plain=plain_updates,
    updates_dropout=dropout_updates,
)

# %% [markdown]
# ## Data augmentation
#
# Another cure is more data, and the notes suggest making it from what one has: mirror pictures, crop, turn, distort them.
# What it teaches is an *invariance*: this change does not change the meaning. Is that true for digits, for each of these?
# Look for the ones that lie.

# %%
steps = {
    "mirrored": partial(random_flip, p=1),
    "cropped": partial(random_crop, size=6),
    "shifted": partial(random_shift, pixels=1),
    "turned": partial(random_rotation, degrees=15),
    "distorted": partial(elastic_distortion, alpha=6, sigma=2),
}
chosen = images[[int(np.flatnonzero(labels == k)[2]) for k in (2, 3, 4, 5, 6, 7, 9)]]
fig, axes = plt.subplots(len(steps) + 1, len(chosen), figsize=(7, 6))
for row, (name, changed) in zip(
    axes,
    {"as they are": chosen, **{n: step(chosen, np.random.default_rng(5)) for n, step in steps.items()}}.items(),
    strict=True,
):
    for ax, image in zip(row, changed, strict=True):
        ax.imshow(image, cmap="gray_r", vmin=0, vmax=1)
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
    row[0].set_ylabel(name, rotation=0, ha="right", va="center")
plt.show()

# %% [markdown]
# A mirrored 3 is nothing at all, a mirrored 2 looks like an S. Now the gain. Training with 100 images, of each of which 20
# changed versions are made; always the same number of updates; and for comparison 200 and 400 *different* images.


# %%
def varied(x, y, steps, seed, versions=20):
    """Changed versions of each image, and their labels."""
    if not steps:
        return x, y
    return Augmentation(*steps, seed=seed)(np.repeat(x, versions, 0)), np.repeat(y, versions)


def fitted(x, y, seed, updates, batch=50):
    tn.manual_seed(seed)
    net = nn.Sequential(nn.Flatten(), MLP([64, 128, 128, int(y.max()) + 1]))
    train(net, x, y, max(1, updates * batch // len(y)), batch=batch)
    return net


flip, shift, turn, distort = random_flip, steps["shifted"], steps["turned"], steps["distorted"]
arms = {
    "100 images": (100, ()), "mirrored or not": (100, (flip,)), "shifted": (100, (shift,)), "turned": (100, (turn,)),
    "distorted": (100, (distort,)), "200 images": (200, ()), "400 images": (400, ()),
}  # fmt: skip
accuracies = {name: [] for name in arms}
for seed in range(quick(8, 1)):
    pool, x_test, y_pool, y_test = train_test_split(images, labels, train_size=800, random_state=seed, stratify=labels)
    for name, (count, changes) in arms.items():
        x, y = varied(pool[:count], y_pool[:count], changes, seed, quick(20, 1))
        accuracies[name].append(accuracy(fitted(x, y, seed, quick(400, 4)), x_test, y_test))

# %%
gains = {name: 100 * (np.array(found) - accuracies["100 images"]) for name, found in accuracies.items() if name != "100 images"}
fig, ax = plt.subplots(figsize=(7, 3))
for i, (name, gain) in enumerate(gains.items()):
    ax.plot(gain, np.full(len(gain), i), "o", color="tab:gray" if "images" in name else "tab:blue", alpha=0.5)
    ax.plot(gain.mean(), i, "|", color="black", ms=18)
ax.axvline(0, color="black", lw=0.5)
ax.set_yticks(range(len(gains)), gains)
ax.set_ylim(len(gains) - 0.5, -0.5)
ax.set(xlabel=f"accuracy gained over 100 images as they are ({np.mean(accuracies['100 images']):.1%}), points")
fig.tight_layout()
plt.show()
gain = {name: value.mean() for name, value in gains.items()}
claim(
    "F augmentation",
    "Turned and distorted digits are cheap additional data; they help, though less than new images.",
    "confirmed with limits",
    "Elastic distortion gains some points, less than twice as many images do, and much less than four times as many. Turning "
    "gains little, moving by a pixel nothing: a change should be one that the test images show.",
    "distorted > 1 and gain_200 > distorted and gain_400 > distorted + 1 and turned < distorted - 0.5 and shifted < 0.5",
    distorted=gain["distorted"],
    turned=gain["turned"],
    shifted=gain["shifted"],
    gain_200=gain["200 images"],
    gain_400=gain["400 images"],
)

# %% [markdown]
# Moving by a pixel gains nothing here: these digits have been centred, so the test never asks for it. And mirroring *costs*
# accuracy: the network must now accept shapes that no test shows and that look like other digits. The notes propose it for
# cats. A cat has two equal sides; of the digits, 0, 1 and 8 do, more or less. For these three alone:

# %%
symmetric = np.isin(labels, (0, 1, 8))
x_all, y_all = images[symmetric], np.unique(labels[symmetric], return_inverse=True)[1]
pairs = []
for seed in range(quick(12, 1)):
    x, x_test, y, y_test = train_test_split(x_all, y_all, train_size=20, random_state=seed, stratify=y_all)
    sets = ((x, y), (np.concatenate([x, x[..., ::-1]]), np.concatenate([y, y])))
    pairs.append([accuracy(fitted(*each, seed, quick(100, 5), 20), x_test, y_test) for each in sets])
plain, mirrored = 100 * np.array(pairs).T
print(f"0, 1 and 8 from 20 images: {plain.mean():.1f} % as they are, {mirrored.mean():.1f} % with mirror images")
claim(
    "F flip",
    "Mirroring the images horizontally doubles the training set and reduces overfitting.",
    "confirmed with limits",
    "It helps where the mirror image means the same, as for the digits 0, 1 and 8; for all ten digits it does harm.",
    "symmetric > 0 and ten_digits < -1",
    symmetric=(mirrored - plain).mean(),
    ten_digits=gain["mirrored or not"],
)

# %% [markdown]
# ## Stopping in time
#
# The cheapest regulariser of all is to stop. The notes: the training error falls and falls, the validation error falls and
# then rises, a lopsided U. Wait until it has not improved for a while (they take 10 epochs), then go *back* to the weights
# that were best. `EarlyStopping` does both. Again a fifth of the labels is wrong, in all three sets: nobody will be right
# more often than in about 80 %.


# %%
def lied(y, rng):
    return np.where(rng.random(len(y)) < 0.2, (y + rng.integers(1, 10, len(y))) % 10, y)


class Look(Callback):
    """Notes after each epoch the loss of the training set, in evaluation mode, and loss and accuracy of the test set."""

    def __init__(self, training, test):
        self.training, self.test = training, test

    def after_epoch(self, run):
        test = run.evaluate(self.test)
        run.history[-1] |= {"training": run.evaluate(self.training)["validation loss"]}
        run.history[-1] |= {"test": test["validation loss"], "test accuracy": test["accuracy"]}


def long_run(seed, epochs, *callbacks):
    rng = np.random.default_rng(seed)
    x, rest, y, y_rest = train_test_split(pixels, labels, train_size=200, random_state=seed, stratify=labels)
    y, y_rest = lied(y, rng), lied(y_rest, rng)
    sets = [(x, y), (rest[:200], y_rest[:200]), (rest[200:], y_rest[200:])]
    training, held, test = [DataLoader(TensorDataset(tn.tensor(a), tn.tensor(b)), 2000) for a, b in sets]
    tn.manual_seed(seed)
    net = MLP([64, 128, 128, 10])
    optimizer = optim.Adam(net.parameters(), lr=2e-3)
    watching = [Look(training, test), *callbacks]
    return train(net, x, y, epochs, optimizer=optimizer, validation=held, metrics=score, callbacks=watching)


score = {"accuracy": lambda output, target: accuracy_score(target, output.argmax(-1))}
stopping = EarlyStopping(patience=10)
run = long_run(0, quick(60, 12), stopping)
print(f"stopped after epoch {run.epoch}, rolled back to epoch {stopping.best_epoch}: validation loss {stopping.best:.3f}")
assert run.evaluate(run.validation)["validation loss"] == stopping.best  # the weights are those of the best epoch, exactly

# %% [markdown]
# What would have happened without stopping? Six runs to the end. The dot is where patience 10 goes back to.

# %%
epochs, seeds = quick(60, 15), quick(6, 2)
histories = [long_run(seed, epochs).history for seed in range(seeds)]
curve = {
    name: np.array([[row[name] for row in h] for h in histories])
    for name in ("training", "validation loss", "test", "test accuracy")
}


def stops(values, patience):
    """Epochs (from 0) at which ``EarlyStopping`` stops, and to which it goes back."""
    rule, nothing = EarlyStopping(patience), nn.Identity()
    for value in values:
        if rule.update(value, nothing):
            break
    return rule.count - 1, rule.best_epoch - 1


ends, backs = np.array([stops(values, 10) for values in curve["validation loss"]]).T
runs, shown = np.arange(seeds), np.arange(1, epochs + 1)
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4))
for name, color in (("training", "tab:blue"), ("validation loss", "tab:orange")):
    left.plot(shown, curve[name].T, color=color, lw=0.6, alpha=0.7)
    left.plot([], [], color=color, label=name.removesuffix(" loss"))
left.plot(backs + 1, curve["validation loss"][runs, backs], "o", color="black", ms=4, label="gone back to")
left.set(xlabel="epoch", ylabel="loss", ylim=(0, 3.2))
left.legend(frameon=False)
right.plot(shown, 100 * curve["test accuracy"].T, color="tab:red", lw=0.6, alpha=0.7)
right.plot(backs + 1, 100 * curve["test accuracy"][runs, backs], "o", color="black", ms=4)
right.set(xlabel="epoch", ylabel="test accuracy, %", ylim=(50, 80))
fig.tight_layout()
plt.show()

# %%
rises = (np.diff(curve["training"], axis=1) > 0).mean()
at_end, at_stop, at_best = (curve["test"][runs, where].mean() for where in (-np.ones(seeds, int), ends, backs))
gained = (curve["test accuracy"][runs, backs] - curve["test accuracy"][:, -1]).mean()
print(f"test loss: {at_end:.2f} at the end, {at_stop:.3f} at the stop, {at_best:.3f} after going back")
claim(
    "F early stopping",
    "The training error falls monotonically, the validation error is a U; go back to its minimum.",
    "confirmed",
    "The training loss rises in a few per cent of the epochs only, the validation loss by half after its minimum. Stopping and "
    "going back saves several points of test accuracy; most of the test loss is saved by stopping, a little by going back.",
    "training_rises < 0.1 and validation_end > 1.25 * validation_best and accuracy_gained > 0.03 and back < stop < end",
    training_rises=rises,
    validation_best=curve["validation loss"].min(1).mean(),
    validation_end=curve["validation loss"][:, -1].mean(),
    accuracy_gained=gained,
    end=at_end,
    stop=at_stop,
    back=at_best,
)

# %% [markdown]
# Patience is a bet that nothing better will come. How often is the bet lost, and for how much?

# %%
lost = {}
for patience in (0, 1, 2, 3, 5, 10, 20):
    ends, backs = np.array([stops(values, patience) for values in curve["validation loss"]]).T
    missed = curve["validation loss"][runs, backs] - curve["validation loss"].min(1)
    lost[patience] = (missed > 0).mean(), missed.mean()
    print(
        f"patience {patience:2}: stopped too early in {lost[patience][0]:4.0%} of the runs; "
        f"loss {missed.mean():.3f} above the best; {ends.mean() + 1:3.0f} epochs"
    )
claim(
    "F patience",
    "If ten epochs brought nothing better, nothing better will come.",
    "confirmed",
    "In six runs of 60 epochs hardly anything better came; with a patience of 0 about half of them or more stop too early.",
    "too_early_10 <= 0.2 and missed_10 < 0.01 and too_early_0 >= 0.3",
    too_early_0=lost[0][0],
    too_early_3=lost[3][0],
    too_early_10=lost[10][0],
    missed_0=lost[0][1],
    missed_10=lost[10][1],
)

# %% [markdown]
# Why is stopping a penalty at all? For a quadratic valley the answer can be drawn. Descent from zero goes first where the
# valley is steep, which is where the data say most; ridge, while $\lambda$ sinks from infinity, comes from zero along nearly
# the same way. Stopping after $n$ steps of size $\eta$ is like $\lambda = 1/(\eta n)$.

# %%
hill, goal, rate = np.array([[1.0, 0.6], [0.6, 0.5]]), np.array([0.35, 0.95]), 0.2
H, target = tn.tensor(hill), tn.tensor(goal)
w = tn.zeros(2, dtype=tn.float64, requires_grad=True)
optimizer, way = optim.SGD([w], rate), [np.zeros(2)]
for _ in range(600):
    optimizer.zero_grad()
    ((w - target) @ H @ (w - target) / 2).backward()
    optimizer.step()
    way.append(w.detach().numpy().copy())
way = np.array(way)
by_ridge = np.array([np.linalg.solve(hill + np.eye(2) * s, hill @ goal) for s in np.geomspace(1e3, 1e-4, 200)])
partners = {n: np.linalg.solve(hill + np.eye(2) / (rate * n), hill @ goal) for n in (1, 3, 10, 40, 150)}

fig, ax = plt.subplots(figsize=(5, 4.4))
plane = np.stack(np.meshgrid(np.linspace(-0.1, 1.1, 200), np.linspace(-0.1, 1.1, 200)), -1)
height = np.einsum("...i,ij,...j", plane - goal, hill, plane - goal)
ax.contour(plane[..., 0], plane[..., 1], height, levels=np.geomspace(0.003, 3, 9), colors="lightgray", linewidths=0.8)
ax.plot(*way.T, color="tab:blue", label="descent, step by step")
ax.plot(*by_ridge.T, color="tab:red", label="ridge, λ from ∞ to 0")
for n, place in partners.items():
    ax.plot(*np.array([way[n], place]).T, "o-", color="black", ms=3, lw=0.8)
    ax.annotate(f"n = {n}", way[n], (6, -12), textcoords="offset points", fontsize=8)
ax.plot(*goal, "x", color="black")
ax.set(xlabel="$w_1$", ylabel="$w_2$")
ax.legend(frameon=False, loc="lower right")
plt.show()

# %% [markdown]
# ## Layer by layer, then all together
#
# In 2006 deep networks of sigmoids were hopeless from random weights: gradients vanish on the way down. Hinton's way out, in
# the notes: train each layer without labels on what the layer below shows it, then fine-tune the whole. `pretrain` does that
# with autoencoders (Bengio et al.): each layer learns, with a temporary decoder, to restore its input. Four layers of
# sigmoids on 600 digits, with and without; and the same network with ReLU and He's initialisation, which is today's practice.


# %%
def deep(seed, activation):
    tn.manual_seed(seed)
    net = MLP([64, 64, 64, 64, 64, 10], activation)
    if activation is nn.ReLU:
        for w in matrices(net):
            nn.init.kaiming_normal_(w)
    return net


x, x_test, y, y_test = train_test_split(pixels, labels, train_size=600, random_state=0, stratify=labels)
held = DataLoader(TensorDataset(tn.tensor(x_test), tn.tensor(y_test)), 2000)
learned = {"sigmoid": [], "sigmoid, pre-trained": [], "ReLU, He": [], "ReLU, He, pre-trained": []}
for seed in range(quick(4, 1)):
    for name, histories in learned.items():
        if "ReLU" in name and seed > 1:
            continue  # these vary little
        net = deep(seed, nn.ReLU if "ReLU" in name else nn.Sigmoid)
        if "pre-trained" in name:
            rate = 0.01 if "sigmoid" in name else 0.003
            pretrain(net, tn.tensor(x), epochs=quick(20, 1), batch=50, lr=rate, seed=seed)
        optimizer = optim.Adam(net.parameters(), lr=2e-3)
        run = train(net, x, y, quick(30, 2), optimizer=optimizer, validation=held, metrics=score)
        histories.append([[row["loss"], row["accuracy"]] for row in run.history])

fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2))
for (name, histories), color in zip(learned.items(), ("tab:gray", "tab:orange", "tab:blue", "tab:purple"), strict=True):
    for k, history in enumerate(np.array(histories)):
        shown = np.arange(1, len(history) + 1)
        left.plot(shown, history[:, 0], color=color, lw=1, label=name if k == 0 else None)
        right.plot(shown, 100 * history[:, 1], color=color, lw=1)
left.set(xlabel="epoch of fine-tuning", ylabel="training loss")
left.legend(frameon=False, fontsize=8)
right.set(xlabel="epoch of fine-tuning", ylabel="test accuracy, %", ylim=(0, 100))
fig.tight_layout()
plt.show()
final = {name: np.array(histories)[:, -1, 1].mean() for name, histories in learned.items()}
print({name: round(float(value), 3) for name, value in final.items()})
claim(
    "F pre-training",
    "Layer-wise pre-training with fine-tuning mends vanishing gradients; it has its merits but is little used today.",
    "confirmed",
    "It makes a deep network of sigmoids learn that otherwise stands still for several epochs and is far behind after thirty. "
    "ReLU with He's initialisation does better from scratch, and there pre-training changes little.",
    "sigmoid_pre > sigmoid + 0.1 and relu > sigmoid_pre + 0.02 and abs(relu_pre - relu) < 0.04",
    sigmoid=final["sigmoid"],
    sigmoid_pre=final["sigmoid, pre-trained"],
    relu=final["ReLU, He"],
    relu_pre=final["ReLU, He, pre-trained"],
)

# %% [markdown]
# What survived of pre-training is the other kind: take a network that has learned a task A with many labels, and fine-tune it
# on a task B with few. From a network that knows the digits 0 to 4 we go to the digits 5 to 9; and from one that knows all
# ten digits, to *odd or even*. B starts from random weights, or from A's, all but the head; A's layers are trained on or kept
# as they are. In which of the two tasks do A's features help, and by how much?

# %%
low, odd = labels < 5, labels % 2
half = np.random.default_rng(0).permutation(len(labels)) < 900
tasks = {
    "0 to 4, then 5 to 9": ((pixels[low], labels[low]), (pixels[~low], labels[~low] - 5)),
    "ten digits, then odd or even": ((pixels[half], labels[half]), (pixels[~half], odd[~half])),
}
counts, ways = (10, 30, 100), ("from scratch", "fine-tuned", "only a new head")
found = {}
for seed in range(quick(3, 1)):
    for task, (first, second) in tasks.items():
        tn.manual_seed(seed)
        source = MLP([64, 128, 64, 10])
        train(source, *first, quick(15, 1))
        for count in counts:
            share = {"train_size": count, "random_state": seed, "stratify": second[1]}
            x, x_test, y, y_test = train_test_split(*second, **share)
            for way in ways:
                tn.manual_seed(seed)
                net = MLP([64, 128, 64, 5])
                if way != "from scratch":
                    net = nn.Sequential(*copy.deepcopy(source[:4]), net[4])
                learning = (net[4] if way == "only a new head" else net).parameters()
                train(net, x, y, quick(1000, 100) // count, batch=10, optimizer=optim.Adam(learning, lr=2e-3))
                found.setdefault((task, way), []).append(accuracy(net, x_test, y_test))
means = {key: np.reshape(values, (-1, len(counts))).mean(0) for key, values in found.items()}

fig, axes = plt.subplots(1, 2, figsize=(9, 3.2), sharey=True)
for (task, way), curve in means.items():
    ax, color = axes[list(tasks).index(task)], ("tab:gray", "tab:red", "tab:blue")[ways.index(way)]
    ax.semilogx(counts, 100 * np.reshape(found[task, way], (-1, len(counts))).T, ".", color=color, alpha=0.4)
    ax.semilogx(counts, 100 * curve, "o-", color=color, label=way)
    ax.set(xlabel="training images of task B", title=task)
    ax.set_xticks(counts, counts)
    ax.minorticks_off()
axes[0].set_ylabel("test accuracy in B, %")
axes[1].legend(frameon=False)
fig.tight_layout()
plt.show()
print({way: means["ten digits, then odd or even", way].round(3).tolist() for way in ways})
claim(
    "F fine-tuning",
    "Instead of training from scratch, take a network trained on task A and fine-tune it on task B.",
    "confirmed with limits",
    "From digits to odd or even it helps, with ten images and still with a hundred. From some digits to others it harms: A's "
    "features have learned to ignore what B needs.",
    "related_10 > 0.02 and related_100 > 0.01 and other_10 < -0.03",
    related_10=means["ten digits, then odd or even", "fine-tuned"][0]
    - means["ten digits, then odd or even", "from scratch"][0],
    related_100=means["ten digits, then odd or even", "fine-tuned"][-1]
    - means["ten digits, then odd or even", "from scratch"][-1],
    other_10=means["0 to 4, then 5 to 9", "fine-tuned"][0] - means["0 to 4, then 5 to 9", "from scratch"][0],
    other_100=means["0 to 4, then 5 to 9", "fine-tuned"][-1] - means["0 to 4, then 5 to 9", "from scratch"][-1],
)

# %% [markdown]
# ## What was seen
#
# - Ridge's formula, descent on the penalised loss and weight decay in SGD are one thing; in Adam they are not.
# - L1's minimum has exact zeros because its ball has corners. Gradient descent hovers around them; a proximal step lands on
#   them. To save memory, cutting small weights of an ordinary network does as well.
# - Dropout kept a network from learning wrong labels. It acts like the *geometric* mean of many networks, makes the network
#   robust to lost units, is ridge in the linear case, and takes more updates, not fewer.
# - Changed images help exactly if the test shows such changes. Early stopping saved several points and costs nothing.
# - Pre-training rescued deep sigmoids; ReLU and a good start do not need it. Fine-tuning helps if the tasks share what matters.
#
# ## Things to try
#
# 1. Fit a polynomial of degree 9 with `lq_penalty(w, q=4)`. Which weights shrink most? (The large ones; the small ones hardly
#    feel it.)
# 2. Shrink the learning rate of plain L1 descent by ten. Does the cloud of small weights sink by ten? Do zeros appear? (Yes;
#    no.)
# 3. After proximal L1, keep the zeros fixed and train the remaining weights without penalty. How much of the lost accuracy
#    returns?
# 4. Let half of the labels be wrong. Which keep probabilities win now? And with 1,000 training images?
# 5. Replace `nn.Dropout` by batch normalisation in `network`. Does it protect from lies, too? (Predict from what it computes.)
# 6. Average the *weights* of the five networks of the ensemble instead of their answers. Why does that fail, when dropout's
#    average of networks is a single set of weights?
# 7. Distort more strongly (`alpha=12`). Look at the pictures first: from where on would you hesitate yourself?
# 8. Give `EarlyStopping` only 20 validation images. How good is the epoch that it goes back to?
# 9. Pre-train with `corruption=0.3` (a denoising autoencoder). Do the sigmoids fine-tune faster?
#
# ## Where to look
#
# - Functions: [`lq_penalty`, `joint_norm`](../tinygrad_notes/nn/regularization.py), [dropout](../tinygrad_notes/nn/dropout.py),
#   [augmentation](../tinygrad_notes/data/augment.py), [`EarlyStopping`](../tinygrad_notes/train/callbacks.py),
#   [`pretrain`](../tinygrad_notes/train/pretraining.py).
# - Tests: [penalties, ridge, lasso](../tests/test_regularization.py), [augmentation](../tests/test_augment.py),
#   [roll-back](../tests/test_fit.py), [pre-training](../tests/test_diagnosis.py).
# - R. Tibshirani, *Regression shrinkage and selection via the lasso*, Journal of the Royal Statistical Society B 58, 1996.
#   [doi](https://doi.org/10.1111/j.2517-6161.1996.tb02080.x)
# - N. Srivastava et al., *Dropout: a simple way to prevent neural networks from overfitting*, Journal of Machine Learning
#   Research 15, 2014. [paper](https://jmlr.org/papers/v15/srivastava14a.html)
# - P. Baldi, P. Sadowski, *Understanding dropout*, NIPS 2013: the geometric mean.
#   [paper](https://papers.nips.cc/paper/4878-understanding-dropout)
# - I. Loshchilov, F. Hutter, *Decoupled weight decay regularization*, ICLR 2019. [arXiv](https://arxiv.org/abs/1711.05101)
# - P. Y. Simard, D. Steinkraus, J. C. Platt, *Best practices for convolutional neural networks applied to visual document
#   analysis*, ICDAR 2003: elastic distortion. [doi](https://doi.org/10.1109/ICDAR.2003.1227801)
# - L. Prechelt, *Early stopping, but when?*, in Neural Networks: Tricks of the Trade, 1998.
#   [doi](https://doi.org/10.1007/3-540-49430-8_3)
# - G. E. Hinton, S. Osindero, Y.-W. Teh, *A fast learning algorithm for deep belief nets*, Neural Computation 18, 2006.
#   [doi](https://doi.org/10.1162/neco.2006.18.7.1527)
# - Y. Bengio, P. Lamblin, D. Popovici, H. Larochelle, *Greedy layer-wise training of deep networks*, NIPS 2006.
#   [paper](https://papers.nips.cc/paper/3048-greedy-layer-wise-training-of-deep-networks)
