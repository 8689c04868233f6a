# The source of 12_hyperparameter_search.ipynb: `python notebooks/build.py` executes it and writes the notebook.

# %% [markdown]
# # 12 · The search for hyperparameters
#
# Gradients find the weights. Who finds the learning rate, the penalty, the number of units? Somebody has to try, and every
# trial is a training. This notebook is about trying well, and about not fooling oneself while doing so. You will **see** the
# landscape itself: several hundred networks, each with a learning rate and a penalty of its own, trained side by side; why a
# grid wastes most of its points, and when it does not; what a logarithm is worth; thousands of searches on the same
# landscape, so that luck averages out; Optuna and scikit-learn searching for our networks, and giving up hopeless trainings
# early; which hyperparameters matter; and how the best of many validation scores flatters, without anybody cheating.
#
# 权重由梯度来找，那么学习率、正则化强度、隐藏单元数由谁来找？只能一次次地试，而每试一次就要训练一遍。
# 本节先把“地形”画出来：几百个网络并排训练，每个都有自己的学习率和权重衰减；然后在同一地形上重复几千次搜索，
# 比较随机搜索与网格搜索、线性刻度与对数刻度、一次搜完与由粗到细；再用 Optuna 和 scikit-learn 搜索真正的网络，
# 测量哪些超参数重要（笔记认为学习率最重要）；最后测量“从许多验证分数里挑最好的”会带来多大的乐观偏差，以及为什么测试集只能用一次。
#
# Every claim of the notes is measured, and where they are wrong or need limits, the numbers say so.

# %%
import warnings
from functools import partial

warnings.filterwarnings("ignore", "IProgress not found")  # Optuna looks for a progress bar that nobody asked for

import matplotlib.pyplot as plt
import numpy as np
import optuna
from scipy.interpolate import RegularGridInterpolator
from scipy.stats import loguniform, norm, qmc
from setting import claim, quick
from sklearn.datasets import load_digits, make_friedman1
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, cross_val_score, cross_validate, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale

import tinygrad_notes as tn
from tinygrad_notes import nn, optim
from tinygrad_notes.models.networks import MLP
from tinygrad_notes.models.stacked import Stacked
from tinygrad_notes.train import Callback, Fit, Schedule
from tinygrad_notes.train.estimators import NeuralClassifier, NeuralRegressor
from tinygrad_notes.utils.data import DataLoader, TensorDataset

F = nn.functional
optuna.logging.set_verbosity(optuna.logging.ERROR)  # else it reports every trial

# %% [markdown]
# ## The landscape
#
# A hundred digits for training, a fifth of them labelled wrongly, 200 for validation, the others, some 1,500, to know the
# truth. The hyperparameters are the learning rate $\eta$ of SGD with momentum, and the strength $\lambda$ of a quadratic
# penalty.
#
# How can networks with different learning rates be trained side by side by *one* optimizer? SGD is linear in the gradient:
# multiply a member's loss by its $\eta$ and let the optimizer's rate be 1. So for the member $m$ the loss is
# $\eta_m \big(L_m + \tfrac{\lambda_m}{2} \lVert w_m \rVert^2\big)$, and the sum over all members is minimised.

# %%
digits = load_digits()
pixels, labels = (digits.data / 16).astype(np.float32), digits.target


def cut(count, seed=0, wrong=0.2):
    """Training, validation and test sets; of the training labels a share is wrong."""
    x, rest, y, y_rest = train_test_split(pixels, labels, train_size=count, random_state=seed, stratify=labels)
    rng = np.random.default_rng(seed)
    y = np.where(rng.random(count) < wrong, (y + rng.integers(1, 10, count)) % 10, y)
    return (x, y), (rest[:200], y_rest[:200]), (rest[200:], y_rest[200:])


def train_side_by_side(x, y, rates, penalties, steps=100, starts=None):
    """One network per learning rate and penalty; all start from the same weights, or from those of the seeds ``starts``."""
    members = []
    for seed in np.zeros(len(rates), int) if starts is None else starts:
        tn.manual_seed(int(seed))
        members.append(MLP([64, 16, 10], nn.Tanh))
    nets = Stacked(members)
    optimizer = optim.SGD(nets.parameters(), lr=1.0, momentum=0.9)
    eta, strength = (tn.tensor(np.asarray(v, np.float32)) for v in (rates, rates * penalties / 2))
    inputs, targets = tn.tensor(x), tn.tensor(np.tile(y, len(rates)))
    for _ in range(steps):
        optimizer.zero_grad()
        loss = F.cross_entropy(nets(inputs).flatten(0, 1), targets, reduction="none").reshape(len(rates), -1).mean(1)
        size = sum(w.square().flatten(1).sum(1) for w in nets.parameters() if w.ndim > 2)
        (eta * loss + strength * size).sum().backward()
        optimizer.step()
    return nets


def score(nets, x, y):
    """Of each network the loss, or that of guessing where it is worse; and of which examples it is right."""
    with tn.no_grad():
        logits = nets(tn.tensor(x))
        loss = F.cross_entropy(logits.flatten(0, 1), tn.tensor(np.tile(y, len(nets))), reduction="none")
    loss = loss.numpy().reshape(len(nets), -1).mean(1)
    return np.minimum(np.nan_to_num(loss, nan=np.inf), np.log(10)), logits.argmax(-1).numpy() == y


training, validation, test = cut(100)
side = quick(24, 7)
log_rates, log_penalties = np.linspace(-3.5, 0.5, side), np.linspace(-6, 0.5, side)
rates, penalties = (10 ** v.ravel() for v in np.meshgrid(log_rates, log_penalties, indexing="ij"))
landscape = train_side_by_side(*training, rates, penalties, quick(100, 5))
valid_loss, truth = (score(landscape, *part)[0].reshape(side, side) for part in (validation, test))
agreement = np.corrcoef(valid_loss.ravel(), truth.ravel())[0, 1]
print(f"{len(landscape)} networks; test losses {truth.min():.2f} to {truth.max():.2f}; validation correlates: {agreement:.3f}")

# %%
fig, ax = plt.subplots(figsize=(6.4, 4.4))
shown = ax.contourf(log_penalties, log_rates, truth, levels=np.linspace(0.7, 2.35, 23), cmap="viridis_r", extend="min")
best = np.unravel_index(truth.argmin(), truth.shape)
ax.plot(log_penalties[best[1]], log_rates[best[0]], "*", color="white", ms=14, mec="black")
ax.text(-5.9, 0.2, "learns the wrong labels", color="white")
ax.text(-1.9, 0.3, "diverges", color="white")
ax.text(-5.9, -3.3, "too slow for 100 steps", color="white")
ax.text(-0.65, -1.1, "crushed by\nthe penalty", color="white", ha="center", fontsize=9)
ax.set(xlabel="$\\log_{10} \\lambda$ (penalty)", ylabel="$\\log_{10} \\eta$ (learning rate)", title="test loss")
fig.colorbar(shown, ticks=[0.8, 1.2, 1.6, 2, 2.3])
plt.show()

# %% [markdown]
# Yellow is good. Read the notes' warnings off it: at the upper edge and at the upper right, learning rates that are too large
# do not converge; below, too small ones take too long. At the upper left something else happens: there training converges so
# well that the wrong labels are learned, too. The good region is a strip across: for the left half of the picture and more the
# penalty does not matter, and near the strip's right end there is a pocket where the right penalty helps, against just that.
#
# ## Grid or random?
#
# The notes: with two hyperparameters or more, choose points at random instead of evenly spaced; with the same number of
# trials one tries more *values of each*. The classical picture (Bergstra & Bengio), on our landscape, in a box at its left
# where only the learning rate matters. Above: where the trials lie. Below: what they find, over the learning rate alone.

# %%
surface = RegularGridInterpolator((log_rates, log_penalties), truth, method="linear")
surface_valid = RegularGridInterpolator((log_rates, log_penalties), valid_loss, method="linear")
low, high = np.array([-2.4, -5.9]), np.array([0.4, -4.0])  # a box: only the learning rate matters
rng = np.random.default_rng(4)
along = (np.arange(3) + 0.5) / 3
designs = {"grid": np.stack(np.meshgrid(along, along), -1).reshape(-1, 2), "random": rng.random((9, 2))}

fig, axes = plt.subplots(2, 2, figsize=(8, 5), height_ratios=[1.4, 1], sharex=True, sharey="row")
line = np.linspace(low[0], high[0], 200)
for (above, below), (name, unit) in zip(axes.T, designs.items(), strict=True):
    places = low + unit * (high - low)
    above.plot(*places.T, "o", color="tab:red")
    above.set(title=f"{name}: 9 trials, {len(np.unique(places[:, 0].round(9)))} learning rates", ylim=(low[1], high[1]))
    below.plot(line, surface(np.stack([line, np.full(200, -5.0)], 1)), color="tab:blue")
    found = surface(places)
    below.vlines(places[:, 0], 0.6, found, color="tab:red", lw=0.6)
    below.plot(places[:, 0], found, "o", color="tab:red", ms=4)
    below.plot(places[found.argmin(), 0], found.min(), "*", color="black", ms=12)
    below.set(xlabel="$\\log_{10} \\eta$", ylim=(0.6, 2.4), xticks=[-2, -1, 0])
    below.text(0.5, 0.8, f"best: {found.min():.2f}", transform=below.transAxes, ha="center")
axes[0, 0].set_ylabel("$\\log_{10} \\lambda$")
axes[1, 0].set_ylabel("test loss")
fig.tight_layout()
plt.show()

# %% [markdown]
# One picture, one draw of luck. Searches on a known landscape cost nothing, so we make thousands: each in a box of its own
# (nobody knows in advance where the good region lies), 16 trials in a 4 × 4 grid or at random. What counts is the *regret*: how
# far the best trial is above the best place in the box. Once with boxes in which only $\eta$ matters, once at the pocket,
# where both do. Guess first: which method wins where?


# %%
def boxes(count, both_matter, rng):
    """Boxes of random places that hold a good learning rate: lower corners and widths, (count, 2)."""
    lowest, highest = ((-2.4, -3.0), (-2.0, -2.05)) if both_matter else ((-2.4, -5.9), (-2.0, -5.5))
    return rng.uniform(lowest, highest, (count, 2)), np.full((count, 2), 2.5)


def regret(corner, width, unit, surface=surface):
    """Best of the trials above the best of the box; ``unit`` (searches, trials, 2) lies in the unit square."""
    found = surface(corner[:, None] + unit * width[:, None]).min(1)
    nodes = np.clip(np.stack([log_rates, log_penalties], 1), corner[:, None], (corner + width)[:, None])
    places = np.stack(np.broadcast_arrays(nodes[:, :, None, 0], nodes[:, None, :, 1]), -1).reshape(len(corner), -1, 2)
    return found - surface(places).min(1)  # bilinear between the nodes: least at one of them, or at the box's edge


searches, rng = quick(2000, 50), np.random.default_rng(0)
along = (np.arange(4) + 0.5) / 4
grid = np.broadcast_to(np.stack(np.meshgrid(along, along), -1).reshape(-1, 2), (searches, 16, 2))
regrets = {}
for both in (False, True):
    corner, width = boxes(searches, both, rng)
    regrets[both] = regret(corner, width, grid), regret(corner, width, rng.random((searches, 16, 2)))
designs = {"grid": grid[0], "random": rng.random((16, 2))}
distinct = {name: len(np.unique(unit[:, 0])) for name, unit in designs.items()}
means = {both: [r.mean() for r in pair] for both, pair in regrets.items()}

fig, axes = plt.subplots(1, 2, figsize=(9, 3), sharey=True)
for ax, both in zip(axes, (False, True), strict=True):
    for values, name, color in zip(regrets[both], ("grid", "random"), ("tab:gray", "tab:red"), strict=True):
        ax.ecdf(values, color=color, label=f"{name}: mean {values.mean():.3f}")
    ax.set(xlabel="regret after 16 trials", xlim=(0, 0.12), title="both matter" if both else "only the learning rate matters")
    ax.legend(frameon=False, loc="lower right")
axes[0].set_ylabel("share of searches")
fig.tight_layout()
plt.show()
claim(
    "F random search",
    "Random points are better than evenly spaced ones: with as many trials, more values of each hyperparameter are tried.",
    "confirmed with limits",
    "Where only one of two hyperparameters matters, 16 random trials see 16 of its values, the grid 4, and random points have "
    "less regret. Where both matter, the grid, which leaves no gaps, has less.",
    "random_one < 0.85 * grid_one and random_both > 1.15 * grid_both and values_random == 16",
    values_grid=distinct["grid"],
    values_random=distinct["random"],
    grid_one=means[False][0],
    random_one=means[False][1],
    grid_both=means[True][0],
    random_both=means[True][1],
)

# %% [markdown]
# So neither is best: the grid repeats its values, chance leaves gaps. Is there a set of points without either fault? *Sobol's
# points* are made for that: cut either side into 16 slices, or the square into 4 × 4 boxes: each slice and each box
# holds exactly one of the first 16.

# %%
sobol = np.stack([qmc.Sobol(2, rng=np.random.default_rng(k)).random(16) for k in range(searches)])
fig, axes = plt.subplots(1, 3, figsize=(8, 2.7), sharey=True)
for ax, (name, unit) in zip(axes, {**designs, "Sobol": sobol[0]}.items(), strict=True):
    ax.plot(*unit.T, "o", color="tab:red", clip_on=False)
    ax.plot(unit[:, 0], np.full(16, -0.12), "|", color="black", ms=10, clip_on=False)
    ax.set(title=name, xlim=(0, 1), ylim=(0, 1), aspect="equal", xticks=[], yticks=[])
    ax.spines[:].set_visible(True)
plt.show()
for both in (False, True):
    corner, width = boxes(searches, both, np.random.default_rng(0))
    means[both].append(regret(corner, width, sobol).mean())
    print(f"both matter: {both!s:5}  regret of", {k: f"{v:.3f}" for k, v in zip((*designs, "Sobol"), means[both], strict=True)})
    assert quick(means[both][2] < means[both][1], True)

# %% [markdown]
# Two hyperparameters are few. Suppose that there are two, three or six, of which the learning rate alone matters, and 64
# trials. A grid then has 8, 4 or 2 values of each. Random points have 64 of each, always.


# %%
def along_rate(corner, width, unit):
    """Mean regret where only the learning rate counts: ``unit`` (searches, values)."""
    place = np.full((*unit.shape, 2), -5.0)
    place[..., 0] = corner[:, :1] + unit * width[:, :1]
    fine = np.full((len(corner), 200, 2), -5.0)
    fine[..., 0] = corner[:, :1] + np.linspace(0, 1, 200) * width[:, :1]
    return (surface(place).min(1) - surface(fine).min(1)).mean()


corner, width = boxes(searches, False, rng)
by_dimension = {
    n: along_rate(corner, width, np.broadcast_to((np.arange(values) + 0.5) / values, (searches, values)))
    for n, values in ((1, 64), (2, 8), (3, 4), (6, 2))
}
by_chance = along_rate(corner, width, rng.random((searches, 64)))
for n, value in by_dimension.items():
    print(f"grid over {n} hyperparameter{'s' if n > 1 else ''}: regret {value:.4f}")
print(f"random, over any number: regret {by_chance:.4f}")
assert quick(by_dimension[1] < by_chance < by_dimension[2] and by_chance < by_dimension[3] / 3 < by_dimension[6] / 6, True)

# %% [markdown]
# The notes say "two or more", and rightly: for a single hyperparameter an even spacing is better than chance. With six, a
# grid of 64 trials hardly tries anything.
#
# ## On which scale?
#
# The landscape was drawn over $\log \eta$. Why? Draw learning rates evenly from 0 to 3 instead. How many of a hundred fall
# below 0.3, where three quarters of the picture lie?

# %%
trials = 8
evenly, by_log = rng.uniform(10**-3.5, 10**0.5, (searches, trials)), 10 ** rng.uniform(-3.5, 0.5, (searches, trials))
best_place = surface(np.stack([np.linspace(-3.5, 0.5, 400), np.full(400, -4.5)], 1)).min()
scale_regret = {}
for name, drawn in (("even", evenly), ("logarithmic", by_log)):
    found = surface(np.stack([np.log10(drawn), np.full(drawn.shape, -4.5)], -1)).min(1)
    scale_regret[name] = (found - best_place).mean()
    print(f"{name:11}: {np.mean(drawn < 0.3):.0%} below 0.3, regret after {trials} trials {scale_regret[name]:.3f}")
assert quick(scale_regret["logarithmic"] < 0.6 * scale_regret["even"], True)

# %% [markdown]
# ## How many trials?
#
# The notes sigh that nobody knows how many trainings it takes until the best learning rate is found. For random search
# something can be known. Call the best twentieth of the box "good", whatever lies there. A random trial misses it with a
# probability of 0.95; that all of $n$ miss it has the probability $0.95^n$. Which $n$ brings that below 0.05?
#
# $$ n = \frac{\ln 0.05}{\ln 0.95} = 58.4, \quad\text{so } 59 $$
#
# Neither the landscape nor the number of hyperparameters stands in the formula. What "good" is *worth* does depend on the
# box; we take the whole landscape, and a box of a quarter of its sides around the optimum.

# %%
trials = int(np.ceil(np.log(0.05) / np.log(0.95)))
optimum = np.array([log_rates[best[0]], log_penalties[best[1]]])
whole = np.array([[log_rates[0], log_penalties[0]], [log_rates[-1], log_penalties[-1]]])
extent = whole[1] - whole[0]
corners = {"whole": (whole[0], extent), "near": (np.clip(optimum - extent / 8, whole[0], whole[1] - extent / 4), extent / 4)}
reached, worth = {}, {}
for name, (corner, width) in corners.items():
    good = np.quantile(surface(corner + rng.random((20_000, 2)) * width), 0.05)
    found = surface(corner + rng.random((searches, trials, 2)) * width).min(1)
    reached[name], worth[name] = np.mean(found <= good), good - truth.min()
    print(f"{name:5}: {trials} trials are good in {reached[name]:.1%} of searches; good is a regret below {worth[name]:.3f}")
claim(
    "F number of trials",
    "One does not know how many trainings it takes to find the best learning rate.",
    "confirmed with limits",
    "The best, no. But 59 random trials contain one of the best twentieth of the space in 95 % of searches, whatever the "
    "landscape. What that is worth depends on the space: near the optimum more than twice as much as in the whole.",
    "0.92 < reached_whole < 0.98 and 0.92 < reached_near < 0.98 and worth_whole > 2 * worth_near",
    reached_whole=reached["whole"],
    reached_near=reached["near"],
    worth_whole=worth["whole"],
    worth_near=worth["near"],
)

# %% [markdown]
# ## From coarse to fine
#
# That is the reason for the notes' second advice: search a wide region at random, then shrink it around what was good and
# search again. For a fair comparison both get 24 trials: all at once in the whole picture, or 12 coarse and 12 within a
# quarter of each side around the best of them. Scores come from the validation set, the regret from the test set.


# %%
def search(surface, first, second, shrink=0.25, spread=0.0):
    """Places found: the best of ``first`` random trials and ``second`` more near it; ``spread`` is noise of the scores."""
    places = whole[0] + rng.random((searches, first, 2)) * extent
    scores = surface(places) + spread * rng.standard_normal(places.shape[:2])
    if second:
        middle = places[np.arange(searches), scores.argmin(1)]
        lowest = np.clip(middle - shrink * extent / 2, whole[0], whole[1] - shrink * extent)
        near = lowest[:, None] + rng.random((searches, second, 2)) * shrink * extent
        places = np.concatenate([places, near], 1)
        scores = np.concatenate([scores, surface(near) + spread * rng.standard_normal(near.shape[:2])], 1)
    return places, places[np.arange(searches), scores.argmin(1)]


coarse_regret = {}
for spread in (0.0, 0.05, 0.2):
    for name, split in (("at once", (24, 0)), ("coarse to fine", (12, 12))):
        _, chosen = search(surface_valid, *split, spread=spread)
        coarse_regret[name, spread] = (surface(chosen) - truth.min()).mean()
        print(f"noise of a score {spread:4}: {name:14} regret {coarse_regret[name, spread]:.3f}")

# %%
places, chosen = search(surface_valid, 12, 12)
fig, ax = plt.subplots(figsize=(6, 4.2))
ax.contourf(log_penalties, log_rates, truth, levels=np.linspace(0.7, 2.35, 23), cmap="viridis_r", extend="min")
ax.plot(places[0, :12, 1], places[0, :12, 0], "o", color="white", mec="black", label="coarse")
ax.plot(places[0, 12:, 1], places[0, 12:, 0], "o", color="tab:red", mec="black", label="fine")
ax.plot(chosen[0, 1], chosen[0, 0], "*", color="gold", mec="black", ms=15, label="chosen")
ax.set(xlabel="$\\log_{10} \\lambda$", ylabel="$\\log_{10} \\eta$")
ax.legend(loc="lower left")
plt.show()
claim(
    "F coarse to fine",
    "Search a wide range at random first, then shrink it around the good points and search again.",
    "confirmed",
    "With as many trials in all, the second half near the best of the first gets nearer to the optimum than 24 at once; with "
    "noisy scores the gain is a smaller share of the regret.",
    "coarse_to_fine < at_once and coarse_to_fine_noisy < at_once_noisy",
    at_once=coarse_regret["at once", 0.0],
    coarse_to_fine=coarse_regret["coarse to fine", 0.0],
    at_once_noisy=coarse_regret["at once", 0.2],
    coarse_to_fine_noisy=coarse_regret["coarse to fine", 0.2],
)

# %% [markdown]
# ## Optuna
#
# A search can do more than shrink a box: look at all earlier trials, and draw the next one where good ones have been dense and
# bad ones rare. That is *TPE*, Optuna's usual sampler (Bergstra et al. 2011). A study asks for hyperparameters with
# `trial.suggest_...` and returns a score. First on the landscape, where many studies are cheap.


# %%
def study_on_landscape(sampler, trials):
    """The least regret so far, after each trial."""

    def objective(trial):
        return float(surface([trial.suggest_float("log rate", -3.5, 0.5), trial.suggest_float("log penalty", -6.0, 0.5)])[0])

    study = optuna.create_study(sampler=sampler)
    study.optimize(objective, n_trials=trials)
    return np.minimum.accumulate([trial.value for trial in study.trials]) - truth.min()


trials, studies = quick(40, 6), quick(30, 2)
samplers = {"random": optuna.samplers.RandomSampler, "TPE": optuna.samplers.TPESampler}
progress = {
    name: np.array([study_on_landscape(make(seed=k), trials) for k in range(studies)]) for name, make in samplers.items()
}
fig, ax = plt.subplots()
steps = np.arange(1, trials + 1)
for (name, runs), color in zip(progress.items(), ("tab:gray", "tab:red"), strict=True):
    ax.semilogy(steps, np.median(runs, 0), color=color, lw=2, label=f"{name}: median of {studies} studies, and the middle half")
    ax.fill_between(steps, *np.quantile(runs, (0.25, 0.75), 0), color=color, alpha=0.25, lw=0)
ax.set(xlabel="trials", ylabel="regret")
ax.legend(frameon=False)
plt.show()
print("mean regret at the end:", {name: f"{runs[:, -1].mean():.4f}" for name, runs in progress.items()})
assert quick(progress["TPE"][:, -1].mean() < progress["random"][:, -1].mean(), True)

# %% [markdown]
# TPE's first ten trials are random ones (with the same seed the very same); then it leaves. It has to *wait* for scores,
# though: random trials can all run at once on as many machines as there are.
#
# ## Which ones matter?
#
# The notes rank: first the learning rate; second the optimizer's own numbers (Adam's $\beta_1, \beta_2, \varepsilon$), the
# units of a hidden layer and the batch size; third the number of layers and the decay of the learning rate. We let two
# estimators, a classifier of 300 digits and a regressor of 200 points of a known function (Friedman's), have all eight, each in
# a range that nobody would find absurd, and train many at random. `NeuralClassifier` and `NeuralRegressor` are
# scikit-learn estimators; what makes their optimizer and their schedule is given as a `partial`.

# %%
log_ranges = {
    "learning rate": (-4, -1), "1 - β₁": (-2, -0.3), "1 - β₂": (-4, -1), "ε": (-10, -4),
    "units": (0.9, 2.1), "batch size": (0.9, 2.1),
}  # fmt: skip


def estimator(trial, make, epochs=8):
    """What a trial asks for; all but layers and decay on a logarithmic scale."""
    rate, *betas, eps, units, batch = (10 ** trial.suggest_float(name, *ends) for name, ends in log_ranges.items())
    layers, decay = trial.suggest_int("layers", 1, 4), trial.suggest_float("decay", 0.7, 1.0)
    return make(
        hidden=(round(units),) * layers,
        optimizer=partial(optim.Adam, betas=tuple(1 - b for b in betas), eps=eps),
        callbacks=[Schedule(partial(optim.lr_scheduler.ExponentialLR, gamma=decay))],
        lr=rate,
        batch_size=round(batch),
        epochs=epochs,
        random_state=trial.number,
    )


def judged(make, x, y, count, trials):
    """A study of random trials, each trained on ``count`` examples; R² or accuracy on 600 others, at least 0."""
    x, rest, y, y_rest = train_test_split(x, y, train_size=count, random_state=0)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=0))
    study.optimize(lambda trial: max(0.0, estimator(trial, make).fit(x, y).score(rest[:600], y_rest[:600])), n_trials=trials)
    return study


points, values = (scale(v).astype(np.float32) for v in make_friedman1(1000, noise=1.0, random_state=0))
by_task = {
    "digits": judged(NeuralClassifier, pixels, labels, 300, quick(100, 8)),
    "Friedman": judged(NeuralRegressor, points, values, 200, quick(100, 8)),
}
names = [*log_ranges, "layers", "decay"]
table = {task: np.array([[t.params[n] for n in names] + [t.value] for t in study.trials]) for task, study in by_task.items()}
for task, rows in table.items():
    print(f"{task}: scores {rows[:, -1].min():.2f} to {rows[:, -1].max():.2f}, median {np.median(rows[:, -1]):.2f}")

# %%
fig, axes = plt.subplots(2, 4, figsize=(11, 4.6), sharey=True)
for ax, name, column in zip(axes.flat, names, table["digits"].T, strict=False):
    ax.scatter(column, 100 * table["digits"][:, -1], s=10, c=table["digits"][:, 0], cmap="viridis")
    ax.set(xlabel=name if name in ("layers", "decay") else f"$\\log_{{10}}$({name})")
for ax in axes[:, 0]:
    ax.set_ylabel("accuracy, %")
fig.tight_layout()
plt.show()

# %% [markdown]
# Each dot is a network; its colour is its learning rate, in every panel. In the first panel there is a shape. In most others
# the colours are mixed from left to right and sorted from bottom to top: what looks like noise there is the learning rate.
# *fANOVA* (Hutter et al.) makes numbers of it: a forest of trees learns the score from the hyperparameters, and one asks how
# much of the forest's variance over the whole space each of them explains alone. Optuna scales these shares to the sum 1: what
# only two do together is left out.

# %%
shares = {}
for task, study in by_task.items():
    runs = [
        optuna.importance.get_param_importances(
            study, evaluator=optuna.importance.FanovaImportanceEvaluator(n_trees=32, seed=seed)
        )
        for seed in range(quick(2, 1))
    ]
    shares[task] = {name: float(np.mean([run[name] for run in runs])) for name in names}
classes = (
    {"learning rate": 0}
    | dict.fromkeys(("1 - β₁", "1 - β₂", "ε", "units", "batch size"), 1)
    | dict.fromkeys(("layers", "decay"), 2)
)
mean = {name: np.mean([of[name] for of in shares.values()]) for name in names}
fig, axes = plt.subplots(1, 2, figsize=(10, 3), sharex=True)
for ax, (task, of) in zip(axes, shares.items(), strict=True):
    for name in sorted(names, key=of.get):
        ax.barh(name, of[name], color=("tab:red", "tab:orange", "tab:gray")[classes[name]])
    ax.set(title=task, xlabel="share of what single ones explain")
for color, label in (("tab:red", "first"), ("tab:orange", "second"), ("tab:gray", "third")):
    axes[1].barh(["learning rate"], [0], color=color, label=f"the notes: {label}")
axes[1].legend(frameon=False, loc="lower right")
fig.tight_layout()
plt.show()

# %% [markdown]
# Red is far ahead of all others, as the notes say. And their second and third class? If the order were right, no grey bar would
# stand above an orange one.

# %%
print({name: round(float(v), 3) for name, v in sorted(mean.items(), key=lambda item: -item[1])})
claim(
    "F importance",
    "In order of importance: first the learning rate; then Adam's numbers, the hidden units and the batch size; then the "
    "number of layers and the decay of the learning rate.",
    "confirmed with limits",
    "The learning rate is first by far. The second class lumps unlike things together: the hidden units matter several times "
    "as much as Adam's three numbers, which hardly matter, about as little as the third class.",
    "learning_rate > 2 * next and units > 3 * adam and adam < 0.05",
    learning_rate=mean["learning rate"],
    next=max(value for name, value in mean.items() if name != "learning rate"),
    units=mean["units"],
    adam=np.mean([mean[name] for name in ("1 - β₁", "1 - β₂", "ε")]),
    third=np.mean([mean[name] for name in ("layers", "decay")]),
)

# %% [markdown]
# An importance belongs to a *range* and to a *scale*, not to a hyperparameter as such. Here are the same trials of the digits
# again, without any new training. First only those whose learning rate lies within half a decade of the best ones'. Then
# all of them, but the forest is told the learning rate itself instead of its logarithm; so its averages run evenly from 0.0001
# to 0.1, nine tenths of the way above 0.01. What will become of its importance?


# %%
def importance_of(rows, ranges):
    """fANOVA's shares for rows of hyperparameters with the score at the end."""
    study = optuna.create_study(direction="maximize")
    distributions = {name: optuna.distributions.FloatDistribution(*ranges[name]) for name in names}
    for row in rows:
        params = dict(zip(names, row[:-1].tolist(), strict=True))
        study.add_trial(optuna.trial.create_trial(params=params, distributions=distributions, value=row[-1]))
    return optuna.importance.get_param_importances(
        study, evaluator=optuna.importance.FanovaImportanceEvaluator(n_trees=32, seed=0)
    )


ranges = {**log_ranges, "layers": (1, 4), "decay": (0.7, 1.0)}
rows = table["digits"]
centre = np.median(rows[np.argsort(rows[:, -1])[-10:], 0])
inside = rows[np.abs(rows[:, 0] - centre) < 0.5]
natural = np.column_stack([10 ** rows[:, 0], rows[:, 1:]])
views = {
    "logarithm, whole range": importance_of(rows, ranges),
    f"logarithm, near the best ({len(inside)} trials)": importance_of(
        inside, {**ranges, "learning rate": (centre - 0.5, centre + 0.5)}
    ),
    "the number itself, whole range": importance_of(natural, {**ranges, "learning rate": (1e-4, 0.1)}),
}
for view, of in views.items():
    ahead = ", ".join(f"{name} {share:.2f}" for name, share in list(of.items())[:2])
    print(f"{view:40}: learning rate {of['learning rate']:.2f}   (ahead: {ahead})")
whole_range, half_decade, number = (of["learning rate"] for of in views.values())
assert quick(half_decade < whole_range / 2 and number < whole_range / 2, True)

# %% [markdown]
# Who searches near the optimum finds other things important than who searches far and wide. And the third line is a trap: on
# the even scale almost all of the range is a region where the learning rate is good enough. Optuna's fANOVA averages on the
# even scale also if one asks with `suggest_float(..., log=True)`, which is why the exponents were asked for here.
#
# ## Stopping what is hopeless
#
# Many of those trainings could be seen to fail after two epochs. Optuna can *prune*: a trial reports its score after each
# epoch, and is given up where its best so far is worse than the median of the earlier trials at the same epoch. In our
# training loop that is a callback of four lines.

# %%
x, rest, y, y_rest = train_test_split(pixels, labels, train_size=300, random_state=0, stratify=labels)
held = DataLoader(TensorDataset(tn.tensor(rest[:600]), tn.tensor(y_rest[:600])), batch_size=600)


class Report(Callback):
    """Tells a trial how the run goes, and ends it where the study's pruner says so."""

    def __init__(self, trial):
        self.trial = trial

    def after_epoch(self, run):
        self.trial.report(run.history[-1]["accuracy"], run.epoch)
        if self.trial.should_prune():
            raise optuna.TrialPruned


def trained(trial):
    rate, units = trial.suggest_float("rate", 1e-4, 0.3, log=True), trial.suggest_int("units", 4, 64, log=True)
    tn.manual_seed(trial.number)
    net = MLP([64, units, 10])
    data = DataLoader(TensorDataset(tn.tensor(x), tn.tensor(y)), batch_size=32, shuffle=True)
    metrics = {"accuracy": lambda outputs, targets: (outputs.argmax(1) == targets).mean()}
    optimizer = optim.SGD(net.parameters(), lr=rate, momentum=0.9)
    run = Fit(net, F.cross_entropy, optimizer, data, validation=held, metrics=metrics, callbacks=[Report(trial)])
    return run.run(quick(12, 4))[-1]["accuracy"]


pruners = {"nothing pruned": optuna.pruners.NopPruner(), "below the median": optuna.pruners.MedianPruner(n_warmup_steps=2)}
by_pruner = {}
for name, pruner in pruners.items():
    by_pruner[name] = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=0), pruner=pruner)
    by_pruner[name].optimize(trained, n_trials=quick(25, 8))

fig, axes = plt.subplots(1, 2, figsize=(9, 3.2), sharey=True)
for ax, (name, study) in zip(axes, by_pruner.items(), strict=True):
    for trial in study.trials:
        done = trial.state == optuna.trial.TrialState.COMPLETE
        epochs, accuracies = np.array(list(trial.intermediate_values.items())).T
        color = "tab:blue" if done else "tab:red"
        ax.plot(epochs, 100 * accuracies, color=color, lw=0.8)
        ax.plot(epochs[-1], 100 * accuracies[-1], "." if done else "x", color=color)
    total = sum(trial.last_step for trial in study.trials)
    ax.set(title=f"{name}: {total} epochs, best {study.best_value:.1%}", xlabel="epoch")
axes[0].set_ylabel("validation accuracy, %")
fig.tight_layout()
plt.show()

# %% [markdown]
# The trials are the same on both sides, since the sampler has the same seed; those with a cross were given up. Is it safe? A
# run that starts slowly and ends well would be lost. We have all complete curves, so we can let the pruner judge them in
# other orders without training again.

# %%
curves = [list(trial.intermediate_values.values()) for trial in by_pruner["nothing pruned"].trials]
last = np.array([curve[-1] for curve in curves])


def judge(order, pruner):
    """Share of the epochs that are spent, and by how much the best that is left is worse than the best of all."""
    study = optuna.create_study(direction="maximize", pruner=pruner)
    spent, left = 0, []
    for k in order:
        trial = study.ask()
        for epoch, value in enumerate(curves[k], 1):
            trial.report(value, epoch)
            spent += 1
            if epoch < len(curves[k]) and trial.should_prune():
                study.tell(trial, state=optuna.trial.TrialState.PRUNED)
                break
        else:
            study.tell(trial, value)
            left.append(value)
    return spent / sum(map(len, curves)), last.max() - max(left)


rng = np.random.default_rng(0)
judges = {
    "median": pruners["below the median"],
    "successive halving": optuna.pruners.SuccessiveHalvingPruner(reduction_factor=3),
}
for name, pruner in judges.items():
    spent, lost = np.mean([judge(rng.permutation(len(curves)), pruner) for _ in range(quick(20, 2))], 0)
    print(f"{name:18}: {spent:.0%} of the epochs spent, {100 * lost:.2f} points of accuracy lost")
    assert quick(spent < 0.75 and lost < 0.02, True)

# %% [markdown]
# ## scikit-learn's searches, and the network after the search
#
# Few examples? Then each candidate is judged by cross-validation, as the notes describe it: divide the training part into $k$
# folds, train on all but one, judge on that one, choose the hyperparameters with the best mean, and train **once more with all
# folds**. `GridSearchCV` and `RandomizedSearchCV` do all of it, for whatever `fit`s and `predict`s: here a pipeline of a
# scaler and our classifier, so that the scaler, too, learns from the training folds only.

# %%
x, x_test, y, y_test = train_test_split(pixels, labels, train_size=150, random_state=1, stratify=labels)
pipeline = make_pipeline(StandardScaler(), NeuralClassifier(epochs=quick(10, 2), random_state=0))
grid = {"neuralclassifier__lr": 10.0 ** np.arange(-4, 0), "neuralclassifier__hidden": [(4,), (16,), (64,)]}
by_grid = GridSearchCV(pipeline, grid, cv=quick(5, 2)).fit(x, y)
space = {"neuralclassifier__lr": loguniform(1e-4, 1), "neuralclassifier__hidden": grid["neuralclassifier__hidden"]}
by_luck = RandomizedSearchCV(pipeline, space, n_iter=12, cv=quick(5, 2), random_state=0).fit(x, y)

fig, ax = plt.subplots(figsize=(6, 3.4))
for width, color in zip((4, 16, 64), ("tab:gray", "tab:orange", "tab:blue"), strict=True):
    for search, mark in ((by_grid, "o-"), (by_luck, "x")):
        found = search.cv_results_
        of_width = [p["neuralclassifier__hidden"] == (width,) for p in found["params"]]
        rate = np.array([p["neuralclassifier__lr"] for p in found["params"]])[of_width]
        middle, spread = (100 * found[column][of_width] for column in ("mean_test_score", "std_test_score"))
        label = f"{width} units" if search is by_grid else None
        ax.errorbar(rate, middle, spread, fmt=mark, color=color, label=label)
ax.set(xscale="log", xlabel="learning rate", ylabel="accuracy in 5 folds, %")
ax.legend(frameon=False)
plt.show()
for name, search in (("grid", by_grid), ("random", by_luck)):
    tested = search.score(x_test, y_test)
    print(
        f"{name:6}: best in cross-validation {search.best_score_:.3f}; then trained with everything: {tested:.3f} on the test set"
    )

# %% [markdown]
# Circles with lines are the grid, crosses the random search with as many trials; bars are the spread over folds. (Test
# scores and those of the folds differ by chance, a share of 150 images has a standard error of about three points; and the
# last network had a quarter more examples than those of the folds. What are they worth? The next cell will show it.)
#
# Is the last step of the recipe, to train once more with all folds, worth it? One could keep one of the five networks, or all
# of them, and average their probabilities.

# %%
best_pipeline = by_grid.best_estimator_
scores = []
for seed in range(quick(8, 1)):
    x, x_test, y, y_test = train_test_split(pixels, labels, train_size=150, random_state=seed, stratify=labels)
    folds = cross_validate(best_pipeline, x, y, cv=quick(5, 2), return_estimator=True)["estimator"]
    average = np.mean([member.predict_proba(x_test) for member in folds], 0).argmax(1)
    single = np.mean([member.score(x_test, y_test) for member in folds])
    scores.append([single, best_pipeline.fit(x, y).score(x_test, y_test), np.mean(average == y_test)])
scores = np.array(scores)
for name, column in zip(("one of five", "trained once more", "five averaged"), scores.T, strict=True):
    print(f"{name:17}: {100 * column.mean():.1f} % ± {100 * (column - scores[:, 0]).std() / np.sqrt(len(scores)):.1f}")
claim(
    "F refit",
    "With the best hyperparameters of k-fold, train once more on all folds: that is the final model.",
    "confirmed",
    "Trained once more it is better than the networks of the folds, which had four fifths of the examples. Averaging those "
    "five does about as well, but makes five networks of one.",
    "refit > single + 0.003",
    single=scores[:, 0].mean(),
    refit=scores[:, 1].mean(),
    averaged=scores[:, 2].mean(),
)

# %% [markdown]
# ## The best of many flatters
#
# A score is a measurement: truth plus luck. The best of many scores was chosen for *both*. To see the luck alone, take
# candidates with the very same hyperparameters, which differ only in their initial weights. `n` of them are judged on 100
# validation examples and the best is kept. Its score there, its score on 100 fresh test examples, its accuracy on all the
# others: what will the three do as $n$ grows?

# %%
training, valid, rest = cut(100)
candidates = quick(256, 12)
nets = train_side_by_side(
    *training, np.full(candidates, 0.1), np.full(candidates, 1e-3), quick(100, 5), starts=range(candidates)
)
others, their_labels = (np.concatenate(pair) for pair in zip(valid, rest, strict=True))
right = score(nets, others, their_labels)[1]


def best_of(right, n, count, draws, rng):
    """Mean over draws: of the best of n on ``count`` examples, its score there, on as many others, and on all."""
    found = np.empty((draws, 3))
    for row in found:
        members = rng.choice(len(right), n, replace=False)
        seen = rng.permutation(right.shape[1])
        score = right[np.ix_(members, seen[:count])].mean(1)
        chosen = members[rng.choice(np.flatnonzero(score == score.max()))]
        row[:] = score.max(), right[chosen, seen[count : 2 * count]].mean(), right[chosen, seen[count:]].mean()
    return found.mean(0)


rng = np.random.default_rng(0)
numbers = [1, 2, 4, 8, 32, 128] if candidates > 128 else [1, 2, 4]
curve = np.array([best_of(right, n, 100, quick(2000, 20), rng) for n in numbers])

truths = right.mean(1)
luck = [np.std(right[:, rng.permutation(right.shape[1])[:100]].mean(1) - truths) for _ in range(quick(200, 5))]
between, noise = truths.std(), np.mean(luck)
expected = norm.ppf((np.array(numbers) - 0.375) / (np.array(numbers) + 0.25))  # of the largest of n normal numbers (Blom)
optimism = {n: row[0] - row[2] for n, row in zip(numbers, curve, strict=True)}

fig, ax = plt.subplots()
lines = {"validation, by which it was chosen": "tab:red", "fresh test examples": "tab:blue", "truth": "black"}
for values, (name, color) in zip(curve.T, lines.items(), strict=True):
    ax.semilogx(numbers, 100 * values, "o-" if name != "truth" else "--", base=2, color=color, label=name)
formula = truths.mean() + np.hypot(between, noise) * expected
ax.plot(numbers, 100 * formula, ":", color="tab:red", label="formula for the red line")
ax.set(xlabel="candidates n, of which the best on validation is kept", ylabel="accuracy, %")
ax.legend(frameon=False)
plt.show()
print("optimism in points:", {n: round(100 * float(v), 1) for n, v in optimism.items()})
print(f"the candidates differ by {100 * between:.1f} points, their scores by luck of {100 * noise:.1f} points")
claim(
    "F final score",
    "What the validation set says is not the final result, it only serves to choose; the final result is that of the test set.",
    "confirmed",
    "The validation score of the best of 128 is several points too good, though nobody cheated; the test score of the same "
    "network is right.",
    "validation > 0.015 and abs(test) < 0.004",
    validation=optimism[numbers[-1]],
    test=curve[-1, 1] - curve[-1, 2],
)

# %% [markdown]
# The dotted line is what the largest of $n$ normal numbers is expected to be: 0.6 standard deviations above the mean for two,
# 2.6 for 128, and never more than $\sqrt{2 \ln n}$. The black line rises a little as well: the search does find better
# networks. Most of what it reports is luck, since the candidates differ from each other by less than their scores are
# uncertain.
#
# At the left end, for $n = 1$, the three agree. So the notes are right to say that one who tunes nothing needs no
# validation set, and may score the only candidate on the test set at once. But look how soon it is over:

# %%
claim(
    "F without validation",
    "If no hyperparameters have to be tuned, no validation set is needed: score with the test set directly.",
    "confirmed with limits",
    "A single network's test score is right on average. The first comparison of two by it makes it a validation set: from "
    "then on its better score is too good.",
    "abs(one) < 0.004 and two > 0.005 and many > 0.015",
    one=optimism[1],
    two=optimism[2],
    many=optimism[numbers[-1]],
)

# %% [markdown]
# ## How large must the validation set be?
#
# The notes: the fewer hyperparameters, or the easier to tune, the smaller the validation set may be. Each hyperparameter
# multiplies the candidates, so let us count these. Back to the landscape: $n$ of its networks at random, the best on $v$
# examples is kept. How much worse is it, in truth, than the best of these $n$?

# %%
right = score(landscape, *test)[1]
truths, rng = right.mean(1), np.random.default_rng(0)
counts, sizes = [2, 5, 20, 100][: quick(4, 2)], [10, 30, 100, 300]
draws = quick(1000, 20)
reached, lost = np.zeros((2, len(counts), len(sizes), draws))
for i, n in enumerate(counts):
    for k in range(draws):
        members, seen = rng.choice(len(right), n, replace=False), rng.permutation(right.shape[1])
        for j, v in enumerate(sizes):
            chosen = members[right[np.ix_(members, seen[:v])].mean(1).argmax()]
            reached[i, j, k], lost[i, j, k] = truths[chosen], truths[members].max() - truths[chosen]
reached, lost = reached.mean(-1), lost.mean(-1)

fig, ax = plt.subplots(figsize=(5.4, 3))
ax.imshow(100 * lost, cmap="Reds", vmin=0)
for (i, j), value in np.ndenumerate(100 * lost):
    color = "white" if value > 60 * lost.max() else "black"
    ax.text(j, i, f"{value:.1f}", ha="center", va="center", color=color)
ax.set_xticks(range(len(sizes)), sizes)
ax.set_yticks(range(len(counts)), counts)
ax.set(xlabel="validation examples", ylabel="candidates", title="points of accuracy lost by choosing")
plt.show()
print(f"chosen with {sizes[0]} examples, of {counts[0]}: accuracy {reached[0, 0]:.1%}; of {counts[-1]}: {reached[-1, 0]:.1%}")
assert quick(reached[-1, 0] > reached[0, 0], True)
claim(
    "F smaller validation",
    "The fewer hyperparameters there are, or the easier they are to tune, the smaller the validation set may be.",
    "confirmed",
    "Choosing among 100 with 10 examples loses several points, among 2 about one. With 300 examples even the best of 100 is "
    "found nearly.",
    "few_small < 0.5 * many_small and many_large < 0.5 * many_small",
    few_small=lost[0, 0],
    many_small=lost[-1, 0],
    many_large=lost[-1, -1],
)

# %% [markdown]
# ## An honest score of the search itself
#
# With few examples there is none to spare for a test set. Can cross-validation give an honest number after all? The best
# score of a search is chosen, so it flatters. *Nested* cross-validation judges the whole procedure, search included: in each
# outer fold the search runs on the rest, and what it chose is judged once. The hardest test for such a method: labels that are
# coin tosses. The truth is 50 %; whoever reports more, reports luck.

# %%
space = {"lr": loguniform(1e-3, 1), "hidden": [(2,), (8,), (32,)], "random_state": range(100)}
reported = []
for seed in range(quick(8, 1)):
    rng = np.random.default_rng(seed)
    images, coins = pixels[rng.choice(len(pixels), 40, replace=False)], rng.permutation([0, 1] * 20)
    search = RandomizedSearchCV(NeuralClassifier(epochs=quick(4, 1)), space, n_iter=quick(15, 2), cv=2, random_state=seed)
    nested = cross_val_score(search, images, coins, cv=2)
    reported.append([search.fit(images, coins).best_score_, nested.mean()])
best_score, nested = np.mean(reported, 0)
print(f"of coin tosses: best score of the search {best_score:.1%}, nested cross-validation {nested:.1%}")
assert quick(best_score > 0.52 and best_score > nested, True)

fig, ax = plt.subplots(figsize=(6, 2))
ax.plot(100 * np.array(reported), [[1, 0]] * len(reported), "o", color="tab:blue", alpha=0.5)
ax.plot([100 * best_score, 100 * nested], [1, 0], "|", color="black", ms=24)
ax.axvline(50, color="tab:gray", lw=1, ls="--")
ax.set_yticks([1, 0], ["best score", "nested"])
ax.set(xlabel="accuracy reported for coin tosses, %", ylim=(-0.6, 1.6))
plt.show()

# %% [markdown]
# Each dot is a set of forty images; this time even the seed of the initial weights was "tuned". The nested score pays with
# fewer examples and a multiple of the trainings, and it judges a *procedure*, not one network: its outer folds may each have
# chosen other hyperparameters.
#
# The same trap without any network, and much deeper: choose the 20 of 5,000 columns of pure noise that go best with tossed
# labels, and cross-validate *afterwards*. Whatever has looked at labels belongs inside the folds, which is what pipelines
# are for.

# %%
outside, inside = [], []
for seed in range(quick(10, 2)):
    rng = np.random.default_rng(seed)
    columns, coins = rng.standard_normal((60, 5000)), np.array([0, 1] * 30)
    select, model = SelectKBest(k=20), LogisticRegression()
    outside.append(cross_val_score(model, select.fit_transform(columns, coins), coins, cv=5).mean())
    inside.append(cross_val_score(make_pipeline(select, model), columns, coins, cv=5).mean())
print(f"columns chosen before cross-validation: {np.mean(outside):.0%}; inside of it: {np.mean(inside):.0%}")
assert np.mean(outside) > 0.8 > 0.65 > np.mean(inside)

# %% [markdown]
# ## What was seen
#
# - A grid repeats its values, chance leaves gaps. With hyperparameters of which few matter, chance wins; with one, or with two
#   that both matter, the grid. Sobol's points are never far from the better of the two.
# - Learning rates belong on a logarithmic scale. 59 random trials contain one of the best twentieth of the space in 95 % of
#   searches; to make that twentieth worth more, shrink the space: coarse to fine, or TPE, which does it by itself.
# - Over wide ranges the learning rate decides nearly everything. Near the optimum it does not. Adam's other numbers hardly
#   matter; whoever reports an importance must say over which range and on which scale.
# - Pruning by the median saves about half of the epochs and loses next to nothing.
# - The best of many scores is too good, here by up to five points of a hundred. The test set is right, once; nested
#   cross-validation is right without one; and nothing that has seen labels may stand outside the folds.
#
# ## Things to try
#
# 1. Replace SGD by Adam with a rate of 0.01 in `train_side_by_side`. Scaling the loss no longer scales the step (Adam divides
#    it out), so all learning rates become equal. What does the landscape look like? (Only the lines of the penalty remain.)
# 2. Train the landscape for 30 and for 400 steps. Where does the good strip move? (Up for fewer steps, down for more, by
#    about the same factor: what counts at small rates is the product of both.)
# 3. Give `search` the splits (4, 20) and (20, 4), and `shrink=0.5`. When does coarse to fine fail? (With four coarse trials and
#    a small box it is worse than all at once: where none of the four sees the good region, the other twenty are wasted.)
# 4. `optuna.samplers.QMCSampler`, `CmaEsSampler` (needs the package cmaes) or `GPSampler` (needs torch) in place of TPE.
# 5. Prune with `n_warmup_steps=0`, or report the *negative loss* instead of the accuracy. Which good trials are lost?
# 6. Ask for the learning rate with `suggest_float("learning rate", 1e-4, 0.1, log=True)` and look at the importances.
#    Then use `PedAnovaImportanceEvaluator`, which asks what distinguishes the best trials from all.
# 7. In "the best of many", judge by 400 examples instead of 100. (The optimism of the best of 128 falls to about half: luck is
#    now as small as the difference between the candidates.)
# 8. `HalvingGridSearchCV` of scikit-learn (experimental) spends few examples on many candidates first. Is it as good as the
#    grid here, and how many trainings does it save?
# 9. Let the search of coin tosses try 2 and 60 candidates. How does the best score grow, and the nested one? (Only the first
#    does.)
#
# ## Where to look
#
# - Functions: [`NeuralClassifier`, `NeuralRegressor`](../tinygrad_notes/train/estimators.py),
#   [`Fit`, `Callback`](../tinygrad_notes/train/fit.py), [`Schedule`](../tinygrad_notes/train/callbacks.py),
#   [`Stacked`](../tinygrad_notes/models/stacked.py).
# - Tests: [estimators in scikit-learn's and Optuna's searches](../tests/test_estimators.py),
#   [callbacks and runs](../tests/test_fit.py), [networks side by side](../tests/test_models.py).
# - J. Bergstra, Y. Bengio, *Random search for hyper-parameter optimization*, Journal of Machine Learning Research 13, 2012.
#   [paper](https://jmlr.org/papers/v13/bergstra12a.html)
# - J. Bergstra, R. Bardenet, Y. Bengio, B. Kégl, *Algorithms for hyper-parameter optimization*, NIPS 2011: TPE.
# - T. Akiba et al., *Optuna: a next-generation hyperparameter optimization framework*, KDD 2019.
#   [arXiv](https://arxiv.org/abs/1907.10902)
# - F. Hutter, H. Hoos, K. Leyton-Brown, *An efficient approach for assessing hyperparameter importance*, ICML 2014: fANOVA.
#   [paper](https://proceedings.mlr.press/v32/hutter14.html)
# - L. Li et al., *Hyperband: a novel bandit-based approach to hyperparameter optimization*, 2016: successive halving.
#   [arXiv](https://arxiv.org/abs/1603.06560)
# - G. Cawley, N. Talbot, *On over-fitting in model selection and subsequent selection bias in performance evaluation*,
#   Journal of Machine Learning Research 11, 2010. [paper](https://jmlr.org/papers/v11/cawley10a.html)
# - scikit-learn's guide to [searches](https://scikit-learn.org/stable/modules/grid_search.html); the notebook of
#   [splits, bias and variance](11_splits_bias_variance.ipynb).
