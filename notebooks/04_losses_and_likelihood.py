# The source of 04_losses_and_likelihood.ipynb: `python notebooks/build.py` executes it and writes the notebook.

# %% [markdown]
# # 4 · Losses, and what they believe
#
# A loss looks like a way to measure errors. It is more: a question put to the data, and a belief about how the data came to be.
# Ask for least squares and you get the mean; ask for least absolute errors and you get the median; ask crookedly and you get
# any quantile. You will see what each loss prefers, how outliers pull at it, and what each makes of a wrong decision. Then the
# other half: **likelihood**. Write down how probable the data are, take the negative logarithm, and the familiar losses fall
# out, squares from Gaussian noise, cross-entropy from coins and dice. Entropy and divergence say what can be gained and what
# cannot. At the end come the digits: why one never takes the logarithm of a probability if the score is at hand.
#
# 损失函数不只是“量误差”：它其实在向数据提问。平方误差的答案是均值，绝对误差的答案是中位数，倾斜的绝对误差给出任意分位数。
# 本节先看各种损失偏爱什么、怎样受离群点影响、怎样看待一次错误的判断；再从极大似然推出它们：高斯噪声给出最小二乘，
# 硬币与骰子给出交叉熵；然后是熵、交叉熵与 KL 散度（任意底数，KL = 交叉熵 − 熵），并纠正笔记中一个把帽子写错位置的公式；
# 最后看为什么要从 logits 而不是从概率计算对数。

# %%
import math

import matplotlib.pyplot as plt
import numpy as np
from setting import claim, quick
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import tinygrad_notes as tn
from tinygrad_notes import information, nn
from tinygrad_notes.models.networks import MLP
from tinygrad_notes.models.stacked import Stacked

F = nn.functional


def minimize(loss, start, rate=0.05, steps=500):
    """Where Adam, with a rate that falls to 0, ends from ``start``."""
    x = tn.tensor(start, dtype=tn.float64, requires_grad=True)
    optimizer = tn.optim.Adam([x], lr=rate)
    schedule = tn.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        optimizer.zero_grad()
        loss(x).backward()
        optimizer.step()
        schedule.step()
    return x.detach()


# %% [markdown]
# ## One number for many
#
# Fifteen people were asked for something, an income say: many small answers and a few large ones. You may name *one* number $c$
# for all of them, and pay for each by its distance from $c$. Which $c$ is cheapest? It depends on what a distance costs:
#
# | loss of the error $d$ | formula |
# |---|---|
# | squared (MSE) | $d^2$ |
# | absolute (MAE) | $\lvert d\rvert$ |
# | Huber | $d^2/2$ up to $\delta$, from there the straight line $\delta\,(\lvert d\rvert - \delta/2)$ |
# | quantile (pinball) | $q\,d$ if the answer is too low by $d$, $(1 - q)\lvert d\rvert$ if too high |
# | 0/1 | 1 if off by more than a tolerance, else 0 |
#
# Before you run: where on the axis will the squares put $c$, where the absolute values? And the pinball with $q = 0.9$?

# %%
answers = np.sort(np.random.default_rng(5).lognormal(1.0, 0.7, 15))
target = tn.tensor(answers)


def constant(loss, **settings):
    """The mean loss of naming c, for many c at once."""

    def cost(c):
        shape = (len(c), len(answers))
        return loss(c.unsqueeze(1).expand(*shape), target.expand(*shape), reduction="none", **settings).mean(1)

    return cost


def off_by_more(prediction, target, reduction):
    return ((prediction - target).abs() > 0.4).double()


costs = {
    "squared": constant(F.mse_loss),
    "absolute": constant(F.l1_loss),
    "Huber, δ = 1": constant(F.huber_loss),
    "quantile, q = 0.9": constant(F.quantile_loss, q=0.9),
    "0/1, within 0.4": constant(off_by_more),
}
grid = np.linspace(0, answers.max() + 0.3, 4_001)
fig, axes = plt.subplots(len(costs), 1, figsize=(8, 6.2), sharex=True)
cheapest = {}
for ax, (name, cost), color in zip(axes, costs.items(), plt.colormaps["tab10"].colors, strict=False):
    values = cost(tn.tensor(grid)).numpy()
    cheapest[name] = float(grid[values.argmin()])
    ax.plot(grid, values, color=color)
    ax.axvline(cheapest[name], color=color, ls=":")
    ax.plot(answers, np.full(15, values.min() - 0.12 * np.ptp(values)), "|", color="black", ms=7)
    ax.set_yticks([])
    ax.set_ylabel(name, rotation=0, ha="right", va="center")
    ax.text(cheapest[name], values.max(), f" {cheapest[name]:.2f}", color=color, va="top")
axes[-1].set_xlabel("the number named, c; the strokes are the answers")
plt.show()
print(f"mean {answers.mean():.2f}, median {np.median(answers):.2f}, 0.9-quantile {answers[13]:.2f}")
assert abs(cheapest["squared"] - answers.mean()) < 0.01
assert abs(cheapest["absolute"] - np.median(answers)) < 0.01
assert abs(cheapest["quantile, q = 0.9"] - np.quantile(answers, 0.9, method="inverted_cdf")) < 0.01
for delta, limit in ((0.01, np.median(answers)), (100.0, answers.mean())):
    values = constant(F.huber_loss, delta=delta)(tn.tensor(grid)).numpy()
    assert abs(grid[values.argmin()] - limit) < 0.02

# %% [markdown]
# The mean, the median, the 0.9-quantile; Huber's answer goes from the median, for small $\delta$, to the mean, for large ones
# (and not on a straight way); and the 0/1 loss likes the place where answers crowd, the *mode*. The engine says why. At the
# bottom the slopes of all errors cancel. For squares the slope is the error itself, so the errors balance: the mean. For
# absolute values each slope is $\pm 1$, so the *numbers* of answers above and below balance: the median. A pinball weighs those
# above $q : (1 - q)$ against those below. And the 0/1 loss has no slopes at all: it can be counted, not descended.

# %%
for name, at in {"squared": answers.mean(), "absolute": np.median(answers), "quantile, q = 0.9": answers[13]}.items():
    c = tn.tensor([at - 1e-3, at + 1e-3], requires_grad=True)
    (slope,) = tn.autograd.grad(costs[name](c).sum(), [c])
    print(f"{name:18} slope just left and right of its best: {slope.numpy().round(4)}")
    assert slope[0].item() < 0 < slope[1].item()
assert not costs["0/1, within 0.4"](tn.tensor([2.0], requires_grad=True)).requires_grad

# %% [markdown]
# ### How hard does an error pull?
#
# That slope, as a function of the error, is what an example *does* in training: its pull. Left the losses, right their pulls,
# by backpropagation. Which losses let an error of 100 pull a hundred times as hard as an error of 1?

# %%
d = tn.tensor(np.linspace(-4, 4, 401), requires_grad=True)
zero = tn.zeros(401, dtype=tn.float64)
fig, (left, right) = plt.subplots(1, 2, figsize=(10, 3.4))
for name, each in {
    "squared": F.mse_loss(d, zero, reduction="none"),
    "absolute": F.l1_loss(d, zero, reduction="none"),
    "Huber, δ = 1": F.huber_loss(d, zero, reduction="none"),
    "quantile, q = 0.9": F.quantile_loss(d, zero, 0.9, reduction="none"),
}.items():
    left.plot(d.tolist(), each.tolist(), label=name)
    right.plot(d.tolist(), tn.autograd.grad(each.sum(), [d])[0].tolist())
left.set(ylim=(0, 6), xlabel="prediction − target", ylabel="loss")
left.legend(frameon=False, fontsize=8)
right.set(ylim=(-4.2, 4.2), xlabel="prediction − target", ylabel="pull: its slope")
fig.tight_layout()
plt.show()

# %% [markdown]
# ### Outliers
#
# Now a line, $y = x$ with a little noise, and a growing share of the points on the right fallen down by 4, as if a sensor had
# failed. Where does each loss lay the line? The same share of failures for all; at which share does the median give in?

# %%
rng = np.random.default_rng(0)
x_line = np.sort(rng.uniform(-1, 1, 60))
y_clean = x_line + 0.1 * rng.normal(size=60)
order, shares = rng.permutation(60), np.array([0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8])
fallen = np.stack([np.isin(np.arange(60), order[: int(share * 60)]) & (x_line > 0) for share in shares])
X_line, Y_line = tn.tensor(x_line), tn.tensor(y_clean - 4 * fallen)


def lines(loss, **settings):
    """Slope and height of the best line for every share of failures."""

    def cost(p):
        return loss(X_line * p[:, :1] + p[:, 1:], Y_line, reduction="none", **settings).mean(1).sum()

    return minimize(cost, np.zeros((len(shares), 2)), steps=400).numpy()


fitted = {"squared": lines(F.mse_loss), "absolute": lines(F.l1_loss), "Huber, δ = 0.2": lines(F.huber_loss, delta=0.2)}
fig, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6))
shown = 3  # 20 %
left.scatter(x_line, Y_line.numpy()[shown], s=18, c=np.where(fallen[shown], "tab:red", "gray"))
for name, p in fitted.items():
    left.plot(x_line, p[shown, 0] * x_line + p[shown, 1], label=name)
    right.plot(shares, p[:, 0], "o-", label=name)
left.set(xlabel="x", ylabel="y", title="a fifth of the sensors on the right have failed")
left.legend(frameon=False, fontsize=8)
right.axhline(1, color="gray", lw=0.7, ls=":")
right.set(xlabel="share of failing sensors on the right", ylabel="slope found (the true one is 1)")
fig.tight_layout()
plt.show()
assert abs(fitted["absolute"][shown, 0] - 1) < 0.15
assert abs(fitted["Huber, δ = 0.2"][shown, 0] - 1) < 0.15
assert fitted["squared"][shown, 0] < 0.6

# %% [markdown]
# A few failed sensors already flatten the line of squares. The others look at the majority, and hold on until well over half on
# the right have failed: then the majority is another one. Huber is smooth at the bottom, like squares, and deaf
# far out, like absolute values: a good default where data are dirty.
#
# ### Not one answer but a band
#
# If a quantile loss finds quantiles, a network with three outputs and three pinballs should learn a *band*: the 10 %, 50 % and
# 90 % lines, at every $x$. No distribution is assumed. The noise here grows with $x$. The honest test is on new data: which
# share lies below each line?

# %%
quantiles = (0.1, 0.5, 0.9)


def noisy(n, seed):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, n)
    return x[:, None].astype(np.float32), (np.sin(3 * x) + (0.1 + 0.4 * (x + 1) / 2) * rng.normal(size=n)).astype(np.float32)


x_band, y_band = noisy(1_500, 0)
tn.manual_seed(0)
net = MLP([1, 16, 3], nn.Tanh)
optimizer = tn.optim.Adam(net.parameters(), lr=0.02)
for _ in range(quick(600, 20)):
    predicted = net(tn.tensor(x_band))
    loss = sum(F.quantile_loss(predicted[:, i], tn.tensor(y_band), q) for i, q in enumerate(quantiles))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

x_new, y_new = noisy(20_000, 1)
with tn.no_grad():
    below = (y_new[:, None] < net(tn.tensor(x_new)).numpy()).mean(0)
    x_draw = np.linspace(-1, 1, 200, dtype=np.float32)
    band = net(tn.tensor(x_draw[:, None])).numpy()
print("share of new data below the three lines:", below.round(3))

fig, ax = plt.subplots(figsize=(7, 3.4))
ax.plot(x_band, y_band, ".", color="gray", ms=2)
ax.fill_between(x_draw, band[:, 0], band[:, 2], alpha=0.25, color="tab:blue")
for i, q in enumerate(quantiles):
    ax.plot(x_draw, band[:, i], color="tab:blue", lw=2 if q == 0.5 else 1)
    ax.text(1.02, band[-1, i], f"{q:.0%}: {below[i]:.1%} below", color="tab:blue", va="center", fontsize=8)
ax.set(xlabel="x", ylabel="y", xlim=(-1, 1))
plt.show()

# %% [markdown]
# ## What a wrong decision costs
#
# For two classes, labels $t = \pm 1$ and a score $z$, everything depends on the margin $t z$: positive is right, negative is
# wrong. What one *wants* to minimise is the number of mistakes, the **0/1 loss**, but it is flat. So one puts something with a
# slope above it. Four such roofs: squares $(1 - tz)^2$, **hinge** $\max(0, 1 - tz)$, **exponential** $e^{-tz}$, and the **log
# loss** $\log_2(1 + e^{-tz})$, here in bits so that it, too, is 1 at the border.

# %%
margin = tn.tensor(np.linspace(-3, 3, 401))
right_side = tn.ones(401, dtype=tn.float64)
fig, ax = plt.subplots(figsize=(7, 3.4))
roofs = {
    "squared": F.mse_loss(margin, right_side, reduction="none"),
    "hinge": F.hinge_loss(margin, right_side, reduction="none"),
    "exponential": F.exponential_loss(margin, right_side, reduction="none"),
    "log loss, in bits": F.soft_margin_loss(margin, right_side, reduction="none") / math.log(2),
}
steps = F.zero_one_loss(margin, right_side, reduction="none")
for name, values in roofs.items():
    ax.plot(margin, values, label=name)
    assert (values >= steps - 1e-12).all()
ax.plot(margin, steps, color="black", lw=2.5, label="0/1")
ax.set(xlabel="margin t z", ylabel="loss", ylim=(-0.1, 5))
ax.legend(frameon=False, fontsize=8)
plt.show()

# %% [markdown]
# Look at both ends. Far right: squares *punish* being very right (that is why the linear neuron of [notebook
# 2](02_perceptron.ipynb) failed); hinge stops caring at 1; log and exponential loss never quite stop. Far left: how much
# attention does one hopeless example get? We take two clouds and add a *single* point with a wrong label, ever farther out on
# the wrong side, and see what it does to the accuracy on 4,000 new points (mean over eight draws of the clouds). Rank the four
# before you look.

# %%
rng, draws = np.random.default_rng(1), quick(8, 2)


def clouds(n):
    return np.concatenate([rng.normal((side, 0), 0.7, (n, 2)) for side in (-1, 1)]), np.repeat([-1.0, 1.0], n)


distances = np.array([1, 2, 4, 8, 16, 32])
(test, test_labels), many = clouds(2_000), [clouds(100) for _ in range(draws)]
places = tn.tensor(np.stack([np.vstack([near, [-far, far]]) for near, _ in many for far in distances]))
marked = tn.tensor(np.stack([np.append(labels, 1.0) for _, labels in many for _ in distances]))


def spoiled(loss):
    """Accuracy on new points, for every distance of the wrong one."""

    def cost(p):
        scores = places[..., 0] * p[:, :1] + places[..., 1] * p[:, 1:2] + p[:, 2:]
        return loss(scores, marked, reduction="none").mean(1).sum()

    w = minimize(cost, np.zeros((len(places), 3)), steps=quick(600, 20)).numpy()
    right = ((test @ w[:, :2].T + w[:, 2] > 0) == (test_labels > 0)[:, None]).mean(0)
    return right.reshape(draws, -1).mean(0)


decisions = {"squared": F.mse_loss, "hinge": F.hinge_loss, "exponential": F.exponential_loss, "log loss": F.soft_margin_loss}
accuracy = {name: spoiled(loss) for name, loss in decisions.items()}
fig, ax = plt.subplots(figsize=(7, 3))
for name, values in accuracy.items():
    ax.semilogx(distances, values, "o-", label=name)
ax.set_xticks(distances, [str(far) for far in distances])
ax.set_xticks([], minor=True)
ax.set(xlabel="how far out one wrongly labelled point lies", ylabel="accuracy on new points")
ax.legend(frameon=False, fontsize=8, loc="lower left")
plt.show()
assert quick(accuracy["hinge"][3] > accuracy["log loss"][3] > accuracy["exponential"][3], True)

# %% [markdown]
# One point among 201. The exponential loss, that of boosting, hands it everything; hinge and log loss, straight on the left,
# keep it within bounds for longer.
#
# ## Likelihood
#
# Now the other way to a loss: say how the data come about. *The target is what the model says, plus Gaussian noise*:
#
# $$ p(y_i) = \frac{1}{\sqrt{2\pi}\,\sigma} \exp\Big(\!-\frac{(y_i - \hat y_i)^2}{2\sigma^2}\Big), \qquad
#    -\log \prod_i p(y_i) = \frac{1}{2\sigma^2}\sum_i (y_i - \hat y_i)^2 + N \log(\sqrt{2\pi}\,\sigma) $$
#
# The product turned into a sum, and all that depends on the model is the sum of squares. The notes derive this for the
# *standard* Gaussian, $\sigma = 1$. Is that needed?

# %%
rng = np.random.default_rng(2)
features = np.column_stack([rng.normal(size=(40, 2)), np.ones(40)])
y_noisy = features @ [1.5, -2.0, 0.5] + 0.3 * rng.normal(size=40)
A, y = tn.tensor(features), tn.tensor(y_noisy)


def unlikelihood(w, sigma):
    """-log of the density of the data, per example."""
    return F.gaussian_nll_loss(A @ w, y, sigma**2, full=True)


somewhere = np.array([1.0, -1.0, 0.0])
density = np.exp(-((y_noisy - features @ somewhere) ** 2) / 2) / math.sqrt(2 * math.pi)  # σ = 1
w = tn.tensor(somewhere)
by_product = -math.log(density.prod()) / 40
by_squares = F.mse_loss(A @ w, y).item() / 2 + math.log(math.sqrt(2 * math.pi))
for way, value in ("product", by_product), ("squares", by_squares), ("library", unlikelihood(w, 1.0).item()):
    print(f"-log of the density, by {way}: {value:.10f}")

least_squares = np.linalg.lstsq(features, y_noisy)[0]
likeliest = {sigma: minimize(lambda w, sigma=sigma: unlikelihood(w, sigma), np.zeros(3)).numpy() for sigma in (0.3, 1.0, 5.0)}
weights = tn.tensor(np.where(np.arange(40) < 20, 0.1, 2.0))  # σ of each example, if they differ
uneven = minimize(lambda w: F.gaussian_nll_loss(A @ w, y, weights**2), np.zeros(3)).numpy()

claim(
    "C gaussian",
    "Maximum likelihood gives the squared error if errors follow the standard Gaussian (μ = 0, σ = 1).",
    "confirmed with limits",
    "Right, and σ = 1 is not needed: any σ that is the same for all examples gives the same weights, those of least squares. "
    "If σ differs between examples, likelihood weighs the squares by 1/σ², and the weights differ.",
    "formulas_differ_by < 1e-12 and sigma_1_from_least_squares < 1e-3 and sigma_5_from_least_squares < 1e-3 and "
    "uneven_from_least_squares > 0.01",
    formulas_differ_by=max(abs(by_product - by_squares), abs(by_product - unlikelihood(w, 1.0).item())),
    sigma_1_from_least_squares=np.abs(likeliest[1.0] - least_squares).max(),
    sigma_5_from_least_squares=np.abs(likeliest[5.0] - least_squares).max(),
    uneven_from_least_squares=np.abs(uneven - least_squares).max(),
)

# %% [markdown]
# So a loss is a belief about noise: squares believe in Gaussians. Absolute errors believe in the Laplace distribution, $p(y)
# \propto e^{-|y - \hat y|/s}$, whose tails are heavier. Does the right belief pay? Twenty thousand times, 25 numbers are drawn
# around 0 with one kind of noise, and the centre is guessed by mean (squares) and by median (absolute values). Theory, for many
# numbers: with Gaussian noise the median's variance is $\pi/2 = 1.57$ times the mean's; with Laplace noise the mean's is 2
# times the median's.

# %%
rng, draws = np.random.default_rng(3), quick(20_000, 500)
ratios = {}
for name, noise in {"Gaussian": rng.normal(size=(draws, 25)), "Laplace": rng.laplace(size=(draws, 25))}.items():
    ratios[name] = np.median(noise, 1).var() / noise.mean(1).var()
    print(f"{name:9} noise: variance of the median / variance of the mean = {ratios[name]:.2f}")
assert 1.3 < ratios["Gaussian"] < 1.8
assert 0.4 < ratios["Laplace"] < 0.75

# %% [markdown]
# ### Coins
#
# A coin shows heads with probability $\hat y$. One toss $y \in \{0, 1\}$ has probability $\hat y^{y} (1 - \hat y)^{1 - y}$, a
# sequence the product of these. Its negative logarithm is the **binary cross-entropy**
#
# $$ -\sum_i \big[\, y_i \log \hat y_i + (1 - y_i) \log (1 - \hat y_i) \,\big] $$
#
# Ten tosses, seven heads. Left the likelihood, right its logarithm: same place of the extremum, other shape. What happens to
# the left one with 2,000 tosses?

# %%
tosses = np.array([1, 0, 1, 1, 0, 1, 1, 0, 1, 1.0])
chances = np.linspace(0.001, 0.999, 999)
likelihood = np.prod(np.where(tosses == 1, chances[:, None], 1 - chances[:, None]), 1)
entropies = F.binary_cross_entropy(
    tn.tensor(chances[:, None]).expand(999, 10), tn.tensor(tosses).expand(999, 10), reduction="none"
).sum(1)
many = np.tile(tosses, 200)
product = np.prod(np.where(many == 1, 0.7, 0.3))
total = F.binary_cross_entropy(tn.full((2_000,), 0.7, dtype=tn.float64), tn.tensor(many), reduction="sum").item()
print(f"2,000 tosses at 0.7: the product is {product}, its negative logarithm {total:.2f}")

fig, (left, right) = plt.subplots(1, 2, figsize=(10, 2.8))
left.plot(chances, likelihood, color="tab:blue")
right.plot(chances, entropies, color="tab:red")
for ax in (left, right):
    ax.axvline(0.7, color="gray", ls=":")
    ax.set_xlabel("chance of heads")
left.set_ylabel("likelihood of ten tosses")
right.set(ylabel="binary cross-entropy", ylim=(0, 40))
fig.tight_layout()
plt.show()

claim(
    "C bernoulli",
    "Maximising the likelihood of independent yes/no outcomes is minimising the binary cross-entropy.",
    "confirmed",
    "The sum is the negative logarithm of the product to rounding, and least at the share of heads; and the logarithm is "
    "needed: the product of 2,000 chances is 0 in floating point.",
    "differs < 1e-12 and best_chance == 0.7 and product_of_2000 == 0 and 1200 < entropy_of_2000 < 1250",
    differs=np.abs(-np.log(likelihood) - entropies.numpy()).max() / entropies.numpy().max(),
    best_chance=chances[entropies.numpy().argmin()],
    product_of_2000=product,
    entropy_of_2000=total,
)

# %% [markdown]
# ### Dice, and a hat in the wrong place
#
# With $K$ classes and one-hot labels $y_i$, the same step gives the **cross-entropy** $-\sum_i \sum_k y_i^k \log \hat y_i^k$.
# All $y_i^k$ are 0 but the one of the true class $c_i$, so that a single term remains. The notes write it as
#
# $$ J = -\sum_i y_i^{c_i} \log\big(y_i^{\hat c_i}\big), $$
#
# with the hat on the class instead of on the probability. Take it by its word: $y_i^{\hat c_i}$ is the *label* at the
# *predicted* class, 1 if the prediction is right and 0 if not. What kind of loss is that?

# %%
scores = tn.tensor([[2.0, 0.5, -1.0], [0.2, 1.5, 1.0], [-0.5, 0.3, 0.1], [1.0, 0.9, 0.0]], dtype=tn.float64)
classes = np.array([0, 2, 1, 0])
one_hot = np.eye(3)[classes]
p_hat = F.softmax(scores, 1).numpy()
full_sum = -(one_hot * np.log(p_hat)).sum(1)
single_term = -np.log(p_hat[np.arange(4), classes])
as_written = np.array(
    [0.0 if y[p.argmax()] == 1 else math.inf for y, p in zip(one_hot, p_hat, strict=True)]
)  # -1 · log of 1 or 0
by_library = F.cross_entropy(scores, tn.tensor(classes), reduction="none").numpy()
print("full sum     ", full_sum.round(4))
print("-log ŷ at c  ", single_term.round(4))
print("the library  ", by_library.round(4))
print("as written   ", as_written)

claim(
    "C categorical",
    "For classes, the negative log-likelihood is the cross-entropy −ΣΣ y log ŷ.",
    "confirmed",
    "Sum over classes, logarithm at the true class, library and the product of probabilities agree.",
    "differs < 1e-12 and from_product < 1e-12",
    differs=max(np.abs(full_sum - single_term).max(), np.abs(full_sum - by_library).max()),
    from_product=abs(-math.log(p_hat[np.arange(4), classes].prod()) - full_sum.sum()),
)

# %%
claim(
    "C one-hot formula",
    "With one-hot labels the cross-entropy is −Σ y_i^{c_i} log(y_i^{ĉ_i}), c the true and ĉ the predicted class.",
    "refuted",
    "The hat belongs on the probability: −Σ log ŷ_i^{c_i}. As written it is 0 for a right and infinite for a wrong "
    "prediction: a 0/1 loss with an infinite price.",
    "right_as_written == 0 and wrong_as_written == 1 and right_true > 0.1 and 0.1 < wrong_true < 10",
    right_as_written=as_written[0],
    wrong_as_written=np.isinf(as_written[1]),
    right_true=full_sum[0],
    wrong_true=full_sum[1],
)

# %% [markdown]
# ## Entropy: what cannot be gained
#
# How surprised is one by an event of probability $p$? Shannon: $-\log p$. A sure thing does not surprise; a coin, in bits,
# by 1. **Entropy** is the mean surprise, $H(p) = -\sum p \log p$. **Cross-entropy** $H(p, q) = -\sum p \log q$ is the mean
# surprise of someone who believes $q$ while $p$ holds. The excess is the **Kullback-Leibler divergence**
#
# $$ \mathrm{KL}(p\,\|\,q) = \sum p \log\frac{p}{q} = H(p, q) - H(p) \;\ge\; 0. $$
#
# Left: the entropy of a coin. At which chance is it most uncertain? Right: three believers, and the truth $p$; gray is $H(p)$,
# which nobody can avoid, red the price of the wrong belief.

# %%
coin = tn.tensor(np.stack([chances, 1 - chances], 1))
truth = tn.tensor([0.5, 0.3, 0.2], dtype=tn.float64)
beliefs = tn.tensor([[0.5, 0.3, 0.2], [0.4, 0.4, 0.2], [0.1, 0.1, 0.8]], dtype=tn.float64)
h = information.entropy(truth, base=2).item()
cross = information.cross_entropy(truth.expand(3, 3), beliefs, base=2).numpy()
kl = information.kl_divergence(truth.expand(3, 3), beliefs, base=2).numpy()
np.testing.assert_allclose(cross, h + kl, atol=1e-14)

fig, (left, right) = plt.subplots(1, 2, figsize=(10, 2.8))
left.plot(chances, information.entropy(coin, base=2))
left.set(xlabel="chance of heads", ylabel="entropy, bits")
right.barh(range(3), [h] * 3, color="lightgray", label="H(p)")
right.barh(range(3), kl, left=h, color="tab:red", label="KL(p ‖ q)")
for i in range(3):
    right.text(cross[i] + 0.03, i, f"H(p, q) = {cross[i]:.2f}", va="center", fontsize=9)
right.set_yticks(range(3), [f"q = ({', '.join(f'{v:g}' for v in q)})" for q in beliefs.tolist()])
right.invert_yaxis()
right.set(xlabel="bits, with p = (0.5, 0.3, 0.2)", xlim=(0, cross.max() * 1.35))
right.legend(frameon=False, fontsize=8, loc="upper right")
fig.tight_layout()
plt.show()

# %%
rng = np.random.default_rng(4)
p_many, q_many, r_many = (tn.tensor(rng.dirichlet(np.ones(5), 2_000)) for _ in range(3))
in_base = {base: information.entropy(p_many, base=base).numpy() for base in (2, math.e, 10)}
identity = np.abs(
    (
        information.kl_divergence(p_many, q_many) - information.cross_entropy(p_many, q_many) + information.entropy(p_many)
    ).numpy()
).max()
even = information.entropy(tn.full((5,), 0.2, dtype=tn.float64), base=10).item()

claim(
    "C entropy",
    "Entropy measures the uncertainty of a system; the examples are computed with logarithms to base 10.",
    "confirmed",
    "It is 0 for a sure outcome and largest, log K, for K equal ones (none of 2,000 random distributions has more). The base "
    "only sets the unit: bits, nats or hartleys differ by a factor.",
    "sure == 0 and largest_of_random < even and abs(bits_per_hartley - 3.32) < 0.005 and bases_disagree < 1e-12",
    sure=abs(information.entropy(tn.tensor([1.0, 0.0, 0.0]), base=10).item()),
    even=even,
    largest_of_random=in_base[10].max(),
    bits_per_hartley=1 / math.log10(2),
    bases_disagree=np.abs(in_base[2] * math.log(2) - in_base[math.e]).max(),
)

# %% [markdown]
# The notes call KL an *asymmetric measure of the distance* between two distributions, never negative, and equal to
# cross-entropy minus entropy. Two thousand random pairs, and a triangle: if it were a distance, the way from $p$ to $r$ could
# not be longer than the way by $q$.

# %%
pq, qp = information.kl_divergence(p_many, q_many).numpy(), information.kl_divergence(q_many, p_many).numpy()
pr, qr = information.kl_divergence(p_many, r_many).numpy(), information.kl_divergence(q_many, r_many).numpy()

claim(
    "C kl",
    "KL is cross-entropy minus entropy, never negative, and measures the distance of two distributions asymmetrically.",
    "confirmed with limits",
    "Identity and sign hold for 2,000 random pairs. It is asymmetric, as said, and for another reason no distance: in one case of "
    "six a detour is shorter than the direct way.",
    "identity_off_by < 1e-12 and smallest > 0 and median_asymmetry > 0.05 and detour_is_shorter > 0.05",
    identity_off_by=identity,
    smallest=pq.min(),
    median_asymmetry=np.median(np.abs(pq - qp) / (pq + qp)),
    detour_is_shorter=(pr > pq + qr).mean(),
)

# %% [markdown]
# ### The two directions
#
# Asymmetry is not a blemish, it is a choice. Fit *one* Gaussian $q$ to a $p$ with two humps, once by the least
# $\mathrm{KL}(p\,\|\,q)$ and once by the least $\mathrm{KL}(q\,\|\,p)$. In the first, $p$ does the averaging: where $p$ is
# large, $q$ must not be small. In the second $q$ does: where $q$ is large, $p$ must not be small. Which of them will sit on a
# single hump?

# %%
axis = np.linspace(-6, 6, 241)
humps = 0.6 * np.exp(-((axis + 2) ** 2) / 0.5) / 0.5 + 0.4 * np.exp(-((axis - 2.5) ** 2) / 0.8) / math.sqrt(0.4)
P, places = tn.tensor(humps / humps.sum()), tn.tensor(axis)


def gaussian(a):
    """Log-probabilities on the axis of a Gaussian with mean a[0] and width exp(a[1])."""
    return F.log_softmax(-((places - a[0]) ** 2) / (2 * (2 * a[1]).exp()), 0)


def p_to_q(a):
    return F.kl_div(gaussian(a), P, reduction="sum")


def q_to_p(a):
    return (gaussian(a).exp() * (gaussian(a) - P.log())).sum()


fig, ax = plt.subplots(figsize=(8, 3))
ax.fill_between(axis, P.numpy(), color="lightgray", label="p")
found = {}
for name, loss, start, color in (
    ("least KL(p ‖ q)", p_to_q, 0.5, "tab:blue"),
    ("least KL(q ‖ p), from the left", q_to_p, -1.5, "tab:red"),
    ("least KL(q ‖ p), from the right", q_to_p, 2.0, "tab:orange"),
):
    a = minimize(loss, [start, 0.0], steps=quick(500, 20))
    found[name] = a.tolist()
    ax.plot(axis, gaussian(a).exp(), color=color, label=f"{name}: mean {a[0].item():.2f}, width {a[1].exp().item():.2f}")
ax.set(xlabel="x", ylabel="probability of a cell", ylim=(0, 0.062))
ax.legend(frameon=False, fontsize=8, loc="upper right")
plt.show()
mean = (P.numpy() * axis).sum()
spread = math.sqrt((P.numpy() * (axis - mean) ** 2).sum())
print(f"mean and width of p: {mean:.2f}, {spread:.2f}")

# %% [markdown]
# $\mathrm{KL}(p\,\|\,q)$ covers everything: it takes over the mean and nearly the width of $p$, and puts most probability where
# nothing is. That is maximum likelihood, and how classifiers are trained. $\mathrm{KL}(q\,\|\,p)$ chooses a hump and forgets
# the other.
#
# ### Which of the two is the loss?
#
# The notes ask why networks are trained with cross-entropy and not with KL, and guess: *with true (one-hot) labels the entropy
# is 0 and both are equal, so take cross-entropy; without a true distribution, take KL.* And: *the smaller the cross-entropy,
# the closer the two distributions.* Compare the gradients, for one-hot labels and for soft ones.

# %%
logits = tn.tensor(rng.normal(size=(6, 4)), requires_grad=True)
labels = {"one-hot": np.eye(4)[rng.integers(0, 4, 6)], "soft": rng.dirichlet(np.ones(4), 6)}
gap, gradient_gap = {}, {}
for name, p in labels.items():
    ce = F.cross_entropy(logits, tn.tensor(p))
    divergence = F.kl_div(F.log_softmax(logits, 1), tn.tensor(p), reduction="batchmean")
    by_ce, by_kl = (tn.autograd.grad(loss, [logits])[0].numpy() for loss in (ce, divergence))
    gap[name], gradient_gap[name] = ce.item() - divergence.item(), np.abs(by_ce - by_kl).max()
    print(f"{name:8} cross-entropy {ce.item():.4f}, KL {divergence.item():.4f}, gradients differ by {gradient_gap[name]:.0e}")

claim(
    "C cross-entropy or kl",
    "With one-hot labels KL equals cross-entropy, so cross-entropy is the loss; without a true distribution use KL.",
    "confirmed with limits",
    "The first half holds. For the second there is no need: with soft labels the values differ by H(p), a constant, and the "
    "gradients are the same, so both train the same network.",
    "one_hot_gap < 1e-12 and soft_gap > 0.1 and gradients_differ_by < 1e-12",
    one_hot_gap=abs(gap["one-hot"]),
    soft_gap=gap["soft"],
    gradients_differ_by=gradient_gap["soft"],
)

# %%
sharp, vague = tn.tensor([0.98, 0.01, 0.01], dtype=tn.float64), tn.tensor([0.34, 0.33, 0.33], dtype=tn.float64)
rough, good = tn.tensor([0.7, 0.2, 0.1], dtype=tn.float64), tn.tensor([0.36, 0.32, 0.32], dtype=tn.float64)

claim(
    "C smaller is closer",
    "The smaller the cross-entropy, the smaller KL, and the closer the two distributions.",
    "confirmed with limits",
    "For one and the same p, always: they differ by a constant. Across different p not: a rough belief about a sharp truth "
    "has the smaller cross-entropy and the larger divergence than a good belief about a vague one. Compare losses of the same "
    "data only, and do not wait for 0 where labels are soft.",
    "sharp_cross_entropy < vague_cross_entropy and sharp_kl > 10 * vague_kl",
    sharp_cross_entropy=information.cross_entropy(sharp, rough).item(),
    vague_cross_entropy=information.cross_entropy(vague, good).item(),
    sharp_kl=information.kl_divergence(sharp, rough).item(),
    vague_kl=information.kl_divergence(vague, good).item(),
)

# %% [markdown]
# One more remark of the notes concerns events that only one of the two systems knows: *if Q has more events than P, sum over
# the larger number.* An event that $q$ believes in and that never happens adds $0 \cdot \log q = 0$. But what if $p$ has an
# event that $q$ thinks impossible?

# %%
p_short, q_long = tn.tensor([0.5, 0.5, 0.0, 0.0]), tn.tensor([0.4, 0.3, 0.2, 0.1])
shared = -(np.array([0.5, 0.5]) * np.log([0.4, 0.3])).sum()

claim(
    "C support",
    "If system Q has more events than P, the sum of the cross-entropy runs over those of Q: take the larger number.",
    "confirmed with limits",
    "True and harmless: the additional terms are 0. The other case is the one to fear: an event of P that Q holds impossible "
    "makes the cross-entropy infinite.",
    "abs(longer - shorter) < 1e-6 and other_way_is_infinite == 1",
    longer=information.cross_entropy(p_short, q_long).item(),
    shorter=shared,
    other_way_is_infinite=math.isinf(information.cross_entropy(q_long, p_short).item()),
)

# %% [markdown]
# ## "The more accurate, the smaller"
#
# *The more accurate the prediction, the smaller the cross-entropy.* If accurate means the probability of the true class, that
# is the definition. If it means the share of right answers, watch networks that learn 100 digits by heart, on digits that they
# have not seen (four networks on each of four choices of the hundred, their mean):

# %%
images, digits = load_digits(return_X_y=True)
images = (images / 16 - 0.3).astype(np.float32)
every, length = 10, quick(301, 21)


def by_heart(choice):
    """Cross-entropy and accuracy on new digits, in the course of training: (looks, 2)."""
    x_few, x_rest, y_few, y_rest = train_test_split(images, digits, train_size=100, random_state=choice, stratify=digits)
    tn.manual_seed(choice)
    nets = Stacked([MLP([64, 64, 10]) for _ in range(4)])
    optimizer, seen = tn.optim.Adam(nets.parameters(), lr=0.01), []
    hot = tn.tensor(np.eye(10, dtype=np.float32)[y_few])
    for step in range(length):
        if step % every == 0:
            with tn.no_grad():
                logp = F.log_softmax(nets(tn.tensor(x_rest)), -1).numpy()
            seen.append((-logp[:, np.arange(len(y_rest)), y_rest].mean(), (logp.argmax(-1) == y_rest).mean()))
        loss = -(hot * F.log_softmax(nets(tn.tensor(x_few)), -1)).sum() / 100
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return seen


course = np.mean([by_heart(choice) for choice in range(quick(4, 1))], 0)
lowest = int(course[:, 0].argmin())

fig, ax = plt.subplots(figsize=(7, 3))
ax.plot(np.arange(len(course)) * every, course[:, 0], "o-", ms=3, color="tab:red")
ax.set(xlabel="step", ylim=(0.3, 0.8))
ax.set_ylabel("cross-entropy on new digits", color="tab:red")
ax.axvline(lowest * every, color="gray", ls=":")
other = ax.twinx()
other.spines["right"].set_visible(True)
other.plot(np.arange(len(course)) * every, course[:, 1], "o-", ms=3, color="tab:blue")
other.set_ylim(0.8, 0.92)
other.set_ylabel("accuracy on new digits", color="tab:blue")
plt.show()

# %%
claim(
    "C accuracy",
    "The more accurate the prediction, the smaller the cross-entropy.",
    "confirmed with limits",
    "True of the probability given to the true class. Not of the share of right answers: beyond its lowest point the "
    "cross-entropy on new digits rises clearly again, while the accuracy does not fall. The network becomes surer, of its "
    "mistakes as well.",
    "last > 1.1 * lowest and accuracy_last > accuracy_at_lowest - 0.005",
    lowest=course[lowest, 0],
    last=course[-1, 0],
    accuracy_at_lowest=course[lowest, 1],
    accuracy_last=course[-1, 1],
)

# %% [markdown]
# ## From scores, not from probabilities
#
# The number that a network gives before the sigmoid is the **logit**. The notes say that it is the logarithm of the odds, and
# the inverse of the activation:
#
# $$ p = \sigma(z) \iff z = \log\frac{p}{1 - p} $$

# %%
p_some = tn.tensor([0.01, 0.3, 0.5, 0.9, 0.999], dtype=tn.float64)
odds = (p_some / (1 - p_some)).log()
two = F.softmax(tn.stack([odds, tn.zeros(5, dtype=tn.float64)], 1), 1)[:, 0]

claim(
    "C logit",
    "The logarithm of the odds is called logit; it is the inverse of the activation, and turns back into a probability by it.",
    "confirmed",
    "For the sigmoid. For softmax the scores are logits only up to a common shift; with two classes the sigmoid of their "
    "difference.",
    "sigmoid_of_log_odds < 1e-14 and softmax_of_two < 1e-14",
    sigmoid_of_log_odds=np.abs((odds.sigmoid() - p_some).numpy()).max(),
    softmax_of_two=np.abs((two - p_some).numpy()).max(),
)

# %% [markdown]
# Why keep logits, if probabilities are so much easier to read? The true answer is *no*, and the network says *yes*, with logit
# $z$. The loss is $-\log(1 - \sigma(z))$, nearly $z$ for large $z$: a straight line of slope one. Three ways to compute it in
# float32: as the formula stands; by `binary_cross_entropy` from the probability (which stops at 100, as in PyTorch); and by
# `binary_cross_entropy_with_logits`. Where does each leave the line?

# %%
z_wrong = np.linspace(0, 120, 481, dtype=np.float32)
no = tn.zeros(481)
ways = {
    "−log(1 − σ(z))": lambda z: -(1 - z.sigmoid()).log(),
    "binary_cross_entropy(σ(z))": lambda z: F.binary_cross_entropy(z.sigmoid(), no, reduction="none"),
    "binary_cross_entropy_with_logits(z)": lambda z: F.binary_cross_entropy_with_logits(z, no, reduction="none"),
}
fig, (left, right) = plt.subplots(1, 2, figsize=(10, 3.2))
pulls, heights = {}, {}
for (name, way), (style, width) in zip(ways.items(), (("-", 1.2), ("--", 1.2), ("-", 4)), strict=True):
    z = tn.tensor(z_wrong, requires_grad=True)
    each = way(z)
    (pull,) = tn.autograd.grad(each.sum(), [z])
    heights[name], pulls[name] = each.detach().numpy(), pull.numpy()
    left.plot(z_wrong, heights[name], style, lw=width, alpha=0.5 if width > 2 else 1, label=name)
    right.plot(z_wrong, pulls[name], style, lw=width, alpha=0.5 if width > 2 else 1)
left.set(xlabel="z, and the answer is no", ylabel="loss", ylim=(-5, 130))
left.legend(frameon=False, fontsize=8, loc="lower right")
right.set(xlabel="z, and the answer is no", ylabel="slope", ylim=(-0.1, 1.6))
fig.tight_layout()
plt.show()
plain, clipped, exact = ways
infinite_from = z_wrong[np.isinf(heights[plain]).argmax()]
print(f"the plain formula is inf from z = {infinite_from}; there its slope is {pulls[plain][np.isinf(heights[plain])][0]}")
np.testing.assert_allclose(heights[exact], np.logaddexp(0, z_wrong.astype(float)), rtol=1e-6)

# %% [markdown]
# Beyond 17 the probability *is* 1 in float32, and what the network could still learn is lost: the plain loss is infinite and
# its slope is not a number, the clipped one has the slope 0 exactly where the mistake is worst. From the logit nothing is lost.
# The same holds for softmax: the notes' LSTM takes the logarithm of softmax's output.

# %%
apart = np.arange(0, 200.0, 1.0, dtype=np.float32)
pairs_of_scores = tn.tensor(np.stack([np.zeros_like(apart), apart], 1))
of_probability = -F.softmax(pairs_of_scores, 1)[:, 0].log().numpy()
of_scores = F.cross_entropy(pairs_of_scores, tn.zeros(len(apart), dtype=tn.int64), reduction="none").numpy()

claim(
    "C log of softmax",
    "In code, the loss of a class is −log of softmax's output at that class.",
    "confirmed with limits",
    "Right while the probability is a number: in float32 it is rounded to 0 when another score is about 104 ahead, and the "
    "loss is infinite. cross_entropy, from the scores, gives the difference of the scores.",
    "100 < infinite_from < 106 and abs(loss_there - infinite_from) < 0.5 and differs_before < 1e-4",
    infinite_from=apart[np.isinf(of_probability).argmax()],
    loss_there=of_scores[np.isinf(of_probability).argmax()],
    differs_before=np.abs(of_probability - of_scores)[:80].max(),
)

# %% [markdown]
# ### Why not squares behind a sigmoid?
#
# A neuron with a sigmoid can also be trained on $(\sigma(z) - y)^2$, as in notebook 2. Its pull is $2(\sigma - y)\,\sigma(1 -
# \sigma)$, with the slope of the sigmoid in it; that of the cross-entropy is $\sigma - y$ alone: the logarithm cancels the
# slope. (For softmax likewise, $p_i - y_i$: [notebook 1](01_tape_and_backpropagation.ipynb) corrects the notes'
# $y_i (p_i - 1)$.) Start a neuron at $z = -8$, sure of a wrong answer, and let both learn with the same rate.

# %%
paths = {}
for name, loss in {
    "squares": lambda z: F.mse_loss(z.sigmoid(), tn.ones(1, dtype=tn.float64)),
    "cross-entropy": lambda z: F.binary_cross_entropy_with_logits(z, tn.ones(1, dtype=tn.float64)),
}.items():
    z = tn.tensor([-8.0], dtype=tn.float64, requires_grad=True)
    optimizer, path = tn.optim.SGD([z], lr=1.0), []
    for _ in range(300):
        path.append(z.sigmoid().item())
        optimizer.zero_grad()
        loss(z).backward()
        optimizer.step()
    paths[name] = path

fig, (left, right) = plt.subplots(1, 2, figsize=(10, 3))
z = tn.tensor(np.linspace(-10, 10, 401), requires_grad=True)
one = tn.ones(401, dtype=tn.float64)
for name, each in {
    "squares": F.mse_loss(z.sigmoid(), one, reduction="none"),
    "cross-entropy": F.binary_cross_entropy_with_logits(z, one, reduction="none"),
}.items():
    left.plot(z.tolist(), (-tn.autograd.grad(each.sum(), [z])[0]).tolist(), label=name)
    right.plot(paths[name], label=name)
left.set(xlabel="z, and the answer is yes", ylabel="pull towards yes")
left.legend(frameon=False, fontsize=8)
right.set(xlabel="step", ylabel="probability of yes", ylim=(-0.03, 1.05))
fig.tight_layout()
plt.show()
assert paths["cross-entropy"][30] > 0.9
assert paths["squares"][299] < 0.01

# %% [markdown]
# ## Small print
#
# **Shapes.** The notes: *the shapes of labels and logits must be equal.* Why so strict? Outputs `(N, 1)` and labels `(N,)`
# broadcast to `(N, N)`: every prediction is compared with every label, and the mean of *that* looks like a loss. The library
# refuses.

# %%
output, label = np.array([[2.0], [-1.0], [0.5]]), np.array([1.0, 0.0, 1.0])
broadcast = np.logaddexp(0, np.where(label == 1, -output, output)).mean()  # (3, 3)
right_one = F.binary_cross_entropy_with_logits(tn.tensor(output[:, 0]), tn.tensor(label)).item()
try:
    F.binary_cross_entropy_with_logits(tn.tensor(output), tn.tensor(label))
    refused = False
except RuntimeError as error:
    refused = True
    print(error)

claim(
    "C shapes",
    "The shape of the labels and that of the logits must be equal.",
    "confirmed",
    "Broadcast, (3, 1) against (3,) makes nine losses, with a wrong mean and no warning from numpy; the library refuses it.",
    "refused == 1 and abs(broadcast - right) > 0.1",
    refused=refused,
    right=right_one,
    broadcast=broadcast,
)

# %% [markdown]
# **Options of cross-entropy.** *Label smoothing* asks for $1 - \varepsilon + \varepsilon/K$ instead of 1. With hard labels the
# best scores are infinitely far apart; with smooth ones the gap is finite, $\log\frac{1 - \varepsilon +
# \varepsilon/K}{\varepsilon/K}$. *Weights* make a class count more, as if it occurred more often. `ignore_index` leaves
# examples out, of the mean as well.

# %%
K, eps = 4, 0.1
best = minimize(lambda z: F.cross_entropy(z, tn.tensor(2), label_smoothing=eps), np.zeros(K), rate=0.1).numpy()
predicted_gap = math.log((1 - eps + eps / K) / (eps / K))
print(f"gap of the scores with smoothing: {best[2] - best[0]:.4f}, predicted {predicted_gap:.4f}")
assert abs(best[2] - best[0] - predicted_gap) < 1e-3

z, c = tn.tensor([[2.0, 0.0], [0.5, 1.0], [1.0, 0.0]]), tn.tensor([0, 1, 1])
weighted = F.cross_entropy(z, c, tn.tensor([1.0, 2.0]))
repeated = F.cross_entropy(z[tn.tensor([0, 1, 1, 2, 2])], c[tn.tensor([0, 1, 1, 2, 2])])
assert abs(weighted.item() - repeated.item()) < 1e-6  # weight 2 is like being there twice
assert F.cross_entropy(z, tn.tensor([0, -100, 1])).item() == F.cross_entropy(z[tn.tensor([0, 2])], tn.tensor([0, 1])).item()

# %% [markdown]
# ## What was seen
#
# - A loss is a question: squares ask for the mean, absolute values for the median, pinballs for quantiles, 0/1 for the mode.
# - The slope of a loss is the pull of an example. Where it is bounded, outliers are bearable.
# - A loss is a belief: squares are Gaussian noise (of any σ, if it is one σ), absolute values Laplace noise, cross-entropies
#   coins and dice.
# - Cross-entropy is entropy, which nobody can avoid, plus divergence, which is the model's fault. For training the two are the
#   same.
# - Cross-entropy can rise while accuracy does not fall: it also judges how sure one is.
# - Logarithms are taken from scores. A probability that was rounded cannot be mended.
#
# ## Things to try
#
# 1. Give the fifteen answers an even number of members. What is the bottom of the absolute loss now? (Flat, between the two in
#    the middle.)
# 2. In the outlier picture, let the failing sensors rise on the left as well. Does the line of squares come back?
# 3. Train the band with 15 points only. Do the shares below still agree on new data? And can the lines cross?
# 4. Learn σ along with the weights by `gaussian_nll_loss`, from its logarithm. Which value does it find? (The root of the mean
#    square error.)
# 5. Draw noise from a Student distribution with 2 degrees of freedom, and compare mean, median, and the Huber estimate for
#    several δ.
# 6. Fit a *two*-hump q to the two-hump p. Do the two directions still disagree?
# 7. Put 30 % wrong labels into the digits' training set. Where are the lowest cross-entropy and the highest accuracy now? With
#    label smoothing?
# 8. Compute perplexity, $e^{H}$, of a fair die and of a loaded one: the number of faces that it feels like.
# 9. Replace $-\log$ in the surprise by $1 - p$. Which loss of decisions do you get, and is its expectation least at $q = p$?
#    (No: it pays to exaggerate.)
#
# ## Where to look
#
# - Functions: [losses of numbers and probabilities](../tinygrad_notes/nn/functional/loss.py), [of
#   classes](../tinygrad_notes/nn/functional/classes.py), [of decisions](../tinygrad_notes/nn/functional/margin.py), [entropy,
#   cross-entropy, divergence](../tinygrad_notes/information.py).
# - Tests: [losses](../tests/test_losses.py), [information and likelihood](../tests/test_information.py).
# - C. E. Shannon, *A mathematical theory of communication*, Bell System Technical Journal 27, 1948.
#   [doi](https://doi.org/10.1002/j.1538-7305.1948.tb01338.x)
# - S. Kullback, R. A. Leibler, *On information and sufficiency*, Annals of Mathematical Statistics 22, 1951.
#   [doi](https://doi.org/10.1214/aoms/1177729694)
# - P. J. Huber, *Robust estimation of a location parameter*, Annals of Mathematical Statistics 35, 1964.
#   [doi](https://doi.org/10.1214/aoms/1177703732)
# - R. Koenker, G. Bassett, *Regression quantiles*, Econometrica 46, 1978. [doi](https://doi.org/10.2307/1913643)
# - C. Szegedy, V. Vanhoucke, S. Ioffe, J. Shlens, Z. Wojna, *Rethinking the Inception architecture*, 2015: label smoothing.
#   [arXiv](https://arxiv.org/abs/1512.00567)
# - C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, *On calibration of modern neural networks*, 2017.
#   [arXiv](https://arxiv.org/abs/1706.04599)
