# The source of 11_splits_bias_variance.ipynb: `python notebooks/build.py` executes it and writes the notebook.

# %% [markdown]
# # 11 · Splits, bias and variance
#
# A training loss says how well a network knows what it was shown. What it *learned* shows on other data, and those are few.
# This notebook is about getting an honest number out of them, and about reading it. You will **see** the same hundred digits
# give one network an accuracy of 65 % or 95 %, depending on which twenty were held out; cross-validation calm that down, and
# what it cannot calm; a split that promises a small part of the error that the future brings; sixty polynomials drawn on top
# of each other, whose mean is the bias and whose spread is the variance; and which cure helps against which of the two,
# measured.
#
# 训练损失只说明网络记住了多少；学会了多少要看没见过的数据，而这样的数据总是不够。
# 本节先比较留出法、k 折交叉验证和留一法：结果对划分有多敏感、训练代价多大；再看时间序列为什么不能随便打乱；
# 然后在许多训练集上测量偏差、方差和噪声，检验“误差 = 偏差² + 方差 + 噪声”，并检验笔记中的几个论断：
# 高偏差时增加数据没有用；增加数据主要减小方差；加上适度正则化，更大的网络可以降低偏差而不增加方差。最后学会从学习曲线诊断欠拟合与过拟合。
#
# Every claim of the notes is measured, and where they are wrong or need limits, the numbers say so.

# %%
import matplotlib.pyplot as plt
import numpy as np
from numpy.polynomial import legendre
from setting import claim, quick
from sklearn.datasets import load_digits, make_classification
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    KFold,
    LeaveOneOut,
    RepeatedKFold,
    ShuffleSplit,
    StratifiedKFold,
    TimeSeriesSplit,
    cross_val_score,
    train_test_split,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import tinygrad_notes as tn
from tinygrad_notes import nn, optim
from tinygrad_notes.models.networks import MLP
from tinygrad_notes.models.stacked import Stacked
from tinygrad_notes.train import Callback, Fit
from tinygrad_notes.train.diagnosis import BiasVariance, bias_variance, diagnose
from tinygrad_notes.train.estimators import NeuralClassifier, NeuralRegressor
from tinygrad_notes.utils.data import DataLoader, TensorDataset

F = nn.functional

# %% [markdown]
# ## Three sets
#
# The *training* set is what the network learns from, like lessons; the *validation* set is like exercises, by which one
# chooses what to change; the *test* set is the examination, once. For a few ten thousand examples or less the notes divide
# 60:20:20. scikit-learn does it in two cuts. `stratify` lets every part have each digit equally often.

# %%
digits = load_digits()
pixels, labels = (digits.data / 16).astype(np.float32), digits.target
x, x_rest, y, y_rest = train_test_split(pixels, labels, test_size=0.4, random_state=0, stratify=labels)
x_valid, x_test, y_valid, y_test = train_test_split(x_rest, y_rest, test_size=0.5, random_state=0, stratify=y_rest)
print({name: len(part) for name, part in (("training", y), ("validation", y_valid), ("test", y_test))})

net = NeuralClassifier(hidden=(32,), epochs=quick(30, 2), random_state=0).fit(x, y)
for name, part in (("training", (x, y)), ("validation", (x_valid, y_valid)), ("test", (x_test, y_test))):
    print(f"accuracy, {name}: {net.score(*part):.3f}")

# %% [markdown]
# Would another 360 images have given the same numbers? No: an accuracy $p$ on $n$ examples is a mean of $n$ coin tosses and
# has a standard error of $\sqrt{p(1-p)/n}$. For a million examples the notes find 1 % enough, 10,000 for validation and as
# many for the test. Let us take a large generated set, one fixed model, and score it on random parts of different sizes.

# %%
X, t = make_classification(quick(200_000, 20_000), 20, n_informative=6, flip_y=0.1, random_state=0)
model = LogisticRegression().fit(X[:5000], t[:5000])
right = model.predict(X[5000:]) == t[5000:]
p, rng = right.mean(), np.random.default_rng(0)
counts = np.array([100, 360, 1000, 3000, 10_000])
scores = [[right[rng.integers(0, len(right), n)].mean() for _ in range(500)] for n in counts]
spread = np.std(scores, 1)

fig, (left, right_) = plt.subplots(1, 2, figsize=(9, 3.2))
left.boxplot([100 * np.array(s) for s in scores], tick_labels=[f"{n:,}" for n in counts], showfliers=False)
left.axhline(100 * p, color="tab:red", lw=1)
left.set(xlabel="examples for validation", ylabel="accuracy measured, %")
right_.loglog(counts, 100 * spread, "o", label="measured")
right_.loglog(counts, 100 * np.sqrt(p * (1 - p) / counts), color="tab:gray", label="$\\sqrt{p(1-p)/n}$")
right_.set(xlabel="examples for validation", ylabel="standard error, points")
right_.set_yticks([0.5, 1, 2, 4], [0.5, 1, 2, 4])
right_.minorticks_off()
right_.legend(frameon=False)
fig.tight_layout()
plt.show()
claim(
    "F large sets",
    "With a million examples 1 % of them is enough for validation, and 1 % for the test.",
    "confirmed",
    "What counts is their number, not their share: with 10,000 the accuracy is known to a third of a point or so, with the "
    "360 of a 60:20:20 division of the digits to two points.",
    "error_10000 < 0.5 and error_360 > 1.5 and abs(formula_10000 / error_10000 - 1) < 0.15",
    error_360=100 * spread[1],
    error_10000=100 * spread[-1],
    formula_10000=100 * np.sqrt(p * (1 - p) / 10_000),
)

# %% [markdown]
# ## Dividing again and again
#
# With few examples one cannot spare a fifth. *k-fold cross-validation* makes k parts and lets each be the validation set
# once, so that every example is used for both; *leave-one-out* makes as many parts as there are examples. Here is what
# scikit-learn's splitters do with 24 examples of two classes: each row is one training, dark is held out, white is not used.

# %%
classes = np.array([0] * 16 + [1] * 8)
splitters = {
    "ShuffleSplit: hold-out, repeated": ShuffleSplit(6, test_size=0.2, random_state=0),
    "KFold, as they come": KFold(6),
    "KFold, shuffled": KFold(6, shuffle=True, random_state=0),
    "StratifiedKFold: classes alike": StratifiedKFold(6, shuffle=True, random_state=0),
    "LeaveOneOut": LeaveOneOut(),
    "TimeSeriesSplit: the future only": TimeSeriesSplit(6),
}
fig, axes = plt.subplots(2, 3, figsize=(10, 4.4))
for ax, (name, splitter) in zip(axes.flat, splitters.items(), strict=True):
    rows = []
    for training, held in splitter.split(classes, classes):
        row = np.zeros(24)
        row[training], row[held] = 0.35, 1
        rows.append(row)
    ax.imshow([*rows[:6], np.full(24, np.nan), 0.2 + 0.4 * classes], cmap="Blues", vmin=0, vmax=1.2, aspect="auto")
    ax.set_title(name, fontsize=10)
    ax.set_xticks([])
    ax.set_yticks([0, 5, 7], ["1", str(min(len(rows), 6)), "class"])
    ax.spines[:].set_visible(False)
axes[1, 1].set_xlabel("(the first 6 of 24 rows)", fontsize=9)
fig.tight_layout()
plt.show()

# %% [markdown]
# To compare these methods one must train thousands of networks. They can be trained side by side: a split is a row of zeros
# and ones that says which examples count in the loss, and `Stacked` gives every row a network of its own. So a hundred
# networks take little more than a second. All start from the *same* weights, so that nothing differs but the split.


# %%
def train_rows(x, y, rows, steps=60, hidden=16):
    """One network per row, trained on the examples that the row marks."""
    tn.manual_seed(0)
    nets = Stacked([MLP([64, hidden, 10])] * len(rows))
    optimizer = optim.Adam(nets.parameters(), lr=0.02)
    share = tn.tensor((rows / rows.sum(1, keepdims=True)).astype(np.float32))
    inputs, targets = tn.tensor(x), tn.tensor(np.tile(y, len(rows)))
    for _ in range(steps):
        optimizer.zero_grad()
        each = F.cross_entropy(nets(inputs).flatten(0, 1), targets, reduction="none")
        (each.reshape(rows.shape) * share).sum().backward()
        optimizer.step()
    return nets


def right_answers(nets, x, y):
    """``(networks, examples)``: whether they are right."""
    with tn.no_grad():
        return nets(tn.tensor(x)).argmax(-1).numpy() == y


repeats, size = quick(100, 6), quick(100, 40)
methods = {
    "hold-out": (1, ShuffleSplit(repeats, test_size=0.2, random_state=0)),
    "5-fold": (5, RepeatedKFold(n_splits=5, n_repeats=max(repeats // 5, 2), random_state=0)),
    "10-fold": (10, RepeatedKFold(n_splits=10, n_repeats=max(repeats // 10, 2), random_state=0)),
    "leave-one-out": (size, LeaveOneOut()),
}
estimates, members, whole = {}, {}, []
for data in range(quick(4, 1)):
    x, x_rest, y, y_rest = train_test_split(pixels, labels, train_size=size, random_state=data, stratify=labels)
    whole.append(right_answers(train_rows(x, y, np.ones((1, size))), x_rest, y_rest).mean())
    for name, (folds, splitter) in methods.items():
        rows = np.array([np.bincount(training, minlength=size) for training, _ in splitter.split(x)])
        nets = train_rows(x, y, rows)
        held = np.where(rows == 0, right_answers(nets, x, y), 0).sum(1) / (rows == 0).sum(1)
        estimates.setdefault(name, []).append(held.reshape(-1, folds).mean(1))
        members.setdefault(name, []).append(right_answers(nets, x_rest, y_rest).mean())
print("four networks, trained on a hundred digits each; on the 1,697 others they are right in", np.round(whole, 3))

# %%
fig, ax = plt.subplots(figsize=(8, 3.6))
for data, truth in enumerate(whole):
    for k, (name, found) in enumerate(estimates.items()):
        place = data + 0.18 * k - 0.27
        jitter = np.random.default_rng(k).uniform(-0.06, 0.06, len(found[data]))
        ax.plot(
            place + jitter,
            100 * found[data],
            ".",
            color=f"C{k}",
            ms=4 if k < 3 else 10,
            alpha=0.6,
            label=None if data else name,
        )
    ax.plot([data - 0.4, data + 0.4], [100 * truth] * 2, color="black", lw=1, label=None if data else "truth (1,697 others)")
ax.set_xticks(range(len(whole)), [f"set {i + 1} of {size} digits" for i in range(len(whole))])
ax.set(ylabel="accuracy estimated, %")
ax.legend(frameon=False, fontsize=8, ncol=5, loc="lower center", bbox_to_anchor=(0.5, 1))
plt.show()

spread = {name: np.mean([np.std(e) for e in found]) for name, found in estimates.items()}
error = {
    name: np.sqrt(np.mean([(np.mean(e) - t) ** 2 for e, t in zip(f, whole, strict=True)])) for name, f in estimates.items()
}
for name in methods:
    print(
        f"{name:13}: spread over divisions {100 * spread[name]:4.1f} points; its mean is off by {100 * error[name]:.1f} points"
    )
claim(
    "F hold-out",
    "Hold-out is sensitive to how the data are divided; k-fold reduces that influence.",
    "confirmed",
    "The same hundred digits, the same initial weights: the accuracy held out moves by seven or eight points (standard "
    "deviation) with the division; 5-fold by a third of that, 10-fold by no more. What no division mends: all of them share the "
    "hundred digits, and are off by their luck.",
    "hold_out > 0.04 and five < 0.6 * hold_out and ten < 1.1 * five",
    hold_out=spread["hold-out"],
    five=spread["5-fold"],
    ten=spread["10-fold"],
    off_hold_out=error["hold-out"],
    off_ten=error["10-fold"],
)

# %% [markdown]
# Look at the black lines. Within a column the methods agree more with each other than with the truth: dividing again and again
# removes the luck of the *division*, not the luck of the *sample*. Only more data do that.
#
# Next: how much worse are the networks that a method judges than the one that will be used, which trains with everything?
# They have fewer examples. We have the 1,697 others to measure it precisely.

# %%
pessimism = {name: np.mean(np.array(whole) - found) for name, found in members.items()}
trainings = {name: folds for name, (folds, _) in methods.items()}
for name in methods:
    print(
        f"{name:13}: {trainings[name]:3} trainings, {100 * pessimism[name]:.2f} points below the network trained with everything"
    )
claim(
    "F leave-one-out",
    "Leave-one-out trains with nearly the whole set, so it is nearest to it; it needs as many trainings as there are examples.",
    "confirmed",
    "Its networks are within a few tenths of a point of the whole's, those that train with 80 % one to three points below; "
    "and it took a hundred trainings.",
    "abs(one_out) < 0.005 and eighty > 0.008 and abs(one_out) < 0.5 * ninety and trainings == examples",
    eighty=pessimism["5-fold"],
    ninety=pessimism["10-fold"],
    one_out=pessimism["leave-one-out"],
    trainings=trainings["leave-one-out"],
    examples=size,
)

# %% [markdown]
# The notes take $k = 10$ as a rule, more for small sets, fewer for large ones. In these numbers:

# %%
claim(
    "F ten folds",
    "k is usually 10; larger for small sets, so that more is left for training, smaller for large ones.",
    "confirmed",
    "On a hundred digits 10-fold has half the pessimism of 5-fold and no larger spread, for twice the trainings; "
    "leave-one-out takes the rest of the pessimism away, for ten times as many again.",
    "pessimism_10 < 0.75 * pessimism_5 and spread_10 < 1.1 * spread_5 and pessimism_100 < pessimism_10",
    pessimism_5=pessimism["5-fold"],
    pessimism_10=pessimism["10-fold"],
    pessimism_100=pessimism["leave-one-out"],
    spread_5=spread["5-fold"],
    spread_10=spread["10-fold"],
)

# %% [markdown]
# And yet leave-one-out can be absurd. Take labels that are heads and tails, fifty each, and a "model" that always says what was
# more frequent in training. Its true accuracy is 50 %. Leave one head out: then tails are more frequent. What will
# leave-one-out say?

# %%
coins = np.array([0, 1] * 50)
guess = DummyClassifier(strategy="most_frequent")
by_one = cross_val_score(guess, coins[:, None], coins, cv=LeaveOneOut()).mean()
by_ten = cross_val_score(guess, coins[:, None], coins, cv=StratifiedKFold(10)).mean()
print(f"leave-one-out: {by_one:.0%}, stratified 10-fold: {by_ten:.0%}")
assert (by_one, by_ten) == (0, 0.5)

# %% [markdown]
# Each training set of leave-one-out is out of balance in exactly the direction that makes its one question fail. Stratified
# folds keep the balance.
#
# ## Order in time
#
# For the LSTM the notes divide *unshuffled* (`shuffle=False`), because shuffling disturbs the order of events, and pass
# `random_state=42` so that each run has the same output. The second is quickly tried:

# %%
cuts = [train_test_split(np.arange(100), test_size=0.2, shuffle=False, random_state=seed)[1] for seed in (None, 0, 42)]
shuffled = [train_test_split(np.arange(100), test_size=0.2, shuffle=True, random_state=seed)[1] for seed in (0, 42, 42)]
different = {"unshuffled": sum((c != cuts[0]).any() for c in cuts), "shuffled": int((shuffled[0] != shuffled[1]).any())}
assert (shuffled[1] == shuffled[2]).all()
claim(
    "F random_state",
    "In train_test_split(..., shuffle=False, random_state=42) the random_state makes each run's output the same.",
    "refuted",
    "Without shuffling nothing is random: the last fifth is held out whatever the random_state. It matters only with "
    "shuffle=True.",
    "unshuffled == 0 and shuffled == 1",
    **different,
)

# %% [markdown]
# Now the first claim. A quantity depends on a measured $x$ and on something that drifts slowly, say the season or the wear of a
# machine, and the network is told the time. We hold out a fifth of the past, once shuffled, once the last fifth; then the
# network trains with the whole past, and the *future* comes.


# %%
def record(seed, drifting, n=600):
    """Inputs (time, x) and targets."""
    rng = np.random.default_rng(seed)
    time, x = np.linspace(0, 10, n), rng.standard_normal(n)
    drift = np.cumsum(rng.standard_normal(n)) * 0.15 * drifting
    return np.stack([time, x], 1).astype(np.float32), (drift + x + 0.2 * rng.standard_normal(n)).astype(np.float32)


def regressor():
    return make_pipeline(
        StandardScaler(), NeuralRegressor(hidden=(64, 64), epochs=quick(50, 2), batch_size=64, lr=5e-3, random_state=0)
    )


def rms(model, x, y):
    return np.sqrt(np.mean((model.predict(x) - y) ** 2))


found = {}
for drifting in (True, False):
    for seed in range(quick(18 if drifting else 6, 1)):
        X, t = record(seed, drifting)
        past, future = slice(0, 480), slice(480, None)
        errors = []
        for shuffle in (True, False):
            x, x_held, y, y_held = train_test_split(
                X[past], t[past], test_size=0.2, shuffle=shuffle, random_state=0 if shuffle else None
            )
            errors.append(rms(regressor().fit(x, y), x_held, y_held))
        found.setdefault(drifting, []).append([*errors, rms(regressor().fit(X[past], t[past]), X[future], t[future])])

# %%
X, t = record(0, True)
fig, (left, right_) = plt.subplots(1, 2, figsize=(10, 3.4), width_ratios=[1.3, 1])
calm = np.stack([X[:, 0], np.zeros(len(X))], 1).astype(np.float32)
left.plot(X[:, 0], t - X[:, 1], ".", color="tab:gray", ms=3, label="target − x")
for rows, color, name in (
    (np.arange(384), "tab:orange", "trained on the first 64 %"),
    (np.arange(480), "tab:blue", "trained on the past"),
):
    left.plot(X[:, 0], regressor().fit(X[rows], t[rows]).predict(calm), color=color, label=name)
left.axvspan(8, 10, color="tab:gray", alpha=0.15, lw=0)
left.text(9, left.get_ylim()[0] + 0.2, "future", ha="center")
left.set(xlabel="time", title="the network's answer to x = 0")
left.legend(frameon=False, fontsize=8)
for i, (drifting, color) in enumerate(((True, "tab:red"), (False, "tab:green"))):
    values = np.array(found[drifting])
    right_.plot(np.arange(3) + 0.1 * i - 0.05, values.T, ".", color=color, alpha=0.4)
    right_.plot(
        np.arange(3) + 0.1 * i - 0.05,
        values.mean(0),
        "_",
        color=color,
        ms=18,
        mew=2,
        label="drifting" if drifting else "not drifting",
    )
right_.set_xticks(range(3), ["held out,\nshuffled", "held out,\nthe last", "the future"])
right_.set(ylabel="root mean square error", ylim=(0, None))
right_.legend(frameon=False)
fig.tight_layout()
plt.show()
shuffled, last, future = np.mean(found[True], 0)
shuffled_calm, last_calm, future_calm = np.mean(found[False], 0)
claim(
    "F order",
    "Shuffling before dividing disturbs the order of events, so for sequences (LSTM) divide unshuffled.",
    "confirmed with limits",
    "Where something drifts, the shuffled split promises a small part of the error that the future brings; the last fifth warns "
    "of it, though in the mean it is still too hopeful. Where nothing drifts, all three agree.",
    "shuffled < 0.5 * future and last > 1.5 * shuffled and abs(shuffled_calm - future_calm) < 0.08",
    shuffled=shuffled,
    last=last,
    future=future,
    shuffled_calm=shuffled_calm,
    last_calm=last_calm,
    future_calm=future_calm,
)

# %% [markdown]
# Between two known neighbours the network interpolates; beyond the end it must guess. A shuffled split asks only the first.
# Two limits more. The order *inside* a sequence is never disturbed by shuffling whole examples. And the notes' own table
# (each row a transaction, its 29 features fed as 29 steps) has no order between rows to protect; there the unshuffled split
# has a danger of its own, if the file is sorted:

# %%
X, t = make_classification(4000, 29, n_informative=8, weights=[0.7], random_state=0)
scores = {}
for name, order in (("mixed rows", np.arange(4000)), ("rows sorted by class", np.argsort(t, kind="stable"))):
    for shuffle in (True, False):
        x, x_held, y, y_held = train_test_split(
            X[order], t[order], test_size=0.2, shuffle=shuffle, random_state=0 if shuffle else None
        )
        scores[name, shuffle] = (
            make_pipeline(StandardScaler(), NeuralClassifier(epochs=quick(15, 1), random_state=0))
            .fit(x, y)
            .score(x_held, y_held)
        )
        shares = f"class 1 in training {y.mean():.0%}, held out {y_held.mean():.0%}"
        print(f"{name:20} {'shuffled' if shuffle else 'unshuffled':10} accuracy {scores[name, shuffle]:.3f}, {shares}")
assert abs(scores["mixed rows", True] - scores["mixed rows", False]) < 0.05
assert scores["rows sorted by class", False] < scores["rows sorted by class", True] - 0.05

# %% [markdown]
# ## Bias, variance, noise
#
# Now the other side: not how to measure an error, but what it consists of. Let a model be trained on *every possible*
# training set $D$ of a given size. At a point $x$, with the true value $y$ and targets that scatter around it with variance
# $\xi^2$:
#
# $$ \underbrace{E\big[(f(x; D) - y_{\text{new}})^2\big]}_{\text{expected error}}
#    = \underbrace{\big(\bar f(x) - y\big)^2}_{\text{bias}^2}
#    + \underbrace{E\big[(f(x; D) - \bar f(x))^2\big]}_{\text{variance}} + \underbrace{\xi^2}_{\text{noise}},
#    \qquad \bar f(x) = E_D[f(x; D)] . $$
#
# We cannot have every training set, but two hundred, since we make the data. First look. Fifty noisy points of a sine, fitted
# by polynomials of three degrees. Each thin line comes from another training set.


# %%
class Polynomial:
    """Least squares on Legendre polynomials; ``seen`` collects the training errors."""

    def __init__(self, degree, seen=None):
        self.degree, self.seen = degree, seen

    def fit(self, x, y):
        self.w = np.linalg.lstsq(legendre.legvander(x, self.degree), y)[0]
        if self.seen is not None:
            self.seen.append(np.mean((self.predict(x) - y) ** 2))

    def predict(self, x):
        return legendre.legvander(x, self.degree) @ self.w


def truth(x):
    return np.sin(1.5 * np.pi * x)


points, noise, sets = np.linspace(-0.95, 0.95, 96), 0.4, quick(200, 20)


def decompose(degree, count=50, seen=None, sets=sets):
    return bias_variance(
        lambda: Polynomial(degree, seen), lambda rng: rng.uniform(-1, 1, count), truth, points, noise=noise, sets=sets, seed=1
    )


fig, axes = plt.subplots(1, 3, figsize=(10, 3.2), sharey=True)
for ax, degree in zip(axes, (1, 5, 12), strict=True):
    found = decompose(degree)
    ax.plot(points, found.predictions[:60].T, color="tab:blue", lw=0.4, alpha=0.4)
    ax.plot(points, found.predictions.mean(0), color="tab:red", lw=2, label="mean of all models")
    ax.plot(points, truth(points), "--", color="black", label="truth")
    ax.set(title=f"degree {degree}: bias² {found.bias2:.3f}, variance {found.variance:.3f}", xlabel="x", ylim=(-2.2, 2.2))
    ax.title.set_fontsize(10)
axes[0].legend(frameon=False, fontsize=8, loc="upper center")
fig.tight_layout()
plt.show()

# %% [markdown]
# The distance from the red line to the dashed one is the bias, the width of the blue bundle the variance. A line is always
# wrong and always sure; degree 12 is right on average (but for the margins), and hardly ever in the single case. Now for all
# degrees, and with the expected error measured independently, against *new* noisy targets. Will the dots lie on top of the
# stack?

# %%
degrees, seen = np.arange(1, 11), {int(d): [] for d in range(1, 11)}
found = [decompose(d, seen=seen[int(d)]) for d in degrees]
parts = np.array([[f.noise, f.bias2, f.variance] for f in found]).T
error, training = np.array([f.error for f in found]), np.array([np.mean(seen[int(d)]) for d in degrees])
fig, ax = plt.subplots(figsize=(7, 3.8))
ax.stackplot(degrees, parts, labels=["noise", "bias²", "variance"], colors=["lightgray", "tab:orange", "tab:blue"], alpha=0.8)
ax.plot(degrees, error, "o", color="black", label="expected error, measured")
ax.plot(degrees, training, "x-", color="tab:green", label="training error")
ax.set(xlabel="degree of the polynomial", ylabel="mean square error", ylim=(0, 0.9), xticks=degrees)
ax.legend(frameon=False, ncol=2)
plt.show()
off = np.abs(error / parts.sum(0) - 1)
claim(
    "F decomposition",
    "The expected error of a model is bias² + variance + noise.",
    "confirmed",
    "For every degree the error measured on new targets is the sum of the three, measured separately, up to chance.",
    "largest_difference < 0.06 and mean_difference < 0.03",
    largest_difference=off.max(),
    mean_difference=off.mean(),
)

# %% [markdown]
# One sentence of the notes must be put right. They call the *difference* between training loss and general loss the
# generalisation error, and say that this decomposes. What decomposes is the expected error on new data itself. The
# difference, the *gap*, is something else:

# %%
gap = error - training
print(
    "degree",
    *(f"{d:6}" for d in degrees),
    "\nsum   ",
    *(f"{v:6.3f}" for v in parts.sum(0)),
    "\ngap   ",
    *(f"{v:6.3f}" for v in gap),
)
i = int(parts.sum(0).argmin())
claim(
    "F generalisation gap",
    "The difference between training loss and general loss decomposes into bias, variance and noise.",
    "refuted",
    "The line has one of the largest sums and one of the smallest gaps: its bias is in both losses. The sum is the expected "
    "error on new data.",
    "gap_line < 0.2 * sum_line and gap_best < 0.7 * sum_best",
    sum_line=parts.sum(0)[0],
    gap_line=gap[0],
    sum_best=parts.sum(0)[i],
    gap_best=gap[i],
)

# %%
claim(
    "F noise",
    "Noise is the lower bound of the expected error of any algorithm on the task.",
    "confirmed",
    "No degree gets below the noise on new targets. The training error does: that is how memorised noise looks.",
    "least_error > noise and least_training < noise",
    noise=noise**2,
    least_error=error.min(),
    least_training=training.min(),
)

# %% [markdown]
# ## More data
#
# The notes: if the *bias* is high, more data are of no use; if the *variance* is high, they are the best cure, and they leave
# the bias alone. Predict the curves for a line and for degree 9, from 20 points to 1,000.

# %%
counts = np.array([20, 40, 80, 160, 320, 1000])
curves = {}
for degree in (1, 9):
    found = [decompose(degree, n, sets=quick(100, 10)) for n in counts]
    curves[degree] = np.array([[f.error, f.bias2, f.variance] for f in found]).T
fig, axes = plt.subplots(1, 2, figsize=(9, 3.4), sharey=True)
for ax, (degree, values) in zip(axes, curves.items(), strict=True):
    for row, color, name in zip(
        values, ("black", "tab:orange", "tab:blue"), ("expected error", "bias²", "variance"), strict=True
    ):
        ax.loglog(counts, row, "o-", ms=4, color=color, label=name)
    ax.axhline(noise**2, color="tab:gray", ls="--", lw=1, label="noise")
    ax.set(xlabel="training points", title=f"degree {degree}", ylim=(1e-4, 20))
axes[0].set_ylabel("mean square error")
axes[0].legend(frameon=False, fontsize=8, loc="lower left")
fig.tight_layout()
plt.show()
claim(
    "F more data, bias",
    "With high bias, more training data are of no use.",
    "confirmed",
    "From 40 to 1,000 points the line's error falls by a few per cent only, all of it variance; its bias stays.",
    "error_1000 > 0.85 * error_40 and 0.9 < bias_1000 / bias_40 < 1.1",
    error_40=curves[1][0, 1],
    error_1000=curves[1][0, -1],
    bias_40=curves[1][1, 1],
    bias_1000=curves[1][1, -1],
)

# %%
claim(
    "F more data, variance",
    "More data reduce the variance without much influence on the bias.",
    "confirmed",
    "From 80 to 1,000 points the variance of degree 9 falls to less than a tenth, as 1/n would have it; its bias was next to "
    "nothing and stays so.",
    "variance_1000 < 0.1 * variance_80 and max(bias_80, bias_1000) < 0.01",
    variance_80=curves[9][2, 2],
    variance_1000=curves[9][2, -1],
    bias_80=curves[9][1, 2],
    bias_1000=curves[9][1, -1],
)

# %% [markdown]
# ## A larger network
#
# For polynomials, bias was paid for with variance. The notes say that this bargain is over: with suitable regularisation a
# *larger network* lowers the bias and leaves the variance alone. Networks of two hidden layers, 1 to 64 units wide, each
# width on 40 training sets of 30 points (side by side again, each with its own data), without and with a quadratic penalty.

# %%
grid = np.linspace(-0.95, 0.95, 96, dtype=np.float32)


def network_decomposition(width, penalty):
    sets, steps = quick(40, 4), quick(400, 10)
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (sets, 30, 1)).astype(np.float32)
    y = (truth(x) + noise * rng.standard_normal(x.shape)).astype(np.float32)
    tn.manual_seed(0)
    nets = Stacked([MLP([1, width, width, 1], nn.Tanh) for _ in range(sets)], shared=False)
    optimizer = optim.Adam(nets.parameters(), lr=0.02, weight_decay=penalty)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    inputs, targets = tn.tensor(x), tn.tensor(y)
    for _ in range(steps):
        optimizer.zero_grad()
        (nets(inputs) - targets).square().mean((1, 2)).sum().backward()
        optimizer.step()
        schedule.step()
    with tn.no_grad():
        predictions = nets(tn.tensor(np.tile(grid[:, None], (sets, 1, 1)))).numpy()[..., 0].astype(float)
    new = truth(grid) + noise * rng.standard_normal(predictions.shape)
    return BiasVariance(truth(grid), predictions, noise**2, float(np.mean((predictions - new) ** 2)))


widths = (1, 2, 4, 8, 16, 64)
by_width = {penalty: [network_decomposition(w, penalty) for w in widths] for penalty in (0.0, 3e-3)}

# %%
fig, axes = plt.subplots(2, 4, figsize=(11, 5), width_ratios=[1, 1, 1, 1.4])
for row, (penalty, name) in zip(axes, ((0.0, "no penalty"), (3e-3, "penalty")), strict=True):
    for ax, width in zip(row, (2, 8, 64), strict=False):
        found = by_width[penalty][widths.index(width)]
        ax.plot(grid, found.predictions.T, color="tab:blue", lw=0.4, alpha=0.5)
        ax.plot(grid, found.predictions.mean(0), color="tab:red", lw=2)
        ax.plot(grid, truth(grid), "--", color="black", lw=1)
        ax.set(title=f"{name}, width {width}", ylim=(-2.2, 2.2))
        ax.title.set_fontsize(10)
    parts = np.array([[f.noise, f.bias2, f.variance] for f in by_width[penalty]]).T
    row[3].stackplot(
        range(6), parts, labels=["noise", "bias²", "variance"], colors=["lightgray", "tab:orange", "tab:blue"], alpha=0.8
    )
    row[3].plot(range(6), [f.error for f in by_width[penalty]], "o", color="black", label="error")
    row[3].set_xticks(range(6), widths)
    row[3].set(ylim=(0, 0.8), title=f"{name}, error by width")
    row[3].title.set_fontsize(10)
axes[0, 3].legend(frameon=False, fontsize=8)
fig.tight_layout()
plt.show()

# %%
small, middle, large = (by_width[3e-3][widths.index(w)] for w in (2, 8, 64))
bare_middle, bare_large = (by_width[0.0][widths.index(w)] for w in (8, 64))
claim(
    "F larger network",
    "With suitable regularisation a larger network lowers the bias without raising the variance.",
    "confirmed",
    "With the penalty, from width 2 to width 64 the bias falls to less than a tenth, and the variance does not rise, it "
    "falls: wide networks started at random agree with each other. Without the penalty the variance is about twice as large.",
    "bias_64 < 0.2 * bias_2 and variance_64 < variance_2 and variance_64 < 1.2 * variance_8 and bare_variance_64 > 1.3 * "
    "variance_64",
    bias_2=small.bias2,
    bias_64=large.bias2,
    variance_2=small.variance,
    variance_8=middle.variance,
    variance_64=large.variance,
    bare_variance_8=bare_middle.variance,
    bare_variance_64=bare_large.variance,
)

# %% [markdown]
# ## Reading the curves
#
# In practice there is one training set and no truth. What remains are two curves. The notes: *overfitting* is a good fit of
# the training set and a bad one of the validation set, *underfitting* a bad fit of both. `diagnose` reads that off, once told
# which loss would be acceptable and what difference still counts as equal. Four classifiers of digits. Give your own verdict
# before you read the title.


# %%
class TrainingLoss(Callback):
    """Notes the loss of the whole training set after each epoch."""

    def __init__(self, data):
        self.data = data

    def after_epoch(self, run):
        run.history[-1]["training"] = run.evaluate(self.data)["validation loss"]


def learning_curves(count, hidden, epochs, seed=0, penalty=0.0):
    """Training and validation losses by epoch."""
    pool, x_held, y_pool, y_held = train_test_split(pixels, labels, train_size=1300, random_state=seed, stratify=labels)
    training, held = (TensorDataset(tn.tensor(a), tn.tensor(b)) for a, b in ((pool[:count], y_pool[:count]), (x_held, y_held)))
    tn.manual_seed(seed)
    net = MLP([64, hidden, 10], nn.Tanh)
    watch = TrainingLoss(DataLoader(training, 2000))
    optimizer = optim.Adam(net.parameters(), lr=0.01, weight_decay=penalty)
    batches = DataLoader(training, 40, shuffle=True)
    history = Fit(net, F.cross_entropy, optimizer, batches, validation=DataLoader(held, 2000), callbacks=[watch]).run(epochs)
    return [row["training"] for row in history], [row["validation loss"] for row in history]


settings = {
    "2 hidden units, 300 images": (300, 2, quick(40, 2)),
    "128 hidden units, 60 images": (60, 128, quick(60, 2)),
    "2 hidden units, 60 images": (60, 2, quick(150, 2)),
    "64 hidden units, 1,300 images": (1300, 64, quick(10, 2)),
}
fig, axes = plt.subplots(1, 4, figsize=(12, 3), sharey=True)
ends = {}
for ax, (name, setting) in zip(axes, settings.items(), strict=True):
    training, held = learning_curves(*setting)
    found = diagnose(training, held, acceptable=0.2, tolerance=0.2)
    ends[found.verdict] = training[-1], held[-1]
    ax.plot(training, color="tab:blue", label="training")
    ax.plot(held, color="tab:orange", label="validation")
    ax.axhline(0.2, color="tab:gray", lw=1, ls="--")
    ax.set(title=f"{name}:\n{found.verdict}", xlabel="epoch", ylim=(0, 2.5))
    ax.title.set_fontsize(10)
axes[0].set_ylabel("loss")
axes[1].legend(frameon=False)
fig.tight_layout()
plt.show()
under, over, fits = (ends.get(verdict, (0, 0)) for verdict in ("underfitting", "overfitting", "fits"))
claim(
    "F diagnosis",
    "Overfitting: good on the training set, bad on the validation set. Underfitting: bad on both.",
    "confirmed",
    "Too few units: both losses stay high, close together. Too many for so few images: the training loss vanishes, the "
    "validation loss does not. Both faults can come together (third picture).",
    "min(under_training, under_validation) > 0.4 and over_training < 0.05 and over_validation > 0.3 and fits_validation < 0.3",
    under_training=under[0],
    under_validation=under[1],
    over_training=over[0],
    over_validation=over[1],
    fits_training=fits[0],
    fits_validation=fits[1],
)

# %% [markdown]
# Then the notes prescribe: against high bias a larger network or longer training; against high variance more data or
# regularisation; and diagnose first, since the one's medicine does not help the other. We give every medicine to two of the
# patients, the first and the second.

# %%
patients = {"underfitting: 2 units, 300 images": (300, 2, 40), "overfitting: 128 units, 60 images": (60, 128, 60)}
medicines = {
    "none": lambda n, h, e: (n, h, e, 0.0),
    "four times the data": lambda n, h, e: (4 * n, h, e, 0.0),
    "eight times the units": lambda n, h, e: (n, 8 * h, e, 0.0),
    "three times the epochs": lambda n, h, e: (n, h, 3 * e, 0.0),
    "L2 penalty": lambda n, h, e: (n, h, e, 2e-3),
}
losses = {}
for patient, (n, h, epochs) in patients.items():
    for medicine, change in medicines.items():
        for seed in range(quick(3, 1)):
            count, hidden, longer, penalty = change(n, h, quick(epochs, 2))
            losses.setdefault((patient, medicine), []).append(learning_curves(count, hidden, longer, seed, penalty)[1][-1])

# %%
fig, axes = plt.subplots(1, 2, figsize=(10, 3), sharey=True)
means = {key: np.mean(values) for key, values in losses.items()}
for ax, patient in zip(axes, patients, strict=True):
    for i, medicine in enumerate(medicines):
        ax.plot(losses[patient, medicine], [i] * len(losses[patient, medicine]), "o", color="tab:blue", alpha=0.5)
        ax.plot(means[patient, medicine], i, "|", color="black", ms=18)
    ax.axvline(means[patient, "none"], color="tab:gray", lw=1, ls="--")
    ax.set(title=patient, xlabel="validation loss", xlim=(0, None), ylim=(-0.5, 4.5))
    ax.set_yticks(range(5), medicines)
axes[0].invert_yaxis()
fig.tight_layout()
plt.show()
under, over = ({medicine: means[p, medicine] / means[p, "none"] for medicine in medicines} for p in patients)
print("loss compared with no medicine:", *({k: round(v, 2) for k, v in each.items()} for each in (under, over)), sep="\n")
claim(
    "F remedies",
    "High bias and high variance are two different things with different remedies; more data hardly help against high bias.",
    "confirmed",
    "Underfitting: eight times the units remove most of the loss, four times the data a fifth. Overfitting: four times the "
    "data take more than half of it, a penalty some; a larger network and longer training make it worse.",
    "under_units < 0.5 and under_data > 0.65 and over_data < 0.65 and over_units > 1 and over_penalty < 1 and over_epochs > 1",
    under_data=under["four times the data"],
    under_units=under["eight times the units"],
    under_epochs=under["three times the epochs"],
    under_penalty=under["L2 penalty"],
    over_data=over["four times the data"],
    over_units=over["eight times the units"],
    over_epochs=over["three times the epochs"],
    over_penalty=over["L2 penalty"],
)

# %% [markdown]
# ## What was seen
#
# - A score is a measurement with an error. Hold-out adds the luck of the division; cross-validation removes that, and leaves
#   the luck of the sample. The more folds, the nearer to the network that will be used, and the dearer.
# - Where something drifts, only the last part may be held out; where nothing does, shuffling does no harm, and protects from
#   sorted files.
# - Expected error = bias² + variance + noise, for every degree. The gap between the two losses is *not* that sum.
# - More data: variance falls as $1/n$, bias stays. A wider network with a penalty: both fall.
# - Two curves and two thresholds are enough to name the fault; the remedy of one fault hardly helps the other.
#
# ## Things to try
#
# 1. Give the hundred networks of a hold-out *different* initial weights and the *same* division. Is the start's luck as large as
#    the division's? (Build the members with different seeds.)
# 2. Hold out 50 % or 5 % instead of 20 %. Which spread grows, which pessimism?
# 3. `StratifiedKFold` instead of `KFold` for the digits: does the spread shrink?
# 4. Leave a gap between past and held-out part (`TimeSeriesSplit(gap=...)`). When is that needed? (Think of overlapping
#    windows.)
# 5. Replace the noise 0.4 by 0.1. To which degree does the minimum of the stack move, and why?
# 6. Add `strength * I` to the polynomial's normal equations. Draw bias² and variance over the strength instead of the degree.
# 7. Train the wide network for 4,000 steps without penalty. Does its variance go on growing?
# 8. Average ten networks of width 2. Which of the two parts does that reduce? (Averaging cannot mend bias.)
#
# ## Where to look
#
# - Functions: [`bias_variance`, `diagnose`](../tinygrad_notes/train/diagnosis.py),
#   [`Stacked`](../tinygrad_notes/models/stacked.py), [`NeuralRegressor`,
#   `NeuralClassifier`](../tinygrad_notes/train/estimators.py).
# - Tests: [the decomposition against its formula, diagnoses](../tests/test_diagnosis.py),
#   [networks side by side](../tests/test_models.py), [estimators in scikit-learn](../tests/test_estimators.py).
# - S. Geman, E. Bienenstock, R. Doursat, *Neural networks and the bias/variance dilemma*, Neural Computation 4, 1992.
#   [doi](https://doi.org/10.1162/neco.1992.4.1.1)
# - R. Kohavi, *A study of cross-validation and bootstrap for accuracy estimation and model selection*, IJCAI 1995.
#   [paper](https://www.ijcai.org/Proceedings/95-2/Papers/016.pdf)
# - Y. Bengio, Y. Grandvalet, *No unbiased estimator of the variance of k-fold cross-validation*, Journal of Machine Learning
#   Research 5, 2004. [paper](https://jmlr.org/papers/v5/grandvalet04a.html)
# - B. Neal et al., *A modern take on the bias-variance tradeoff in neural networks*, 2018: variance falls with width.
#   [arXiv](https://arxiv.org/abs/1810.08591)
# - scikit-learn's guide to [splitters](https://scikit-learn.org/stable/modules/cross_validation.html).
