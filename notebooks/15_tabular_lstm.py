# The source of 15_tabular_lstm.ipynb: `python notebooks/build.py 15_tabular_lstm` executes it and writes the notebook.

# %% [markdown]
# # 15 · A rare class in a table
#
# Lecture notes have a favourite example: find the few fraudulent rows in a table of card payments, with an LSTM that reads the
# 29 features of a row one after the other, as if they were 29 steps of time. We do exactly that, on a generated table, and then
# look at it from all sides. You will see a network that is right in 95 % of all cases and has learned nothing; what F1 is and
# is not; curves that show a classifier at all thresholds at once; a loop over batches that reads 125 of 3,200 rows; and the
# same network find much or little when nothing but the *order of the columns* changes. In the end a logistic regression
# is put beside it.
#
# 笔记里有一个经典例子：在表格里找出极少数的异常行（如信用卡欺诈），做法是把每行的 29 个特征当成 29 个时间步送进 LSTM。
# 本节照做一遍（200 个单元、批大小 35、8 个 epoch、不打乱的划分），再从各个角度检查它：为什么 95% 的准确率可能什么都没学到；
# F1 是精确率与召回率的调和平均而不是加权平均；ROC 曲线和 PR 曲线怎么看；笔记的批循环其实只用到了很少的行；
# 仅仅改变特征的顺序，同一个网络的成绩就大不相同。最后与逻辑回归和多层感知机做一次诚实的比较。

# %%
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
from setting import claim, quick
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    confusion_matrix,
    f1_score,
    precision_recall_curve,
    precision_score,
    recall_score,
    roc_auc_score,
    roc_curve,
)
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import tinygrad_notes as tn
from tinygrad_notes import nn
from tinygrad_notes.models.networks import MLP
from tinygrad_notes.nn import functional as F
from tinygrad_notes.train import Callback, Fit, tabular
from tinygrad_notes.train.estimators import NeuralClassifier
from tinygrad_notes.train.gradients import gradient_through_time

# %% [markdown]
# ## The table
#
# 4,000 rows, 29 features, one row in twenty positive, made by scikit-learn. The last fifth of the rows is held out,
# *unshuffled*, as the notes do it; the features are standardised by what the training rows show. Below are 30 negative and 30
# positive rows, a colour per number. Which columns would you look at?

# %%
config = tabular.Config(examples=quick(4000, 400), epochs=quick(8, 1), hidden=quick(200, 16))
x, y = tabular.generated(config)
cut = round(len(x) * (1 - config.held_out))
x_train, x_held, y_train, y_held = train_test_split(x, y, test_size=config.held_out, shuffle=False)
assert (x_train == x[:cut]).all()
print(
    f"{len(x_train):,} rows to learn from, {y_train.sum()} of them positive; {len(x_held):,} held out, {y_held.sum()} positive"
)

scaler = StandardScaler().fit(x_train)
sheet = scaler.transform(np.concatenate([x_train[y_train == c][:30] for c in (0, 1)]))
fig, ax = plt.subplots(figsize=(7, 4))
image = ax.imshow(sheet, aspect="auto", cmap="RdBu_r", vmin=-4, vmax=4, interpolation="nearest")
ax.axhline((y_train[y_train == 0][:30]).size - 0.5, color="black", lw=1.5)
ax.set_yticks([15, 45], ["negative", "positive"], rotation=90, va="center")
ax.set(xlabel="feature", xticks=range(0, 29, 4))
ax.tick_params(axis="y", length=0)
fig.colorbar(image, ax=ax, label="standardised value")
plt.show()

# %% [markdown]
# Six columns differ at a glance, so this table is *easy*. Remember that until the end.
#
# ## The network
#
# [`TabularLSTM`](../tinygrad_notes/models/tabular_lstm.py): an LSTM that gets one number per step, and a linear layer on its
# last output. That gives a **logit** $z$, one number per row, positive if the row looks positive. The notes call it "the
# logarithm of the odds":
#
# $$ p = \sigma(z) = \frac{1}{1 + e^{-z}} \quad\Longleftrightarrow\quad z = \log\frac{p}{1 - p} $$
#
# and the loss is the cross-entropy of $p$, computed from $z$ in a way that cannot overflow. In the picture, 29 steps are one
# frame.

# %%
run, held = tabular.make_run(config, x, y)
tn.viz.draw(run.model, inputs=held.tensors[0][:8], depth=3)

# %%
z = tn.linspace(-12, 12, 49, dtype=tn.float64)
p = z.sigmoid()
target = tn.tensor([1.0, 0.0], dtype=tn.float64)
far = F.binary_cross_entropy_with_logits(tn.tensor([-800.0, 800.0], dtype=tn.float64), target).item()
two_classes = F.cross_entropy(tn.stack([tn.zeros_like(z), z], -1), tn.ones(49, dtype=tn.int64))
np.testing.assert_allclose(two_classes.item(), F.binary_cross_entropy_with_logits(z, tn.ones_like(z)).item())
claim(
    "H2 logit",
    "The network returns a logit, the logarithm of the odds; sigmoid turns it into a probability, and rounding that into a "
    "class.",
    "confirmed",
    "log(p / (1 - p)) gives the logit back, and the rounded probability is 1 exactly where the logit is positive. The loss is "
    "computed from the logit, so that it is finite even where p is 0 or 1.",
    "difference < 1e-6 and disagreements == 0 and 799 < loss_at_800 < 801",
    difference=np.abs(np.log(p.numpy() / (1 - p.numpy())) - z.numpy()).max(),
    disagreements=(p.round().numpy() != (z > 0).numpy()).sum(),
    loss_at_800=far,
)

# %% [markdown]
# One warning of the notes is worth a number: the shapes of logits and labels have to be equal. With logits $(N, 1)$ and labels
# $(N,)$ numpy's rules would compare *every* logit with *every* label, $N^2$ pairs, and train quietly towards the mean. Here
# that raises:

# %%
logits, labels = tn.tensor(4 * y_held[:, None] - 2, dtype=tn.float32), tn.tensor(y_held, dtype=tn.float32)
try:
    F.binary_cross_entropy_with_logits(logits, labels)
except tn.errors.ShapeError as error:
    print(error)


def by_rows(logits):
    return F.binary_cross_entropy_with_logits(logits.squeeze(-1), labels).item()


def by_pairs(logits):
    """What broadcasting would compute."""
    return F.binary_cross_entropy_with_logits(logits.expand(-1, len(labels)), labels.expand(len(labels), -1)).item()


share = y_held.mean()
same_for_all = tn.full((len(labels), 1), float(np.log(share / (1 - share))))  # a network that has learned nothing but the share
claim(
    "H2 shapes",
    "The shape of the labels and the shape of the logits should be equal.",
    "confirmed",
    "Row by row, logits that are all on the right side have a smaller loss than one and the same logit for every row. Over all "
    "pairs, as broadcasting would compute it, it is the other way round: training would unlearn what it knows, and no sign "
    "tells. This library raises.",
    "rows_right < rows_same and pairs_right > pairs_same",
    rows_right=by_rows(logits),
    rows_same=by_rows(same_for_all),
    pairs_right=by_pairs(logits),
    pairs_same=by_pairs(same_for_all),
)

# %% [markdown]
# ## Eight epochs
#
# 200 units, batches of 35, Adam, eight epochs: the notes' run as it is (`tinygrad-notes tabular` does the same and keeps
# checkpoints, pictures and a table; `--csv creditcard.csv --target Class --drop Time` takes the public table, if you have it).
# After each epoch, on the held-out rows:


# %%
class KeepScores(Callback):
    """The held-out logits after every epoch."""

    def __init__(self):
        self.scores = []

    def after_epoch(self, run):
        self.scores.append(logits_of(run, held))


def logits_of(run, held):
    run.model.eval()
    with tn.no_grad():
        return run.model(held.tensors[0]).numpy()


kept = KeepScores()
run.callbacks.append(kept)
run.run(config.epochs)
names = ["F1 macro", "accuracy", "recall", "precision"]
print("epoch   loss  " + "  ".join(names))
for row in run.history:
    print(f"{row['epoch']:5} {row['loss']:6.3f}  " + "  ".join(f"{row[name]:{len(name)}.3f}" for name in names))

# %%
fig, ax = plt.subplots()
for name in names:
    ax.plot([row["epoch"] for row in run.history], [row[name] for row in run.history], "o-", label=name)
ax.axhline(1 - y_held.mean(), color="gray", ls="--", lw=1, label="accuracy of always no")
ax.set(xlabel="epoch", ylabel="on the held-out rows", ylim=(-0.03, 1.05))
ax.legend(frameon=False, loc="lower right")
plt.show()

# %% [markdown]
# Look at the first point of the orange line: 95 % right after one epoch, a proud number. The green one says what was learned:
# of the positive rows hardly one was found, or none. The network says no to everything, and is right 95 times in 100, because
# 95 in 100 are negative. Accuracy adds two unequal heaps; the larger one covers the smaller.
#
# ## Four numbers, two ratios, one mean
#
# All of these come from four counts. With TP, FP, FN, TN for true and false, positive and negative:
#
# $$ \text{precision } P = \frac{TP}{TP + FP} \text{ (of the alarms, how many are real)}, \qquad
#    \text{recall } R = \frac{TP}{TP + FN} \text{ (of the real ones, how many were found)} $$

# %%
scores = kept.scores[-1]
says = (scores > 0).astype(int)
(tn_count, fp), (fn, tp) = confusion_matrix(y_held, says)
print(f"true negatives {tn_count}, false positives {fp}, false negatives {fn}, true positives {tp}")
claim(
    "H2 recall precision",
    "Recall is the share of all positives that were predicted rightly, precision the share of predicted positives that are "
    "right.",
    "confirmed",
    "Counted from the confusion matrix, both are scikit-learn's numbers.",
    "abs(recall - counted_recall) < 0.002 and abs(precision - counted_precision) < 0.002",
    recall=recall_score(y_held, says),
    counted_recall=tp / max(tp + fn, 1),
    precision=precision_score(y_held, says, zero_division=0),
    counted_precision=tp / max(tp + fp, 1),
)

# %% [markdown]
# And F1? The notes say "the weighted average of precision and recall". It is their **harmonic mean**:
#
# $$ F_1 = \frac{2}{\tfrac1P + \tfrac1R} = \frac{2PR}{P + R} $$
#
# Is that hair-splitting? Take the opposite of the lazy network: one that cries alarm at *every* row. Its recall is 1, its
# precision 0.05. Any average with fixed weights gives it a good mark for the 1. The harmonic mean stays with the smaller of the
# two.

# %%
alarm = np.ones_like(y_held)
P, R = precision_score(y_held, alarm), recall_score(y_held, alarm)
np.testing.assert_allclose(f1_score(y_held, alarm), 2 * P * R / (P + R))
weight = R / (P + R)  # of precision, so that the average is F1
np.testing.assert_allclose(weight * P + (1 - weight) * R, f1_score(y_held, alarm))

grid = np.linspace(0.005, 1, 200)
both = np.meshgrid(grid, grid)
means = {"average": (both[0] + both[1]) / 2, "harmonic mean, F1": 2 * both[0] * both[1] / (both[0] + both[1])}
fig, axes = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
for ax, (title, surface) in zip(axes, means.items(), strict=True):
    image = ax.contourf(grid, grid, surface, levels=np.linspace(0, 1, 11), cmap="viridis")
    ax.plot(R, P, "o", color="red", clip_on=False)
    ax.annotate("alarm at every row", (R, P), (-105, 8), textcoords="offset points", color="white")
    ax.set(xlabel="recall", ylabel="precision", title=title, aspect="equal")
fig.colorbar(image, ax=axes)
plt.show()
claim(
    "I2 f1",
    "The F1 score is the weighted average of precision and recall.",
    "refuted",
    "It is the harmonic mean. For an alarm at every row the average of precision and recall is above one half, F1 below one "
    "tenth. Weights that make a weighted average of it (0.95 on precision) would say 0.96 if the two numbers changed places; "
    "F1 would stay.",
    "average > 0.5 and f1 < 0.15 and abs(f1 - harmonic) < 0.001 and exchanged_with_the_weights > 0.9",
    precision=P,
    recall=R,
    average=(P + R) / 2,
    harmonic=2 * P * R / (P + R),
    f1=f1_score(y_held, alarm),
    exchanged_with_the_weights=weight * R + (1 - weight) * P,
)

# %% [markdown]
# A second trap in the same line of the notes: `f1_score(..., average='macro')` takes the F1 of *both* classes and averages
# these two, while the recall and the precision printed beside it are those of the positive class alone. The lazy network gets
# $(0.975 + 0) / 2 = 0.488$, which looks like half a success. So: macro F1 is not a mean of the two numbers below it.

# %%
lazy = np.zeros_like(y_held)
for name, guess in (("always no", lazy), ("always yes", alarm), ("the LSTM", says)):
    no, yes = f1_score(y_held, guess, average=None, zero_division=0)
    print(
        f"{name:10}  accuracy {accuracy_score(y_held, guess):.3f}   F1 of no {no:.3f}, of yes {yes:.3f}, macro {(no + yes) / 2:.3f}"
    )

# %% [markdown]
# ## All thresholds at once
#
# Why say yes at $z > 0$? Nothing forces that. A lower threshold finds more and cries wolf more often. On the left the held-out
# scores; in the middle what every threshold gives; on the right the same without thresholds, precision against recall.

# %%
positive, negative = scores[y_held == 1], scores[y_held == 0]
precision, recall, thresholds = precision_recall_curve(y_held, scores)
f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-9)
accuracy = [((scores >= t) == y_held).mean() for t in thresholds]

fig, (left, middle, right) = plt.subplots(1, 3, figsize=(11, 3.4), layout="constrained")
bins = np.linspace(scores.min(), scores.max(), 40)
left.hist(negative, bins, color="tab:blue", alpha=0.7, label="negative")
left.hist(positive, bins, color="tab:red", alpha=0.8, label="positive")
left.set(yscale="log", xlabel="logit", ylabel="rows")
left.legend(frameon=False, fontsize=8)
for values, name, color in (
    (accuracy, "accuracy", "tab:orange"),
    (precision[:-1], "precision", "tab:red"),
    (recall[:-1], "recall", "tab:green"),
    (f1[:-1], "F1", "black"),
):
    middle.plot(thresholds, values, color=color, label=name)
middle.axvline(0, color="gray", lw=0.8, ls="--")
middle.set(xlabel="threshold", ylim=(0, 1.03))
middle.legend(frameon=False, fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
right.plot(recall, precision, color="tab:purple")
right.plot(
    recall_score(y_held, says), precision_score(y_held, says, zero_division=0), "o", color="tab:purple", label="at z = 0"
)
right.axhline(y_held.mean(), color="gray", ls="--", lw=1)
right.text(0, y_held.mean() + 0.02, "guessing", color="gray", fontsize=8)
right.set(xlabel="recall", ylabel="precision", ylim=(0, 1.03))
right.legend(frameon=False, fontsize=8, loc="lower left", bbox_to_anchor=(0, 0.1))
plt.show()

# %% [markdown]
# From the best threshold to the laziest (far right, "always no") accuracy loses four hundredths, F1 everything. In practice the
# threshold follows from prices: if a missed fraud costs as much as fifty checks, lower it until one more true alarm costs fifty
# false ones.
#
# ### ROC, and why it flatters
#
# The ROC curve plots recall against the share of *negatives* that raise an alarm. With 760 negatives, eight false alarms are
# one per cent there, and yet they halve the precision when there are eight true ones. Here is the same network after two epochs
# and after eight, on both curves. Guess the areas of the young one before you read them.

# %%
young = kept.scores[min(1, config.epochs - 1)]
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
for values, color, age in ((young, "tab:orange", "2 epochs"), (scores, "tab:purple", f"{config.epochs} epochs")):
    false_alarms, found, _ = roc_curve(y_held, values)
    left.plot(false_alarms, found, color=color, label=f"{age}, area {roc_auc_score(y_held, values):.3f}")
    P, R, _ = precision_recall_curve(y_held, values)
    right.plot(R, P, color=color, label=f"{age}, area {average_precision_score(y_held, values):.3f}")
left.plot([0, 1], [0, 1], color="gray", ls="--", lw=1)
left.set(xlabel="share of negatives that raise an alarm", ylabel="recall", title="ROC")
right.axhline(y_held.mean(), color="gray", ls="--", lw=1)
right.set(xlabel="recall", ylabel="precision", title="precision and recall", ylim=(0, 1.03))
for ax in (left, right):
    ax.legend(frameon=False, fontsize=9, loc="lower right" if ax is left else "center left")
plt.show()

# %% [markdown]
# ## A loop that reads 125 rows
#
# The notes walk through the batches like this (names changed): `for i in range(rows // batch)`, take rows `i` to `i + batch`,
# learn, and at the end of the body `i += batch`. Which rows does that read? In Python the `for` statement gives `i` its next
# value whatever the body did to it. So the batches start at 0, 1, 2, 3, …, each shares 34 rows with the one before, and the
# last begins at row 90.

# %%
seen = np.zeros(len(x_train), int)
i, starts = 0, []
for i in range(len(x_train) // 35):
    starts.append(i)
    seen[i : i + 35] += 1
    i += 35  # has no effect: this is the point
print(
    "the first batches start at rows",
    starts[:6],
    f"; {(seen > 0).sum()} of {len(seen)} rows are read, {y_train[seen > 0].sum()} of them positive",
)

# %% [markdown]
# A handful of positive rows to learn from, instead of 161. How bad is that? It has nothing to do with LSTMs, so a quick
# network may answer: a multilayer perceptron gets the notes' batches, and as many that do not overlap. Everything else is
# equal. Which rows come first is chance; so each of five runs shuffles the rows before both loops.

# %%
X, X_held = (tn.tensor(scaler.transform(part), dtype=tn.float32) for part in (x_train, x_held))
Y, Y_held = (tn.tensor(part, dtype=tn.float32) for part in (y_train, y_held))


def f1_after(starts, seed):
    """F1 of the rare class after eight epochs over the batches that begin at these places."""
    tn.manual_seed(seed)
    rows = np.random.default_rng(seed).permutation(len(X))
    model = nn.Sequential(MLP([29, 32, 1]), nn.Flatten(0))
    batches = [(X[rows[i : i + 35]], Y[rows[i : i + 35]]) for i in starts]
    Fit(model, F.binary_cross_entropy_with_logits, tn.optim.Adam(model.parameters()), batches).run(quick(8, 1))
    with tn.no_grad():
        return f1_score(y_held, model(X_held).numpy() > 0, zero_division=0)


seeds = range(quick(5, 1))
as_written = np.mean([f1_after(starts, seed) for seed in seeds])
mended = np.mean([f1_after([35 * start for start in starts], seed) for seed in seeds])
claim(
    "H2 batches",
    "for i in range(int(len(X_train) / batch_size)): rows i to i + batch_size are a batch, then i += batch_size.",
    "refuted",
    "The for statement overwrites i: the batches begin one row apart, and a few per cent of the rows are read, again and "
    "again. Batches that begin at i * batch_size, as many and as large, find more of the rare class, even on this easy table.",
    "share_of_rows < 0.1 and f1_as_written < f1_mended",
    share_of_rows=(seen > 0).mean(),
    f1_as_written=as_written,
    f1_mended=mended,
)

# %% [markdown]
# Such a loop raises no error, its loss falls (on rows that it has seen a hundred times), and its accuracy is as proud as ever.
# `DataLoader` takes care of it, and shuffles the training rows besides.
#
# ## What is the order of the columns?
#
# A sequence has an order. A row of a table has none: somebody wrote the columns down like that. To a logistic regression or a
# multilayer perceptron it makes no difference in which order they come (the weights are permuted with them). To an LSTM it is
# *time*. So ask first how far the gradient of the loss gets, from the last feature back to the first, before training and
# after:

# %%
inputs, labels = held.tensors
tn.manual_seed(0)
fresh = type(run.model)(config.hidden)
reach = {}
for age, model in (("before training", fresh), ("after training", run.model)):
    loss = F.binary_cross_entropy_with_logits(model(inputs[:256]), labels[:256])
    (reach[age],) = gradient_through_time(loss).values()

assert quick(reach["before training"][0] < 1e-4 * reach["before training"][-1], True)
tells = np.abs([np.corrcoef(column, y_train)[0, 1] for column in x_train.T])
fig, (top, bottom) = plt.subplots(2, 1, figsize=(7, 4.4), sharex=True, layout="constrained")
for (age, norms), color in zip(reach.items(), ("tab:gray", "tab:purple"), strict=True):
    top.semilogy(norms / norms[-1], "o-", color=color, markersize=4, label=age)
top.set(ylabel="gradient's norm,\nas a share of the last")
top.legend(frameon=False)
bottom.bar(range(29), tells, color="tab:green")
bottom.set(xlabel="feature, as a step of time", ylabel="|correlation|\nwith the label", xticks=range(0, 29, 4))
plt.show()

# %% [markdown]
# Before training, what the first features do to the loss is many thousand times fainter than what the last ones do. The
# columns that tell something stand where chance has put them, and two of them, 23 and 27, are near the end: from there a
# gradient comes back. Training began with these, opened the gates, and then reached the others (the purple line is flat). What
# if there had been no such columns? Move them. Same rows, same numbers, same network; only the order of the columns changes:
# those that tell most at the end, or at the beginning, or anywhere. Smaller tables, three of them, so that there can be many
# runs: 1,200 rows to learn from, one in five positive, 24 units. What do you expect for "most telling first"?

# %%
small = tabular.Config(examples=quick(1500, 300), positives=0.2, hidden=24, lr=1e-2, epochs=quick(4, 1))
rows = round(small.examples * (1 - small.held_out))


def orders_of(x, y, seed):
    telling = np.argsort([abs(np.corrcoef(column, y[:rows])[0, 1]) for column in x[:rows].T])
    return {
        "most telling last": telling,
        "as given": np.arange(29),
        "shuffled": np.random.default_rng(seed).permutation(29),
        "most telling first": telling[::-1],
    }


def f1_in_order(order, x, y, seed):
    small_run, _ = tabular.make_run(replace(small, seed=seed), x[:, order], y)
    small_run.run(small.epochs)
    return small_run.history[-1]["F1 macro"]


def logistic_in_order(order, x, y):
    scaled = StandardScaler().fit(x[:rows]).transform(x)[:, order]
    return f1_score(y[rows:], LogisticRegression().fit(scaled[:rows], y[:rows]).predict(scaled[rows:]), average="macro")


by_order, logistic = {}, {}
for seed in range(quick(3, 1)):
    x_small, y_small = tabular.generated(replace(small, seed=seed))
    for name, order in orders_of(x_small, y_small, seed).items():
        by_order.setdefault(name, []).append(f1_in_order(order, x_small, y_small, seed))
        logistic.setdefault(name, []).append(logistic_in_order(order, x_small, y_small))

# %%
fig, ax = plt.subplots(figsize=(8, 3))
for row, (name, values) in enumerate(by_order.items()):
    said = {} if row else {"label": "LSTM, one dot per table"}, {} if row else {"label": "logistic regression"}
    ax.plot(values, [row] * len(values), "o", color="tab:purple", alpha=0.8, **said[0])
    ax.plot(logistic[name], [row] * len(values), "|", color="black", markersize=18, **said[1])
never = f1_score(y_small[rows:], np.zeros(len(y_small) - rows), average="macro")
ax.axvline(never, color="gray", ls="--", lw=1)
ax.text(never + 0.01, -0.4, "always no", color="gray", va="center", fontsize=8)
ax.set_yticks(range(len(by_order)), by_order)
ax.set(xlabel="F1 macro", xlim=(0.4, 1.03))
ax.invert_yaxis()
ax.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
plt.show()
claim(
    "H2 sequence",
    "The features of a row can be given to an LSTM as a sequence, one feature per step.",
    "confirmed with limits",
    "It runs, and it can learn. But the order of the columns, which means nothing, decides how well: with the telling columns "
    "last the network does far better than with the same columns first. A logistic regression does not notice the order.",
    "telling_last > telling_first + 0.2 and abs(logistic_last - logistic_first) < 0.01",
    telling_last=np.mean(by_order["most telling last"]),
    telling_first=np.mean(by_order["most telling first"]),
    logistic_last=np.mean(logistic["most telling last"]),
    logistic_first=np.mean(logistic["most telling first"]),
)

# %% [markdown]
# ## To shuffle or not to shuffle the split?
#
# The notes split with `shuffle=False`, "because shuffling would disturb the order of events; so for an LSTM usually not". Two
# orders are mixed up there. *This* LSTM's time runs along the columns; the rows are independent and may come in any order. But
# rows that come in order of **time** are another matter, for every model, LSTM or not: the task is to judge tomorrow by
# yesterday. Below, a logistic regression on a table, with twenty shuffled splits and the unshuffled one; and on the same table
# with columns that drift slowly. All this ten times, for other tables and other drifts.


# %%
def auc_of_split(x, y, **how):
    a, b, c, d = train_test_split(x, y, test_size=0.2, **how)
    return roc_auc_score(d, make_pipeline(StandardScaler(), LogisticRegression()).fit(a, c).decision_function(b))


def hard(seed, rows=4000, positives=0.05):
    """A table in which each class consists of two clusters: no single direction tells them apart."""
    return make_classification(
        rows,
        29,
        n_informative=14,
        n_redundant=4,
        n_clusters_per_class=2,
        weights=[1 - positives],
        flip_y=0.001,
        class_sep=1.5,
        random_state=seed,
    )


splits = {"rows alike": [], "drifting": []}  # a row per table: mean and spread over shuffled splits, and the unshuffled one
for table in range(quick(10, 2)):
    alike, classes = hard(table)
    speed = np.random.default_rng(table).random(29)
    time = np.linspace(0, 1, len(alike))[:, None]
    drifting = alike * np.cos(np.pi * time * speed)  # what a column says about the label fades, and turns
    for name, columns in (("rows alike", alike), ("drifting", drifting)):
        many = [
            auc_of_split(columns, classes, shuffle=True, stratify=classes, random_state=seed) for seed in range(quick(20, 2))
        ]
        splits[name].append((np.mean(many), np.std(many), auc_of_split(columns, classes, shuffle=False)))
splits = {name: np.array(rows_of) for name, rows_of in splits.items()}

fig, axes = plt.subplots(1, 2, figsize=(9, 3), sharey=True, layout="constrained")
for ax, (name, rows_of) in zip(axes, splits.items(), strict=True):
    shuffled, spread, unshuffled = rows_of.T
    ax.errorbar(range(len(rows_of)), shuffled, 2 * spread, fmt="o", color="tab:gray", label="shuffled (± 2 spreads)")
    ax.plot(range(len(rows_of)), unshuffled, "D", color="tab:red", label="unshuffled: the future")
    ax.set(title=name, xlabel="table", xticks=range(len(rows_of)))
axes[0].set_ylabel("area under ROC")
axes[0].legend(frameon=False, loc="lower left")
plt.show()

alike, drifting = splits["rows alike"], splits["drifting"]
claim(
    "H2 split",
    "Split with shuffle=False: shuffling would disturb the order of events, so for an LSTM usually not.",
    "confirmed with limits",
    "Where rows are alike it makes no difference: the unshuffled split is one among twenty. Where they drift with time, "
    "shuffled splits promise an area that the future does not keep. Both have to do with the rows, not with LSTMs: the model "
    "here is a logistic regression.",
    "abs(alike_shuffled - alike_unshuffled) < 0.02 and drifting_shuffled > drifting_unshuffled + 0.05",
    alike_shuffled=alike[:, 0].mean(),
    alike_unshuffled=alike[:, 2].mean(),
    drifting_shuffled=drifting[:, 0].mean(),
    drifting_unshuffled=drifting[:, 2].mean(),
)

# %% [markdown]
# ## Beside simpler things
#
# Is the LSTM a good idea here? One run on one table says little: whether it learns hangs on where the telling columns happen
# to stand. So, six small tables of two kinds: easy ones like ours, and hard ones (those of the last section), where no single
# direction tells the classes apart. On each a logistic regression, a multilayer perceptron with 64 hidden units, and the LSTM
# of the section on orders, once with the columns as given and once with its best chance, the most telling columns last. One
# number per model and table, the area under the curve of precision and recall (guessing: 0.2, the share of positives).


# %%
def area(model, x, y):
    """Average precision on the last fifth of the rows, of a model with scikit-learn's interface."""
    a, b, c, d = train_test_split(x.astype(np.float32), y, test_size=0.2, shuffle=False)
    scaled = StandardScaler().fit(a)
    return average_precision_score(d, model.fit(scaled.transform(a), c).predict_proba(scaled.transform(b))[:, 1])


def area_of_lstm(x, y):
    its_run, its_held = tabular.make_run(small, x, y)
    its_run.run(small.epochs)
    return average_precision_score(its_held.tensors[1].numpy(), logits_of(its_run, its_held))


areas = {"easy tables": [], "hard tables": []}
for seed in range(quick(6, 1)):
    easy = tabular.generated(replace(small, seed=seed))
    for kind, (a, b) in zip(areas, (easy, hard(seed, small.examples, small.positives)), strict=True):
        telling = np.argsort([abs(np.corrcoef(column, b[:rows])[0, 1]) for column in a[:rows].T])
        perceptron = NeuralClassifier(hidden=(64,), epochs=quick(20, 1), random_state=0)
        by_model = [
            area(LogisticRegression(), a, b),
            area(perceptron, a, b),
            area_of_lstm(a, b),
            area_of_lstm(a[:, telling], b),
        ]
        areas[kind].append(by_model)
areas = {kind: np.array(found) for kind, found in areas.items()}

# %%
MODELS = ("logistic regression", "multilayer perceptron", "LSTM, columns as given", "LSTM, most telling last")
fig, axes = plt.subplots(1, 2, figsize=(9, 2.8), layout="constrained", sharey=True)
for ax, (kind, found) in zip(axes, areas.items(), strict=True):
    for row, (values, color) in enumerate(zip(found.T, ("tab:gray", "tab:blue", "tab:purple", "plum"), strict=True)):
        ax.plot(values, [row] * len(values), "o", color=color, alpha=0.7)
        ax.plot(values.mean(), row, "|", color=color, markersize=22, markeredgewidth=2)
    ax.axvline(small.positives, color="black", lw=0.8, ls="--")
    ax.set(xlabel="area under precision and recall", title=kind, xlim=(0, 1.05), ylim=(3.5, -0.5))
axes[0].set_yticks(range(4), MODELS)
plt.show()
parameters = {
    "LSTM": sum(p.numel() for p in tabular.make_run(small, x_small, y_small)[0].model.parameters()),
    "multilayer perceptron": sum(p.numel() for p in perceptron.module_.parameters()),
    "logistic regression": 30,
}
print(", ".join(f"{name}: {count:,} parameters" for name, count in parameters.items()))
easy, difficult = (
    dict(zip(("logistic", "perceptron", "lstm", "lstm_sorted"), found.mean(0), strict=True)) for found in areas.values()
)
claim(
    "H2 lstm",
    "An LSTM over the features is a way to find the rare class of a table.",
    "confirmed with limits",
    "It can, on easy tables whose telling columns stand well. On average it is behind thirty numbers of a logistic regression "
    "there, and clearly behind a multilayer perceptron on harder tables, even with the columns in its favourite order.",
    "easy_best > 0.9 and easy_logistic > easy_lstm + 0.01 and hard_perceptron > hard_sorted + 0.1",
    easy_best=areas["easy tables"][:, 2].max(),
    easy_logistic=easy["logistic"],
    easy_lstm=easy["lstm"],
    hard_logistic=difficult["logistic"],
    hard_perceptron=difficult["perceptron"],
    hard_lstm=difficult["lstm"],
    hard_sorted=difficult["lstm_sorted"],
)

# %% [markdown]
# An LSTM has to carry everything that it has read through every later step, in one state, with the same weights at each step,
# although feature 3 and feature 20 mean different things and do not know their numbers. It pays for an order that is not there.
# Where there *is* one (the payments of one card, day by day) the same network is at home: then a step is a row, not a column.
#
# ## What was seen
#
# - With one positive in twenty, accuracy is 0.95 for a network that says no to everything. Recall, precision and their
#   *harmonic* mean see it; macro F1 shows 0.49 and looks like half a success.
# - The threshold is a choice. Precision and recall over all thresholds tell more about a rare class than ROC.
# - `i += batch` inside `for i in range(...)` does nothing: four per cent of the rows were read, and F1 of the rare class fell.
# - For an LSTM the order of the columns is time. Whether the telling columns come last or first decides what it finds.
# - A shuffled split is wrong where rows drift with time, whatever the model.
# - Honest comparison: for independent columns, simpler models are quicker and better.
#
# ## Things to try
#
# 1. Move the threshold of the first epochs' scores until recall is 0.9. What is precision then? (The scores order the rows well
#    before the network says its first yes.)
# 2. Give the loss a weight for positives (`pos_weight=tn.tensor(19.0)` in `binary_cross_entropy_with_logits`). Which of the
#    four curves over the epochs change most, and what happens to the probabilities' meaning?
# 3. "Most telling first" with `run.model.lstm.forget_bias_(4.0)` before the run: does it learn now? Predict with the picture of
#    the gradient's reach.
# 4. A bidirectional LSTM reads from both ends. Write one (`nn.LSTM(1, 24, bidirectional=True)`, the last output of one
#    direction beside the first of the other) and repeat the orders. Which of the five becomes the worst?
# 5. Tell each step its number: let the LSTM read pairs (value, one-hot of the column). Is it still the order that decides?
# 6. `tn.nn.MultiheadAttention` over the 29 pairs instead of the LSTM: an order-free reader of sequences. Compare on the harder
#    table.
# 7. Make the rare class rarer (`positives=0.01`). At which share does the notes' run stay with "always no" for all eight
#    epochs?
# 8. Plot calibration: of the rows with a probability near 0.7, are 70 % positive? (`sklearn.calibration.calibration_curve`)
#
# ## Where to look
#
# - Functions: [the task](../tinygrad_notes/train/tabular.py), [`TabularLSTM`](../tinygrad_notes/models/tabular_lstm.py),
#   [`Fit`](../tinygrad_notes/train/fit.py), [`gradient_through_time`](../tinygrad_notes/train/gradients.py),
#   [`binary_cross_entropy_with_logits`](../tinygrad_notes/nn/functional/loss.py), [networks for
#   scikit-learn](../tinygrad_notes/train/estimators.py).
# - Tests: [the tasks](../tests/test_tasks.py), [losses](../tests/test_losses.py), [estimators](../tests/test_estimators.py).
# - C. J. van Rijsbergen, *Information Retrieval*, 2nd edition, 1979: the effectiveness measure that became F.
# - T. Fawcett, *An introduction to ROC analysis*, Pattern Recognition Letters 27, 2006.
#   [doi](https://doi.org/10.1016/j.patrec.2005.10.010)
# - T. Saito, M. Rehmsmeier, *The precision-recall plot is more informative than the ROC plot when evaluating binary classifiers
#   on imbalanced datasets*, PLOS ONE 10, 2015. [doi](https://doi.org/10.1371/journal.pone.0118432)
# - L. Grinsztajn, E. Oyallon, G. Varoquaux, *Why do tree-based models still outperform deep learning on typical tabular data?*,
#   2022. [paper](https://arxiv.org/abs/2207.08815)
