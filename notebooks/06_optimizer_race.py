# The source of 06_optimizer_race.ipynb: `python notebooks/build.py` executes it and writes the notebook.

# %% [markdown]
# # 6 · The optimizer race
#
# Nine optimizers, one line each, and a great deal of folklore about which is best. First we take them apart: Adam is put
# together from three pieces and compared with the library to the last digits, a missing $\theta$ and a misplaced
# $\varepsilon$ are given the chance to do harm, and you will see what it means that an average *remembers* a thousand
# gradients instead of ten: there is a problem on which Adam walks uphill for ever because it forgets too soon. Then they
# race: over a bowl, a saddle, Rosenbrock's valley and Beale's plain, as a moving picture, and through a small network with
# many seeds and many learning rates. Before each race, place your bets.
#
# 九种优化器，每种只有一行公式，却有许多“谁最好”的传说。我们先把它们拆开：用三个零件拼出 Adam，与库的实现逐位对照；
# 看看丢掉的 $\theta$、放错位置的 $\varepsilon$ 各会造成什么；再看“记住一千个梯度”与“记住十个”有何不同：
# 有一个问题，Adam 因为忘得太快而永远走上坡。然后开始比赛：碗、鞍点、Rosenbrock 山谷、Beale 平原（动图），
# 最后是用多个随机种子、多个学习率训练的小网络。每场比赛之前，请先猜一猜结果。

# %%
import matplotlib.pyplot as plt
import numpy as np
from setting import animate, claim, quick

import tinygrad_notes as tn
from tinygrad_notes import nn, optim
from tinygrad_notes.train.landscapes import BEALE, ROSENBROCK, SADDLE, bowl, descend

plt.rcParams["figure.dpi"] = 80  # many pictures
colors = {
    "SGD": "tab:gray", "momentum": "tab:orange", "Nesterov": "tab:olive", "Adagrad": "tab:green", "Adadelta": "tab:cyan",
    "RMSprop": "tab:purple", "Adam": "tab:red", "NAdam": "tab:pink", "AdamW": "tab:brown",
}  # fmt: skip
rng = np.random.default_rng(0)

# %% [markdown]
# ## The field
#
# Every optimizer turns gradients $g_1, g_2, \dots$ into steps. They differ in what they remember: nothing, or one number or two
# for each weight:
#
# | | remembers | step $\Delta\theta = -\alpha\,\cdot$ |
# |---|---|---|
# | SGD | nothing | $g$ |
# | momentum | $b \leftarrow \mu b + g$ | $b$ |
# | Nesterov | $b \leftarrow \mu b + g$ | $g + \mu b$ |
# | Adagrad | $s \leftarrow s + g^2$ | $g / (\sqrt s + \varepsilon)$ |
# | RMSprop | $v \leftarrow \rho v + (1-\rho) g^2$ | $g / (\sqrt v + \varepsilon)$ |
# | Adadelta | $v$ as RMSprop, $u \leftarrow \rho u + (1-\rho) d^2$ | $d = g\,\sqrt{u + \varepsilon} / \sqrt{v + \varepsilon}$ |
# | Adam | $m \leftarrow \beta_1 m + (1-\beta_1) g$, $v$ as RMSprop with $\beta_2$ | $\hat m / (\sqrt{\hat v} + \varepsilon)$ |
# | NAdam | as Adam | as Adam, with Nesterov's look ahead in $\hat m$ |
# | AdamW | as Adam | as Adam, and $\theta \leftarrow \theta\,(1 - \alpha w)$ |
#
# A helper hands an optimizer a given series of gradients and returns where the weight goes:


# %%
def fed(make, gradients, start=0.0):
    """Where a weight goes under a series of gradients; gradients may have further axes, each a weight of its own."""
    x = tn.tensor(np.broadcast_to(start, gradients[0].shape).copy(), dtype=tn.float64, requires_grad=True)
    optimizer, path = make([x]), []
    for g in gradients:
        x.grad = tn.tensor(g)
        optimizer.step()
        path.append(x.detach().numpy().copy())
    return np.array(path)


# %% [markdown]
# ## Adam, taken apart
#
# "Adam is RMSprop plus momentum plus bias correction", say the notes. Check it term by term: take the average of the
# gradients from momentum, the average of their squares from RMSprop, correct both, and divide. 500 random gradients:

# %%
gradients = rng.standard_normal((500, 1)) + 0.3
b1, b2, alpha, eps = 0.9, 0.999, 0.01, 1e-8
m = v = 0.0
theta, pieces = 0.0, []
for t, g in enumerate(gradients, 1):
    m = b1 * m + (1 - b1) * g  # momentum, the averaged form
    v = b2 * v + (1 - b2) * g * g  # RMSprop
    m_hat, v_hat = m / (1 - b1**t), v / (1 - b2**t)  # bias correction
    theta = theta - alpha * m_hat / (np.sqrt(v_hat) + eps)
    pieces.append(theta)
whole = fed(lambda p: optim.Adam(p, lr=alpha, betas=(b1, b2), eps=eps), gradients)
assert np.abs(np.array(pieces) - whole).max() < 1e-12

# %% [markdown]
# Now two short cuts. Adam without momentum ($\beta_1 = 0$) should be RMSprop but for the correction. And `RMSprop` has an
# option `momentum`: is RMSprop with momentum Adam, but for the corrections?

# %%
no_momentum = np.diff(fed(lambda p: optim.Adam(p, lr=alpha, betas=(0.0, b2), eps=0), gradients), axis=0)
rmsprop = np.diff(fed(lambda p: optim.RMSprop(p, lr=alpha, alpha=b2, eps=0), gradients), axis=0)
corrections = np.sqrt(1 - b2 ** np.arange(2, 501))[:, None]
after = np.diff(fed(lambda p: optim.RMSprop(p, lr=alpha * (1 - b1), alpha=b2, momentum=b1), gradients), axis=0)
adam_late, after_late, corrected_late = np.diff(whole, axis=0)[300:], after[300:], (after * corrections)[300:]
claim(
    "D adam parts",
    "Adam is RMSprop plus momentum; Adam is RMSprop with bias correction and momentum added.",
    "confirmed with limits",
    "Term by term the three pieces are Adam. RMSprop with the option momentum divides first and then averages; with so long a "
    "memory that order hardly matters, but the missing correction still makes its steps much too long after 300 of them.",
    "pieces < 1e-12 and without_momentum < 1e-9 and uncorrected > 0.5 and order_alone < 0.05",
    pieces=np.abs(np.array(pieces) - whole).max(),
    without_momentum=np.abs(no_momentum / rmsprop / corrections - 1).max(),
    uncorrected=np.abs(adam_late - after_late).mean() / np.abs(adam_late).mean(),
    order_alone=np.abs(adam_late - corrected_late).mean() / np.abs(adam_late).mean(),
)

# %% [markdown]
# ### What the correction corrects
#
# The averages start from 0, so at first they are too small: $m$ by $1-\beta_1^t$, $\sqrt v$ by $\sqrt{1-\beta_2^t}$, which
# with $\beta_2 = 0.999$ is much worse. Without correction the *denominator* is too small, and the steps too large. One of the
# notes defines both corrected averages, and then uses only one: its last line divides the uncorrected $m$ by the corrected
# root. Guess what that does to the first step. The gradient is always 1 here, so that every step should be $\alpha$:

# %%
ones = np.ones((4000, 1))
t = np.arange(1, 4001)
steps = {
    "both corrected (Adam)": -np.diff(fed(lambda p: optim.Adam(p, lr=1.0), ones)[:, 0], prepend=0),
    "none corrected": (1 - 0.9**t) / np.sqrt(1 - 0.999**t),
    "only the root (one of the notes)": 1 - 0.9**t,
}
fig, ax = plt.subplots(figsize=(8, 3.4))
for (name, size), color in zip(steps.items(), ["black", "tab:red", "tab:orange"], strict=True):
    ax.semilogx(t, size, color=color, label=name)
ax.semilogx(t, (1 - 0.9**t) / np.sqrt(1 - 0.9999**t), color="tab:red", ls="--", label="none corrected, β₂ = 0.9999")
ax.set(xlabel="step", ylabel="length of the step / α")
ax.legend(frameon=False)
plt.show()

# %%
claim(
    "D adam formula",
    "W := W - α V / sqrt(S corrected), with V as it is (one of the notes; another has both corrected).",
    "refuted",
    "Adam corrects both. With V as it is the first step is a tenth of what it should be, and the first twenty are too "
    "short; without any correction the steps are up to more than six times as long.",
    "abs(adam_first - 1) < 1e-6 and abs(notes_first - 0.1) < 1e-6 and none_longest > 6",
    adam_first=steps["both corrected (Adam)"][0],
    notes_first=steps["only the root (one of the notes)"][0],
    none_longest=steps["none corrected"].max(),
)

# %% [markdown]
# ## A missing $\theta$ and a misplaced $\varepsilon$
#
# One of the notes ends its Adagrad with $\theta \leftarrow -\Delta\theta$. A slip of the pen, surely; but what would a
# program do that was written from it? Each of its weights would be nothing but its last step, never further from 0 than
# $\alpha$. On a bowl whose minimum is at $(3, 1)$:

# %%
target = np.array([3.0, 1.0])
gradient = tn.func.grad(lambda x: bowl(1, 4)(x - tn.tensor(target)))


def adagrad_by_hand(forget_theta, steps=200, rate=0.5):
    theta, s, path = np.zeros(2), np.zeros(2), []
    for _ in range(steps):
        g = gradient(tn.tensor(theta)).numpy()
        s = s + g * g
        step = rate * g / (np.sqrt(s) + 1e-10)
        theta = -step if forget_theta else theta - step
        path.append(theta)
    return np.array(path)


right, wrong = adagrad_by_hand(False), adagrad_by_hand(True)
ours = descend(lambda x: bowl(1, 4)(x - tn.tensor(target)), (0.0, 0.0), lambda p: optim.Adagrad(p, lr=0.5), 200)[1:]
assert np.abs(right - ours).max() < 1e-12
claim(
    "I5 update",
    "Adagrad's last line is θ ← -Δθ.",
    "refuted",
    "θ is missing: θ ← θ - Δθ. As written, the weights are the last step and never leave the neighbourhood of 0; corrected, "
    "they are the library's to the last digits and arrive.",
    "wrong > 2 and right < 0.01 and farthest <= 0.75",
    wrong=np.linalg.norm(wrong[-1] - target),
    right=np.linalg.norm(right[-1] - target),
    farthest=np.linalg.norm(wrong, axis=1).max(),
)

# %% [markdown]
# The same note takes $\varepsilon = 10\mathrm{e}{-8}$, which is $10^{-7}$, another $10^{-8}$; both put it *inside* the root,
# $\alpha / \sqrt{s + \varepsilon}$, where we, PyTorch and Adam's paper have it outside, $\alpha / (\sqrt s + \varepsilon)$.
# Does it matter? $\varepsilon$ is there for weights with tiny gradients, so look at the very first step of a weight as a
# function of its gradient's size. Adagrad's promise is a step of $\alpha$, whatever the size.
#
# And in practice? The grey histogram: sizes of all gradients of small networks on the digits, after some training. (The
# networks are trained side by side, each with first values, a split of the data and an order of examples of its own; we shall
# need them again.)

# %%
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from tinygrad_notes.models.networks import MLP
from tinygrad_notes.models.stacked import Stacked

digits, labels = load_digits(return_X_y=True)
digits = (digits / 16).astype(np.float32)
epochs, seeds = quick(8, 1), quick(12, 2)
splits = [train_test_split(np.arange(len(labels)), test_size=0.3, random_state=k, stratify=labels) for k in range(seeds)]
train_rows, test_rows = (np.stack(rows) for rows in zip(*splits, strict=True))  # one row for each network


def losses_of_each(nets, rows):
    """One loss per network, each on its own examples: rows (networks, N)."""
    logits = nets(tn.tensor(digits[rows]))
    each = nn.functional.cross_entropy(logits.flatten(0, 1), tn.tensor(labels[rows].ravel()), reduction="none")
    return each.reshape(rows.shape).mean(1)


def trained(make, batch=64):
    """A network for each seed, trained; and what each of them loses on its test set, epoch by epoch."""
    tn.manual_seed(0)
    order = np.random.default_rng(0)
    nets = Stacked([MLP((64, 32, 32, 10)) for _ in range(seeds)], shared=False)
    optimizer, curve = make(nets.parameters()), []
    for _ in range(epochs):
        for rows in np.array_split(order.permuted(train_rows, axis=1), train_rows.shape[1] // batch, axis=1):
            optimizer.zero_grad()
            losses_of_each(nets, rows).sum().backward()
            optimizer.step()
        with tn.no_grad():
            curve.append(losses_of_each(nets, test_rows).numpy())
    return nets, np.array(curve)


def ended(make):
    """The loss of each network in the end, mean of the last two epochs."""
    return trained(make)[1][-2:].mean(0)


# %%
nets, _ = trained(lambda p: optim.Adam(p, lr=0.01))
losses_of_each(nets, train_rows).sum().backward()
sizes = np.abs(np.concatenate([p.grad.numpy().ravel() for p in nets.parameters()]))

g = np.geomspace(1e-10, 1, 200)
fig, ax = plt.subplots(figsize=(8, 3.8))
for place, color, formula in [
    ("outside", "tab:blue", lambda e: g / (g + e)),
    ("inside", "tab:red", lambda e: g / np.sqrt(g * g + e)),
]:
    for eps, style in [(1e-8, "-"), (1e-7, "--")]:
        ax.semilogx(g, formula(eps), color=color, ls=style, label=f"{place}, ε = {eps:.0e}")
bars = ax.twinx()
bars.hist(sizes[sizes > 0], bins=np.geomspace(1e-10, 1, 60), color="gray", alpha=0.3)
bars.set(yticks=[])
ax.set(xlabel="size of the gradient |g|", ylabel="first step / α")
ax.legend(frameon=False, title="ε and the root", loc="center left", bbox_to_anchor=(1, 0.5))
plt.show()
print(f"{(sizes == 0).mean():.0%} of the gradients are exactly 0 (pixels that are always black, units that sleep)")
print(
    f"{(sizes[sizes > 0] < 1e-4).mean():.0%} of the others are below 1e-4 = sqrt(1e-8), {(sizes[sizes > 0] < 1e-8).mean():.1%} below 1e-8"
)

# %%
tiny = 1e-5
inside, outside = tiny / np.sqrt(tiny**2 + 1e-8), tiny / (tiny + 1e-8)
np.testing.assert_allclose(-fed(lambda p: optim.Adagrad(p, lr=1.0, eps=1e-8), np.full((1, 1), tiny))[0, 0], outside)
claim(
    "I5 place",
    "The step is α / sqrt(r + ε), with ε inside the root (libraries: outside).",
    "confirmed with limits",
    "Another optimizer for small gradients: inside, the brake sets in at |g| = sqrt(ε) = 1e-4, outside at ε = 1e-8. A "
    "gradient of 1e-5 is given a tenth of its step inside, the whole outside.",
    "inside < 0.11 and outside > 0.99 and affected > 0.01",
    inside=inside,
    outside=outside,
    affected=(sizes[sizes > 0] < 1e-4).mean(),
)

# %% [markdown]
# Does a *training* notice? `Adagrad` with its update written with $\varepsilon$ inside needs three lines:


# %%
class AdagradInside(optim.Adagrad):
    def _update(self, x, g, options, fold, state):
        (eps, rate), s = fold, state["sum"]
        s += g * g
        x -= rate * g / (s + eps) ** 0.5


variants = {
    (place, eps): ended(lambda p, kind=kind, eps=eps: kind(p, lr=0.1, eps=eps))
    for place, kind in [("outside", optim.Adagrad), ("inside", AdagradInside)]
    for eps in (1e-8, 1e-7)
}
for (place, eps), found in variants.items():
    print(f"ε = {eps:.0e} {place:8} test loss {found.mean():.4f} ± {found.std():.4f}")
usual = variants["outside", 1e-8]
claim(
    "I5 size",
    "ε is usually 10e-8 (in one of the notes), 10^-8 (in another).",
    "confirmed with limits",
    "1e-8 is the usual one, and 10e-8 is ten times it. On this network that changes the result by far less than the spread over "
    "seeds: the weights with tiny gradients matter little. (With other seeds the place once mattered as much as they do.)",
    "2 * larger < spread",
    larger=abs(variants["outside", 1e-7].mean() - usual.mean()),
    inside=abs(variants["inside", 1e-8].mean() - usual.mean()),
    spread=usual.std(),
)

# %% [markdown]
# ## How long is a memory?
#
# An average with decay $\beta$ weighs the last $1/(1-\beta)$ gradients or so: 2 for $\beta = 0.5$, ten for 0.9, a thousand
# for 0.999. For RMSprop the notes give 0.9 in no place, but 0.999 in one and 0.5 in another; for Adam's $\beta_2$ they give
# 0.9999, where the paper has 0.999. Two things pull in opposite directions. A short memory is a **noisy** estimate of the
# gradients' size; a long one is **late** when that size changes.


# %%
def running(beta, squares):
    """Bias-corrected averages with decay beta along axis 0."""
    v, kept = np.zeros(squares.shape[1:]), []
    for t, s in enumerate(squares, 1):
        v = beta * v + (1 - beta) * s
        kept.append(v / (1 - beta**t))
    return np.array(kept)


decays = [0.5, 0.9, 0.99, 0.999]
length = quick(6000, 600)
noise_in = rng.standard_normal((length, 40))
noise_in[length // 3 :] *= 0.01  # the gradients become a hundred times smaller
roots = {beta: np.sqrt(running(beta, noise_in**2)) for beta in decays}
fig, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), width_ratios=[1.6, 1])
for beta, color in zip(decays, plt.colormaps["plasma"]([0.85, 0.6, 0.3, 0.0]), strict=True):
    left.semilogy(roots[beta][:, 0], color=color, lw=1, label=f"β = {beta}")
left.set(xlabel="step", ylabel=r"$\sqrt{v}$", title="the gradients become a hundred times smaller", ylim=(1e-3, 10))
left.legend(frameon=False, ncols=2, fontsize=8)
late, noisy = {}, {}
for beta in [*decays, 0.9999]:
    late[beta] = np.log((2**2 - 1) * 1e-4) / np.log(beta)  # steps until the root is within twice the new size
    noisy[beta] = np.sqrt((1 - beta) / (1 + beta) / 2)  # relative spread of the root, to first order
    right.loglog(late[beta], noisy[beta], "o", color="tab:blue")
    right.annotate(f"{beta}", (late[beta], noisy[beta]), (6, 2), textcoords="offset points")
right.set(xlabel="late: steps to notice", ylabel="noisy: relative spread", xlim=(5, 4e5))
fig.tight_layout()
plt.show()
measured = {beta: roots[beta][length // 6 : length // 3].std() for beta in (0.9, 0.99)}
print(", ".join(f"β = {beta}: spread {measured[beta]:.3f}, by the formula {noisy[beta]:.3f}" for beta in measured))

# %% [markdown]
# No value is right in itself. One of the notes says that $\rho = 0.5$ makes the average "the mean of the squared gradients".
# Does it?

# %%
squares = rng.standard_normal((4000, 1)) ** 2
halves, long_run = running(0.5, squares), running(0.999, squares)
claim(
    "I4 half",
    "RMSprop is Adadelta with ρ = 0.5, for then E|g²| is the mean of the squared gradients.",
    "refuted",
    "With ρ = 0.5 the last two gradients make three quarters of it: it swings around the mean by more than half of itself. "
    "What distinguishes RMSprop from Adadelta is that it has no second average, not its ρ.",
    "swing > 0.5 and swing_999 < 0.1",
    swing=(halves[1000:] / squares.mean()).std(),
    swing_999=(long_run[1000:] / squares.mean()).std(),
)

# %% [markdown]
# ### A problem on which forgetting is fatal
#
# One example in a hundred has the gradient $+150$, the others $-1$. The mean is $+0.51$, so the weight should go **down**.
# SGD does. What does Adam do? Think of the step at a rare large gradient if $v$ remembers only the last ten.


# %%
def rare_events(make, copies=200):
    """Mean over many runs of a weight in [-1, 1]."""
    draw = np.random.default_rng(1)
    x = tn.zeros(copies, dtype=tn.float64, requires_grad=True)
    optimizer, path = make([x]), []
    for _ in range(quick(8000, 200)):
        x.grad = tn.tensor(np.where(draw.random(copies) < 0.01, 150.0, -1.0))
        optimizer.step()
        with tn.no_grad():
            x.clamp_(-1, 1)
        path.append(x.detach().numpy().mean())
    return np.array(path)


walks = {
    f"Adam, β₂ = {b}": rare_events(lambda p, b=b: optim.Adam(p, lr=1e-3, betas=(0.9, b))) for b in (0.9, 0.99, 0.999, 0.9999)
}
walks["AMSGrad, β₂ = 0.99"] = rare_events(lambda p: optim.Adam(p, lr=1e-3, betas=(0.9, 0.99), amsgrad=True))
walks["SGD"] = rare_events(lambda p: optim.SGD(p, lr=1e-3))
fig, ax = plt.subplots(figsize=(8, 3.6))
for (name, path), color in zip(
    walks.items(), [*plt.colormaps["plasma"]([0.85, 0.6, 0.3, 0.0]), "tab:green", "black"], strict=True
):
    ax.plot(path, color=color, ls="--" if name[1] != "d" else "-", label=name)
ax.axhline(0, color="gray", lw=0.5)
ax.set(xlabel="step", ylabel="the weight (right is -1)", ylim=(-1.05, 1.05))
ax.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
plt.show()

# %% [markdown]
# With $\beta_2 = 0.9$ the rare gradient meets a $v$ full of itself and is cut down to a step of ordinary length, while the
# ninety-nine small ones are blown up: Adam climbs, and no learning rate helps. The memory has to be longer than the time
# between the events. That is the case *for* 0.9999, and the case against 0.9. (It is the example of Reddi, Kale and Kumar,
# 2018; their AMSGrad keeps the largest $v$ for ever.) And on the network?

# %%
rates = (0.002, 0.004, 0.008, 0.016)[: quick(4, 1)]
swept = {(b, r): ended(lambda p, b=b, r=r: optim.RMSprop(p, lr=r, alpha=b)).mean() for b in decays for r in rates}
fig, ax = plt.subplots()
for beta, color in zip(decays, plt.colormaps["plasma"]([0.85, 0.6, 0.3, 0.0]), strict=True):
    ax.loglog(rates, [swept[beta, rate] for rate in rates], "o-", color=color, label=f"{beta}")
ax.set(xlabel="learning rate", ylabel=f"test loss, mean of {seeds}", xticks=rates, xticklabels=rates, title="RMSprop")
ax.set(yticks=(0.2, 0.3, 0.5, 1), yticklabels=(0.2, 0.3, 0.5, 1))
ax.minorticks_off()
ax.legend(frameon=False, title="decay", loc="center left", bbox_to_anchor=(1, 0.5))
plt.show()
best = {beta: min((swept[beta, rate], rate) for rate in rates) for beta in decays}
adam = {beta: ended(lambda p, b=beta: optim.Adam(p, lr=0.01, betas=(0.9, b))) for beta in (0.999, 0.9999)}

# %%
claim(
    "I4 beta2",
    "Adam's β₂ is usually 0.9999.",
    "refuted",
    "The paper's and every library's is 0.999. 0.9999 needs ten times as long to notice that gradients have become smaller, "
    "and it can follow events ten times rarer; on the digits the two are alike, because bias correction hides the "
    "difference while training is short.",
    "late_9999 > 9 * late_999 and abs(digits_9999 - digits_999) < spread and rare_99 > 0.1 and rare_999 < 0",
    late_999=late[0.999],
    late_9999=late[0.9999],
    rare_99=walks["Adam, β₂ = 0.99"][-1],
    rare_999=walks["Adam, β₂ = 0.999"][-1],
    digits_999=adam[0.999].mean(),
    digits_9999=adam[0.9999].mean(),
    spread=adam[0.999].std(),
)

# %%
first = {b: -fed(lambda p, b=b: optim.RMSprop(p, lr=1.0, alpha=b), np.ones((1, 1)))[0, 0] for b in decays}
claim(
    "I4 rmsprop",
    "RMSprop's decay is usually 0.999 (0.5 in another place).",
    "refuted",
    "Hinton's is 0.9, PyTorch's 0.99. RMSprop has no bias correction, so its first step is 1/sqrt(1-ρ) times too long, 32 "
    "times at 0.999, which then needs a rate several times smaller. At the best of the rates tried there is little between "
    "them on the digits: the memory is not what decides there.",
    "first_999 > 30 and rate_9 >= 3 * rate_999 and max(loss_5, loss_9, loss_999) < 1.5 * min(loss_5, loss_9, loss_999)",
    first_9=first[0.9],
    first_999=first[0.999],
    rate_9=best[0.9][1],
    rate_999=best[0.999][1],
    loss_5=best[0.5][0],
    loss_9=best[0.9][0],
    loss_999=best[0.999][0],
)

# %% [markdown]
# ## Adagrad: does it stop, what does it even out, whom does it suit?
#
# $s$ only grows, so the factor $1/\sqrt s$ only falls. One of the notes sees two phases in that: early it is large and
# amplifies the gradient, late it is small and damps it. Guess: is that a matter of early and late?

# %%
sizes_of = np.array([0.01, 1.0, 10.0])
factors = -np.diff(fed(lambda p: optim.Adagrad(p, lr=1.0), np.tile(sizes_of, (1000, 1))), axis=0, prepend=0) / sizes_of
claim(
    "D adagrad phases",
    "Early in training Adagrad's factor 1/sqrt(r) is large and amplifies the gradient, later it is small and damps it.",
    "confirmed with limits",
    "It falls, as 1/sqrt(t) where gradients keep their size. But whether it amplifies is a matter of that size: gradients of "
    "0.01 are still amplified after a thousand steps, gradients of 10 are damped from the first. The first step has the "
    "length α in any case.",
    "small_first > 1 and small_last > 1 and large_first < 1 and abs(small_first / small_last / 1000**0.5 - 1) < 0.01",
    small_first=factors[0, 0],
    small_last=factors[-1, 0],
    large_first=factors[0, 2],
)

# %% [markdown]
# "In the middle and later part training ends early", the notes go on. With gradients of one size the steps fall as
# $1/\sqrt t$, and $\sum 1/\sqrt t$ is infinite: it never quite stops. But suppose that the beginning was steep. A slide:
# slope 300 for $x > 10$, then slope 1 down to the minimum at 0:


# %%
def slide(x):
    return 299 * (x - 10).relu() + x.abs()


racers = {
    "Adagrad": lambda p: optim.Adagrad(p, lr=0.5),
    "Adadelta": lambda p: optim.Adadelta(p, lr=10.0),
    "RMSprop": lambda p: optim.RMSprop(p, lr=0.05),
    "Adam": lambda p: optim.Adam(p, lr=0.05),
}
down = {name: descend(slide, np.array([12.0, 9.0]), make, quick(6000, 300)) for name, make in racers.items()}
fig, panels = plt.subplots(1, 2, figsize=(10, 3.4), sharey=True)
for k, (ax, title) in enumerate(zip(panels, ["starts on the steep part, x = 12", "starts below it, x = 9"], strict=True)):
    for name, path in down.items():
        ax.plot(path[:, k], color=colors[name], label=name)
    ax.set(xlabel="step", title=title)
panels[0].set_ylabel("x")
panels[1].set_xlim(0, quick(400, 50))
panels[1].legend(frameon=False)
fig.tight_layout()
plt.show()

# %%
claim(
    "D adadelta keeps on",
    "Adadelta averages over a window instead of adding up, so that it goes on learning even after many updates.",
    "confirmed",
    "After the slide it soon goes on and comes down, while Adagrad has squares of 90,000 in its sum for ever.",
    "adadelta < 0.5 and adagrad > 5",
    adadelta=abs(down["Adadelta"][-1, 0]),
    adagrad=abs(down["Adagrad"][-1, 0]),
)

# %% [markdown]
# Below the slide there is no such trouble. Now the other side of the matter: *noisy* gradients, for which a falling rate is
# just what is wanted. 400 weights, each in a parabola of its own with a minimum at 0; after 4,000 steps all minima jump to 1.
# Who is best before the jump, and who after it?


# %%
jump = quick(4000, 100)


def noisy_parabola(make):
    draw = np.random.default_rng(2)
    x = tn.tensor(np.ones(400), requires_grad=True)
    optimizer, curve = make([x]), []
    for k in range(jump + jump // 4):
        off = x.detach() - float(k >= jump)
        curve.append(0.5 * np.mean(off.numpy() ** 2))
        x.grad = off + tn.tensor(draw.standard_normal(400))
        optimizer.step()
    return np.array(curve)


noisy_curves = {
    "SGD": noisy_parabola(lambda p: optim.SGD(p, lr=0.05)),
    "Adagrad": noisy_parabola(lambda p: optim.Adagrad(p, lr=0.3)),
    "RMSprop": noisy_parabola(lambda p: optim.RMSprop(p, lr=0.05)),
    "Adam": noisy_parabola(lambda p: optim.Adam(p, lr=0.05)),
}
fig, panels = plt.subplots(1, 2, figsize=(10, 3.4), sharey=True)
for name, curve in noisy_curves.items():
    panels[0].loglog(np.arange(1, jump + 1), curve[:jump], color=colors[name], lw=1, label=name)
    panels[1].semilogy(curve[jump:], color=colors[name], lw=1)
panels[0].set(xlabel="step", ylabel="loss above the minimum", title="minima at 0")
panels[1].set(xlabel="steps since the jump", title="minima at 1")
panels[0].legend(frameon=False)
fig.tight_layout()
plt.show()

# %%
left_over = {name: curve[jump * 9 // 10 : jump].mean() for name, curve in noisy_curves.items()}
claim(
    "I6 adagrad stops",
    "In the middle and later part of training Adagrad's denominator grows, its updates go to zero and training ends early.",
    "confirmed with limits",
    "It happens where the beginning was steep: after the slide Adagrad's steps are hundreds of times shorter, because it never "
    "forgets (Adam, with its memory of a thousand, for a while). Where gradients keep their size, the steps fall as 1/sqrt(t), "
    "which does not end training; with noise it is even what is needed, and Adagrad sinks below the floors of the others.",
    "slide_adagrad > 5 and slide_rmsprop < 0.1 and slide_adam < 0.1 and below_adagrad < 0.1 and noise_adagrad < noise_adam / 3",
    slide_adagrad=abs(down["Adagrad"][-1, 0]),
    slide_rmsprop=abs(down["RMSprop"][-1, 0]),
    slide_adam=abs(down["Adam"][-1, 0]),
    below_adagrad=abs(down["Adagrad"][-1, 1]),
    noise_adagrad=left_over["Adagrad"],
    noise_adam=left_over["Adam"],
)

# %%
recovery = {name: (curve[jump:] < 0.05).argmax() for name, curve in noisy_curves.items()}  # a tenth of the loss at the jump
claim(
    "D rmsprop moving",
    "RMSprop suits targets that move.",
    "confirmed",
    "After the jump RMSprop is back near the minimum in a few dozen steps, Adagrad in many times as many. (That it does "
    "well on recurrent networks, as the notes add, is not tried here.)",
    "0 < rmsprop < adagrad / 4",
    rmsprop=recovery["RMSprop"],
    adagrad=recovery["Adagrad"],
)

# %% [markdown]
# ### What dividing by each weight's own size can mend
#
# "In essence Adagrad evens out the orders of magnitude of the different directions." If so, an ill-conditioned bowl should be
# no problem. Two bowls with $\kappa = 100$: one along the axes, and the same bowl turned by 45°. Gradient descent cannot tell
# them apart. Can Adagrad?

# %%
turn = np.array([[1, -1], [1, 1]]) / np.sqrt(2)
straight = bowl(1, 100, start=(1.0, 1.0))
matrix = tn.tensor(turn @ np.diag([1.0, 100.0]) @ turn.T)
tilted = lambda x: 0.5 * ((x @ matrix) * x).sum(-1)  # noqa: E731
starts = rng.standard_normal((20, 2))
starts /= np.linalg.norm(starts, axis=1, keepdims=True)
grid = np.geomspace(1e-3, 3, 24)


def first_below(distance, goal):
    """Per walk (axis 0 is time) the first step below the goal; infinite if there is none."""
    reached = distance < goal
    return np.where(reached.any(0), reached.argmax(0), np.inf)


def steps_at_best_rate(function, starts, make, power, goal=0.01, steps=1000):
    """Median over starts of the steps to come that near to 0, at the best of 24 rates."""
    scale = grid[:, None, None] ** power  # a rate is a change of units: all rates walk at once
    scaled = tn.tensor(scale)
    with np.errstate(all="ignore"):
        walks = descend(lambda z: function(z * scaled), starts[None] / scale, make, steps) * scale
        return np.median(first_below(np.nan_to_num(np.linalg.norm(walks, axis=-1), nan=np.inf), goal), axis=1).min()


tested = {
    "SGD": (lambda p: optim.SGD(p, lr=1.0), 0.5),
    "Adagrad": (lambda p: optim.Adagrad(p, lr=1.0), 1),
    "RMSprop": (lambda p: optim.RMSprop(p, lr=1.0), 1),
    "Adam": (lambda p: optim.Adam(p, lr=1.0), 1),
}
turned = tn.tensor(starts @ turn.T).numpy()
needed = {
    name: (steps_at_best_rate(straight, starts, *how), steps_at_best_rate(tilted, turned, *how)) for name, how in tested.items()
}
print(f"{'steps to 0.01':15}along the axes   turned by 45°")
for name, (along, across) in needed.items():
    print(f"{name:15}{along:14.0f}{across:16.0f}")

# %%
claim(
    "D adagrad evens out",
    "In essence Adagrad makes up for derivatives that differ in order of magnitude between directions.",
    "confirmed with limits",
    "Between the *axes*: along them a condition number of 100 costs nothing. Turn the same bowl by 45° and neither Adagrad nor "
    "RMSprop is much better than gradient descent, which does not feel the turn.",
    "along < sgd / 5 and min(turned, turned_rmsprop) > 0.5 * sgd and abs(sgd_turned / sgd - 1) < 0.05",
    along=needed["Adagrad"][0],
    turned=needed["Adagrad"][1],
    turned_rmsprop=needed["RMSprop"][1],
    sgd=needed["SGD"][0],
    sgd_turned=needed["SGD"][1],
)

# %% [markdown]
# ### Sparse data
#
# "Adagrad suits sparse data": weights of rare features get large steps, frequent ones small. Make documents of thirty
# different words out of a thousand and learn a yes-or-no label from the words they contain. Three worlds: all words equally
# frequent (and each document as sparse as in the others!); frequencies as in language (the $r$-th word $1/r$ as often as the
# first) with all words equally telling; and the same with rare words the more telling. In which of them will Adagrad win? One
# pass over 3,000 documents, each optimizer at its best of eight rates, four data sets each.


# %%
def documents(exponent, telling, seed, vocabulary=1000, words=30, count=4500):
    draw = np.random.default_rng(seed)
    frequency = np.arange(1.0, vocabulary + 1) ** -exponent
    weights = draw.choice([-1, 1], vocabulary) * (1 / frequency) ** telling
    keys = np.log(draw.random((count, vocabulary))) / frequency  # the largest keys: drawn without replacement, by frequency
    x = np.zeros((count, vocabulary))
    np.put_along_axis(x, np.argpartition(-keys, words, 1)[:, :words], 1 / np.sqrt(words), 1)
    score = x @ weights
    return x, (draw.random(count) < 1 / (1 + np.exp(-6 * score / score.std()))).astype(float)


def one_pass(x, y, make, rates, power, batch=20, trained_on=3000):
    """Test loss after one pass, for each rate."""
    scale = tn.tensor((np.array(rates) ** power)[:, None])
    z = tn.zeros(len(rates), x.shape[1], dtype=tn.float64, requires_grad=True)
    optimizer = make([z])
    signs = 1 - 2 * y
    for start in range(0, trained_on, batch):
        rows = slice(start, start + batch)
        optimizer.zero_grad()
        margins = tn.tensor(signs[rows]) * ((scale * z) @ tn.tensor(x[rows].T))
        nn.functional.softplus(margins).mean(1).sum().backward()
        optimizer.step()
    margins = signs[trained_on:] * ((scale * z).detach().numpy() @ x[trained_on:].T)
    return np.logaddexp(0, margins).mean(1)


# %%
field = {
    "SGD": (lambda p: optim.SGD(p, lr=1.0), np.geomspace(3, 300, 8), 0.5),
    "momentum": (lambda p: optim.SGD(p, lr=1.0, momentum=0.9), np.geomspace(0.3, 30, 8), 0.5),
    "Adagrad": (lambda p: optim.Adagrad(p, lr=1.0), np.geomspace(0.1, 10, 8), 1),
    "Adadelta": (lambda p: optim.Adadelta(p, lr=1.0), np.geomspace(1, 300, 8), 1),
    "RMSprop": (lambda p: optim.RMSprop(p, lr=1.0), np.geomspace(0.01, 1, 8), 1),
    "Adam": (lambda p: optim.Adam(p, lr=1.0), np.geomspace(0.01, 1, 8), 1),
}
sets, size = quick((range(4), 4500), (range(1), 1000))


def tested_on(names, **world):
    """Test losses of optimizers on the data sets of a world: name -> one for each set."""
    data = [documents(seed=seed, count=size, **world) for seed in sets]
    return {name: [one_pass(x, y, *field[name], trained_on=size * 2 // 3).min() for x, y in data] for name in names}


worlds = {
    "equally frequent": tested_on(field, exponent=0.0, telling=0.0),
    "as in language": tested_on(field, exponent=1.0, telling=0.0),
    "rare words tell more": tested_on(field, exponent=1.0, telling=0.5),
}
fig, panels = plt.subplots(1, 3, figsize=(10, 3), sharex=True, sharey=True)
for ax, (world, found) in zip(panels, worlds.items(), strict=True):
    for place, (name, losses) in enumerate(found.items()):
        ax.plot(losses, [place] * len(losses), "o", color=colors[name], ms=5, alpha=0.7)
        ax.plot(np.mean(losses), place, "|", color="black", ms=14, mew=2)
    ax.set(xlabel="test loss", title=world)
panels[0].set_yticks(range(len(field)), field)
panels[0].invert_yaxis()
fig.tight_layout()
plt.show()

# %%
mean = {(world, name): np.mean(losses) for world, found in worlds.items() for name, losses in found.items()}
claim(
    "I6 adagrad sparse",
    "Adagrad suits sparse data; where data are sparse, use an adaptive method.",
    "confirmed with limits",
    "Sparse alone is not enough: with words equally frequent, and equally few in a document, Adagrad is no better than SGD. "
    "It wins clearly where frequencies are unequal *and* the rare words matter, and so do RMSprop and Adam (Adadelta hardly).",
    "equal_adagrad > 0.95 * equal_sgd and max(telling_adagrad, telling_rmsprop, telling_adam) < 0.9 * telling_sgd",
    equal_sgd=mean["equally frequent", "SGD"],
    equal_adagrad=mean["equally frequent", "Adagrad"],
    telling_sgd=mean["rare words tell more", "SGD"],
    telling_adagrad=mean["rare words tell more", "Adagrad"],
    telling_rmsprop=mean["rare words tell more", "RMSprop"],
    telling_adam=mean["rare words tell more", "Adam"],
    telling_adadelta=mean["rare words tell more", "Adadelta"],
)

# %% [markdown]
# "As gradients become sparser, Adam does better than RMSprop." To see that, compare documents of 100 words of a thousand and
# documents of ten, in the world that suits them both:

# %%
lead = {}
for words in (100, 10):
    found = tested_on(("RMSprop", "Adam"), exponent=1.0, telling=0.5, words=words)
    lead[words] = np.mean(found["RMSprop"]) / np.mean(found["Adam"]) - 1
claim(
    "D sparse adam",
    "As gradients become sparser, Adam does better than RMSprop.",
    "refuted",
    "Adam is ahead by a few hundredths of the loss, and by hardly more with ten words in a document than with a hundred.",
    "lead_at_10 < lead_at_100 + 0.05",
    lead_at_100=lead[100],
    lead_at_10=lead[10],
)

# %% [markdown]
# ## Adadelta: no learning rate?
#
# Adadelta multiplies by its own last steps, $\sqrt{u + \varepsilon}$, so that the step has the units of the weight and no
# $\alpha$ is needed. But where does $u$ begin? At 0: the first step is made of $\varepsilon$ alone. Is $\varepsilon$ a
# learning rate in disguise? And does the last phase tremble about the minimum, as the notes say?

# %%
hollow = bowl(1, 10, start=(1.0, 1.0))
by_eps = {e: descend(hollow, hollow.start, lambda p, e=e: optim.Adadelta(p, eps=e), 3000) for e in (1e-8, 1e-6, 1e-4, 1e-2)}
fig, ax = plt.subplots()
arrival = {}
for (e, path), color in zip(by_eps.items(), plt.colormaps["viridis"]([0.0, 0.3, 0.6, 0.9]), strict=True):
    distance = np.linalg.norm(path, axis=1)
    arrival[e] = first_below(distance, 0.1)
    ax.semilogy(distance, color=color, lw=1, label=f"ε = {e:.0e}")
ax.set(xlabel="step", ylabel="distance to the minimum", ylim=(1e-5, 3))
ax.legend(frameon=False)
plt.show()

# %%
claim(
    "D adadelta rate",
    "Adadelta no longer depends on a global learning rate.",
    "refuted",
    "ε is one in disguise: it sets the length of the first steps, and by the four values here the time to arrive changes "
    "more than tenfold. (Libraries give it a rate besides; on the digits below its best is several times the usual 1.)",
    "arrival_8 > 10 * arrival_2",
    arrival_8=arrival[1e-8],
    arrival_6=arrival[1e-6],
    arrival_4=arrival[1e-4],
    arrival_2=arrival[1e-2],
)

# %%
path = by_eps[1e-6]
turns_back = (np.diff(np.sign(np.diff(path[-500:, 1]))) != 0).mean()
plain = descend(hollow, hollow.start, lambda p: optim.SGD(p, lr=2 / 11), 200)
claim(
    "D adadelta trembles",
    "Adadelta is quick in the beginning and the middle; in the end it trembles around the minimum.",
    "confirmed with limits",
    "It trembles, turning back at every step, and worse: ε is added to the steps again and again, so the "
    "trembling *grows* without any noise. Quick in the beginning it is not with the usual ε.",
    "turns_back > 0.95 and end > 1.1 * at_1500 and usual > 5 * sgd",
    turns_back=turns_back,
    at_1500=np.linalg.norm(path[1500]),
    end=np.linalg.norm(path[-1]),
    usual=arrival[1e-6],
    sgd=first_below(np.linalg.norm(plain, axis=1), 0.1),
)

# %% [markdown]
# ## AdamW: shrink the weight, not the gradient
#
# An $L_2$ penalty adds $w\theta$ to the gradient. In SGD that is the same as shrinking $\theta$ a little at every step. In
# Adam the penalty is *divided by* $\sqrt{v}$ like everything else, so weights with large gradients are hardly shrunk. AdamW
# takes the shrinking out of the gradient. Four weights that start at 1, with pure noise of different size for gradients;
# without decay they would stay around 1:

# %%
loudness = np.array([0.01, 0.1, 1.0, 10.0])
noise_of = rng.standard_normal((quick(1500, 50), 400, 4)) * loudness
decays_of = {
    "Adam, L₂ penalty 0.1": fed(lambda p: optim.Adam(p, lr=0.01, weight_decay=0.1), noise_of, 1.0),
    "AdamW, decay 0.1": fed(lambda p: optim.AdamW(p, lr=0.01, weight_decay=0.1), noise_of, 1.0),
}
fig, panels = plt.subplots(1, 2, figsize=(9, 3.2), sharey=True)
for ax, (name, path) in zip(panels, decays_of.items(), strict=True):
    for k, color in enumerate(plt.colormaps["viridis"]([0.0, 0.3, 0.6, 0.9])):
        ax.plot(path[:, :, k].mean(1), color=color, label=f"gradients of size {loudness[k]:g}")
    ax.set(xlabel="step", title=name)
panels[0].set_ylabel("weight, mean of 400")
panels[1].legend(frameon=False, fontsize=8)
fig.tight_layout()
plt.show()
last = {name: path[-1].mean(0) for name, path in decays_of.items()}
if quick(True, False):
    assert np.ptp(last["AdamW, decay 0.1"]) < 0.1 < 0.5 < np.ptp(last["Adam, L₂ penalty 0.1"])

# %% [markdown]
# On the right the four curves lie on each other: the decay no longer depends on the gradients.
#
# ## Race one: landscapes
#
# Four courses: a bowl with $\kappa = 50$, a saddle that has to be left, Rosenbrock's bent valley, Beale's plain. Each
# optimizer runs at 31 rates from eight starts close to each other, and its best rate counts. It has arrived when it *stays*
# within 0.05 of the minimum; on the saddle, when it has fallen to $-1$, by steps of no more than 0.2. Your bets?

# %%
family = {
    "SGD": (lambda p: optim.SGD(p, lr=1.0), 0.5),
    "momentum": (lambda p: optim.SGD(p, lr=1.0, momentum=0.9), 0.5),
    "Nesterov": (lambda p: optim.SGD(p, lr=1.0, momentum=0.9, nesterov=True), 0.5),
    "Adagrad": (lambda p: optim.Adagrad(p, lr=1.0), 1),
    "Adadelta": (lambda p: optim.Adadelta(p, lr=1.0), 1),
    "RMSprop": (lambda p: optim.RMSprop(p, lr=1.0), 1),
    "Adam": (lambda p: optim.Adam(p, lr=1.0), 1),
    "NAdam": (lambda p: optim.NAdam(p, lr=1.0), 1),
}
courses = [bowl(1, 50, start=(-1.2, 0.8)), SADDLE, ROSENBROCK, BEALE]
rates = np.geomspace(1e-4, 10, 31)
budget = quick(1000, 60)


def race(course, make, power, rates):
    """Steps to the goal, (rates, starts), infinite if it is not reached; the walks from the first start."""
    starts = np.array(course.start) + np.concatenate([np.zeros((1, 2)), np.random.default_rng(3).normal(0, 0.05, (7, 2))])
    scale = rates[:, None, None] ** power
    scaled = tn.tensor(scale)
    with np.errstate(all="ignore"):
        walks = descend(lambda z: course(z * scaled), starts / scale, make, budget) * scale
        if course is SADDLE:
            reached = first_below(walks[..., 0] ** 2 - walks[..., 1] ** 2, -1.0)
            leaps = np.linalg.norm(np.diff(walks, axis=0), axis=-1) > 0.2
            reached[(leaps & (np.arange(budget)[:, None, None] < reached)).any(0)] = np.inf
        else:
            away = ~(np.linalg.norm(walks - course.lowest, axis=-1) < 0.05)
            last = np.where(away, np.arange(budget + 1)[:, None, None], -1).max(0)
            reached = np.where(last < budget, last + 1.0, np.inf)
    return reached, walks[:, :, 0]


results, walks = {}, {}
for course in courses:
    for name, (make, power) in family.items():
        factor = 100 if name == "Adadelta" else 1  # its rates are of another order
        reached, paths = race(course, make, power, rates * factor)
        steps = results[course.name, name] = np.median(reached, axis=1)
        missed = np.hypot(*(np.clip(paths[-1], -1e9, 1e9) - (course.lowest or (0, 0))).T)  # decides where no rate arrives
        walks[course.name, name] = paths[:, np.lexsort((missed, steps))[0]]
board = np.array([[results[course.name, name].min() for course in courses] for name in family])
workable = np.array([[np.isfinite(results[course.name, name]).mean() for course in courses] for name in family])

# %%
fig, panels = plt.subplots(1, 2, figsize=(10, 3.8), sharey=True)
with np.errstate(all="ignore"):
    speed, ease = np.nan_to_num(board.min(0) / board), np.nan_to_num(workable / workable.max(0))
for ax, values, shades, title, text in [
    (panels[0], board, speed, "steps at the best rate", lambda v: "–" if np.isinf(v) else f"{v:.0f}"),
    (panels[1], workable, ease, f"share of {len(rates)} rates that arrive", lambda v: f"{v:.0%}"),
]:
    ax.imshow(shades, cmap="Greens", aspect="auto", alpha=0.7, vmin=0, vmax=1)
    for (i, j), value in np.ndenumerate(values):
        ax.text(j, i, text(value), ha="center", va="center")
    ax.set_xticks(range(4), [course.name for course in courses])
    ax.set_yticks(range(len(family)), family)
    ax.set_title(title)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
fig.tight_layout()
plt.show()

# %% [markdown]
# And the race itself, each at its best rate from the same start (where none arrives, at the one that comes nearest). The
# picture moves; time runs faster towards the end.

# %%
fig, panels = plt.subplots(2, 2, figsize=(8, 6.4), layout="constrained")
runners = []
for ax, course in zip(panels.flat, courses, strict=True):
    course.draw(ax)
    ax.set(xticks=[], yticks=[])
    for name in family:
        (tail,) = ax.plot([], [], color=colors[name], lw=1)
        (head,) = ax.plot([], [], "o", color=colors[name], ms=6, label=name)
        runners.append((tail, head, walks[course.name, name]))
fig.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
moments = np.unique(np.concatenate([np.arange(0, 12), np.geomspace(12, min(budget, 700), 18).astype(int)]))


def show(k):
    for tail, head, path in runners:
        tail.set_data(path[: moments[k] + 1, 0], path[: moments[k] + 1, 1])
        head.set_data(path[moments[k], :1], path[moments[k], 1:])


animate(fig, show, quick(len(moments), 2), milliseconds=250)

# %% [markdown]
# Look at the table again. Along the axes of a bowl, dividing by each weight's own size takes $\kappa$ away, and Adagrad, whose
# steps shrink by themselves, is there in three. RMSprop and Adadelta gain little by it here: their steps do not shrink, so to
# *stay* near the minimum they need small ones. The saddle they leave sooner: a tiny gradient divided by its own size makes a
# full step. In the bent valley of
# Rosenbrock, which follows no axis, only those with real momentum arrive in time. (NAdam has little: its momentum begins at
# 0.45 and rises over tens of thousands of steps.) And the right table says who forgives a badly chosen rate.

# %% [markdown]
# ## Race two: a network
#
# One network decides nothing; so twelve of them for each optimizer and rate, side by side, eight epochs on the digits. Now
# all nine run. (AdamW, with its default decay of 0.01, will lie on Adam: eight epochs are too few to shrink anything.)

# %%
half_decades = lambda low, count: low * 10 ** (np.arange(count) / 2)  # noqa: E731
entries = {
    "SGD": (optim.SGD, {}, half_decades(0.03, 5)),
    "momentum": (optim.SGD, {"momentum": 0.9}, half_decades(0.01, 5)),
    "Nesterov": (optim.SGD, {"momentum": 0.9, "nesterov": True}, half_decades(0.01, 5)),
    "Adagrad": (optim.Adagrad, {}, half_decades(0.01, 5)),
    "Adadelta": (optim.Adadelta, {}, half_decades(0.3, 5)),
    "RMSprop": (optim.RMSprop, {}, half_decades(0.001, 5)),
    "Adam": (optim.Adam, {}, half_decades(0.001, 5)),
    "NAdam": (optim.NAdam, {}, half_decades(0.001, 5)),
    "AdamW": (optim.AdamW, {}, half_decades(0.001, 5)),
}
curves = {}
for name, (kind, options, rates_of) in entries.items():
    for rate in rates_of[: quick(5, 1)]:
        curves[name, rate] = trained(lambda p, k=kind, r=rate, o=options: k(p, lr=r, **o))[1]

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(10.5, 4.2), layout="constrained")
champions, near = {}, {}
for name, (_kind, _options, rates_of) in entries.items():
    finals = {rate: curves[name, rate][-2:].mean() for rate in rates_of if (name, rate) in curves}
    champion = min(finals, key=finals.get)
    champions[name] = champion, curves[name, champion]
    near[name] = sum(final < 2 * finals[champion] for final in finals.values())
    left.loglog(np.array(list(finals)) / champion, list(finals.values()), "o-", color=colors[name], label=name, ms=4)
    right.semilogy(np.arange(1, epochs + 1), curves[name, champion].mean(1), color=colors[name])
left.set(xlabel="learning rate / the best one", ylabel=f"test loss after {epochs} epochs, mean of {seeds}")
for ax in (left, right):
    ax.set(ylim=(0.1, 3), yticks=(0.1, 0.3, 1, 3), yticklabels=(0.1, 0.3, 1, 3))
    ax.minorticks_off()
right.set(xlabel="epoch", ylabel="test loss, each at its best rate")
fig.legend(loc="outside lower center", ncols=9, frameon=False, fontsize=8, handlelength=1)
plt.show()
print(f"{'':10} test loss  spread  best rate  of 5 rates within twice that loss")
for name, (rate, curve) in sorted(champions.items(), key=lambda entry: entry[1][1][-2:].mean()):
    print(f"{name:10}{curve[-2:].mean():10.3f}{curve[-2:].mean(0).std():8.3f}{rate:11.3g}{near[name]:9}")

# %%
final = {name: curve[-2:].mean() for name, (_, curve) in champions.items()}
fastest = sum(list(family)[k] == "Adam" for k in board.argmin(0))
widest = sum(workable[list(family).index("Adam"), k] >= 0.99 * workable[:, k].max() for k in range(4))
claim(
    "D adam best",
    "All in all, Adam is the best choice.",
    "confirmed with limits",
    "The safest, not the best: on at least three of four courses no other arrives with more rates, and on the digits more "
    "of its rates are near its best than SGD's. At the best rate of each it is the fastest on at most two courses, and on "
    "the digits at least one that is no kin of it does as well, or within a tenth.",
    "fastest_of_4 <= 2 and widest_of_4 >= 3 and min(momentum, nesterov, adadelta) < 1.1 * adam and rates_near_adam >= rates_near_sgd + 1",
    fastest_of_4=fastest,
    widest_of_4=widest,
    adam=final["Adam"],
    momentum=final["momentum"],
    nesterov=final["Nesterov"],
    adadelta=final["Adadelta"],
    rates_near_adam=near["Adam"],
    rates_near_sgd=near["SGD"],
)

# %%
early = {name: curve[min(1, epochs - 1)].mean() for name, (_, curve) in champions.items()}
claim(
    "D adam faster",
    "Compared with other methods of adaptive rates Adam converges faster and learns better.",
    "confirmed with limits",
    "Faster: after two epochs it is ahead of Adagrad, Adadelta and RMSprop. Better: not by much; in the end Adadelta, at a "
    "rate several times its usual one, is within a quarter of it, on one side or the other.",
    "early_adam < 0.9 * min(early_adagrad, early_adadelta, early_rmsprop) and abs(adadelta / adam - 1) < 0.25",
    early_adam=early["Adam"],
    early_adagrad=early["Adagrad"],
    early_adadelta=early["Adadelta"],
    early_rmsprop=early["RMSprop"],
    adam=final["Adam"],
    adadelta=final["Adadelta"],
)

# %%
claim(
    "D adam remedies",
    "Adam corrects what other methods suffer from: vanishing rates, slow convergence, updates of high variance that make the "
    "loss swing.",
    "confirmed with limits",
    "Its rate does not vanish as Adagrad's does after the slide, and it converges faster than SGD. But at steps of the same "
    "length its loss swings as SGD's does: on the noisy parabolas both stand on the same floor.",
    "slide_adam < 0.1 and slide_adagrad > 5 and early_adam < 0.7 * early_sgd and floor_adam > 0.7 * floor_sgd",
    slide_adam=abs(down["Adam"][-1, 0]),
    slide_adagrad=abs(down["Adagrad"][-1, 0]),
    early_adam=early["Adam"],
    early_sgd=early["SGD"],
    floor_adam=left_over["Adam"],
    floor_sgd=left_over["SGD"],
)

# %%
row = {name: np.minimum(board[list(family).index(name)], budget) for name in ("Adagrad", "RMSprop", "Adadelta", "Adam")}
claim(
    "D three alike",
    "RMSprop, Adadelta and Adam do similarly well in many cases.",
    "confirmed with limits",
    "On the digits, at the best rate of each, their losses are within a factor of two; on the courses Adam, the only one "
    "with momentum, is more than twice as fast as Adadelta on the bowl and as RMSprop on Beale's plain.",
    "max(adam, rmsprop, adadelta) < 2 * min(adam, rmsprop, adadelta) and bowl_adadelta > 2 * bowl_adam and beale_rmsprop "
    "> 2 * beale_adam",
    adam=final["Adam"],
    rmsprop=final["RMSprop"],
    adadelta=final["Adadelta"],
    bowl_adam=row["Adam"][0],
    bowl_adadelta=row["Adadelta"][0],
    beale_adam=row["Adam"][3],
    beale_rmsprop=row["RMSprop"][3],
)

# %%
contests = [{name: steps[k] for name, steps in row.items()} for k in range(4)]
contests += [{name: mean[world, name] for name in row} for world in worlds] + [final]
apart = [c for c in contests if max(c["Adagrad"], c["Adadelta"]) > 1.1 * min(c["Adagrad"], c["Adadelta"])]
between = [min(c["Adagrad"], c["Adadelta"]) * 0.95 < c["RMSprop"] < max(c["Adagrad"], c["Adadelta"]) * 1.05 for c in apart]
claim(
    "D rmsprop between",
    "RMSprop is a development of Adagrad and a variant of Adadelta; its effect lies between the two.",
    "confirmed",
    "Of the contests in this notebook in which Adagrad and Adadelta are more than a tenth apart, RMSprop lies between them, or "
    "within a twentieth of the nearer one, in all but one at most.",
    "apart >= 3 and between >= apart - 1",
    apart=len(apart),
    between=sum(between),
)

# %%
claim(
    "D adagrad rate",
    "Most implementations of Adagrad use α = 0.01, which is enough for a good convergence.",
    "refuted",
    "The default is 0.01 indeed. On the digits it is ten times too small: after eight epochs the loss is more than twice "
    "that at 0.1.",
    "default > 2 * best and best_rate > 0.05",
    default=curves["Adagrad", 0.01][-2:].mean(),
    best=final["Adagrad"],
    best_rate=champions["Adagrad"][0],
)

# %% [markdown]
# ## What was seen
#
# - Adam is the average of momentum, divided by the root of RMSprop's, both corrected for their start from 0. Take away a
#   correction, and its steps have another length for hundreds of steps.
# - A decay is a memory. Short memories are noisy, long ones late; with one too short for rare events, Adam walks uphill.
# - $\varepsilon$ inside the root acts from $|g| = \sqrt\varepsilon$ downward, outside from $\varepsilon$ downward.
# - Adagrad never forgets: very slow after a steep start, slow when the target moves, a blessing under noise. Methods that
#   divide by each weight's own size mend bad conditioning along the axes only, and help with rare features if these matter.
# - Adam forgives badly chosen rates. With well chosen ones, it is one good runner among several.
#
# ## Things to try
#
# 1. Give the rare event a probability of 1/1,000 and a size of 1,500. Which $\beta_2$ is long enough now?
# 2. Turn the bowl by 10° instead of 45°. How much turning does Adagrad bear? (Not much: at 10° it needs some twenty times as
#    many steps as at 0°.)
# 3. `optim.NAdam(momentum_decay=0.4)` raises its momentum a hundred times sooner. Does it arrive on Rosenbrock? (It does, in
#    about twice as many steps as Adam.)
# 4. Let the slide's steep part be met in the *middle* of the way: slope 1, then 300, then 1. Who recovers?
# 5. In the network race, train for three times as many epochs. Who catches up?
# 6. Give each its cosine schedule, as in [notebook 5](05_gradient_descent.ipynb). Are the champions closer together?
# 7. Add `RAdam`, `Adamax` and Adam with `amsgrad=True` to both races.
# 8. Start RMSprop with a ramp for its rate instead of the correction it lacks. Does 0.999 bear the rates of 0.9 then?
#
# ## Where to look
#
# - Functions: [`SGD`](../tinygrad_notes/optim/sgd.py), [`Adagrad`, `Adadelta`,
#   `RMSprop`](../tinygrad_notes/optim/adaptive.py), [`Adam` and its kin](../tinygrad_notes/optim/adam.py),
#   [landscapes](../tinygrad_notes/train/landscapes.py), [`Stacked`](../tinygrad_notes/models/stacked.py).
# - Tests: [a thousand steps of each against torch](../tests/test_optim.py), [options](../tests/test_optim_options.py),
#   [replays](../tests/test_training_replay.py).
# - J. Duchi, E. Hazan, Y. Singer, *Adaptive subgradient methods for online learning and stochastic optimization*, Journal of
#   Machine Learning Research 12, 2011. [paper](https://jmlr.org/papers/v12/duchi11a.html)
# - M. D. Zeiler, *ADADELTA: an adaptive learning rate method*, 2012. [arXiv](https://arxiv.org/abs/1212.5701)
# - D. P. Kingma, J. Ba, *Adam: a method for stochastic optimization*, ICLR 2015. [arXiv](https://arxiv.org/abs/1412.6980)
# - I. Loshchilov, F. Hutter, *Decoupled weight decay regularization*, ICLR 2019. [arXiv](https://arxiv.org/abs/1711.05101)
# - S. J. Reddi, S. Kale, S. Kumar, *On the convergence of Adam and beyond*, ICLR 2018: the rare event.
#   [arXiv](https://arxiv.org/abs/1904.09237)
# - A. C. Wilson and others, *The marginal value of adaptive gradient methods in machine learning*, NeurIPS 2017.
#   [arXiv](https://arxiv.org/abs/1705.08292)
# - R. M. Schmidt, F. Schneider, P. Hennig, *Descending through a crowded valley*, ICML 2021: fifteen optimizers, measured.
#   [arXiv](https://arxiv.org/abs/2007.01547)
