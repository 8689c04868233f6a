# The source of 16_convolution.ipynb: `python notebooks/build.py 16_convolution` executes it and writes the notebook.

# %% [markdown]
# # 16 · Windows that share their weights: convolution
#
# A convolution looks at an image through a small window, asks the same question everywhere, and writes down the answers as a
# new image. Nothing more. You will see it turn into a matrix product on the tape; see by gradients which pixel is read by whom,
# for every stride, padding, dilation and group; see the same layer as a matrix, and the *transposed* convolution as its
# transpose; measure how far deep networks see, and check by numbers how they answer when the image is moved. Then a network
# learns to read handwritten digits: its test accuracy and its mistakes, its filters, its feature maps and what it looks at; and
# three networks that learned digits in one place are shown them in another. At the end, shortcuts carry a gradient through a
# thousand convolutions.
#
# 卷积就是透过一个小窗口看图像，在每个位置上问同一个问题，把答案写成一张新的图。本节先用滑动窗口和矩阵乘法把卷积写出来，并在磁带上看它；
# 再用梯度直接量出“谁读了谁”：步长、填充、膨胀、分组；把卷积写成矩阵，转置卷积就是它的转置；用梯度测量感受野，用数值检验平移等变性。
# 然后在手写数字上训练一个卷积网络：测试准确率、混淆矩阵、滤波器、特征图、显著图；再把只在一个位置上学过的数字移到别处，看三种网络谁还认得。
# 最后看残差块的捷径如何让梯度穿过一千个卷积，以及只有捷径为什么还不够。

# %%
from itertools import product

import matplotlib.pyplot as plt
import numpy as np
from setting import claim, quick
from sklearn.datasets import load_digits, load_sample_image
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import tinygrad_notes as tn
from tinygrad_notes import nn
from tinygrad_notes.models.digits_net import DigitsNet
from tinygrad_notes.models.networks import MLP, LeNet, ResidualBlock
from tinygrad_notes.nn import functional as F
from tinygrad_notes.train import digits

# %% [markdown]
# ## One question, asked everywhere
#
# A **kernel** is a small array of weights $W$. Laid on a place of the image $X$ it gives one number, the sum of products; slid
# over all places it gives an image of numbers:
#
# $$ Y_{i,j} = b + \sum_{u,v} W_{u,v}\, X_{i+u,\; j+v} $$
#
# (Mathematicians call this a cross-correlation, and a convolution what runs with the kernel turned by 180°. Networks learn the
# kernel, so it is all the same to them.) The question below is "is there more ink on the right than on the left?" Where on a
# zero will the answer be yes, no, neither?

# %%
found = load_digits()
zero = tn.tensor(found.images[0] / 16, dtype=tn.float32)
kernel = tn.tensor([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=tn.float32)

by_hand = tn.zeros(6, 6)
for i, j in product(range(6), range(6)):
    by_hand[i, j] = (kernel * zero[i : i + 3, j : j + 3]).sum()
answers = F.conv2d(zero[None, None], kernel[None, None])[0, 0]
np.testing.assert_allclose(by_hand.numpy(), answers.numpy(), atol=1e-6)

fig, axes = plt.subplots(1, 3, figsize=(9, 3.2), layout="constrained")
for ax, image, title in zip(axes, (zero, kernel, answers), ("the image", "the kernel", "the answers"), strict=True):
    shown, ink = image.numpy(), ax is axes[0]
    ax.imshow(shown, cmap="gray_r" if ink else "RdBu_r", vmin=0 if ink else -3.2, vmax=1 if ink else 3.2)
    for (i, j), value in np.ndenumerate(shown):
        color = "white" if (value > 0.5 if ink else abs(value) > 2.4) else "black"
        ax.text(j, i, f"{value:.0f}" if ax is axes[1] else f"{value:.1f}", ha="center", va="center", fontsize=7, color=color)
    ax.set(title=title, xticks=[], yticks=[])
for ax, (i, j), size in ((axes[0], (2, 4), 3), (axes[2], (2, 4), 1)):
    ax.add_patch(plt.Rectangle((j - 0.5, i - 0.5), size, size, fill=False, ec="tab:green", lw=3))
plt.show()

# %% [markdown]
# The green window gives the green answer. Red is a left edge of ink, blue a right edge, white is no edge, ink or paper alike.
# An answer does not care how much ink there is, only about the *difference*. That is one kernel; others ask other things. On a
# photograph:

# %%
photo = load_sample_image("china.jpg")[:300, :330].mean(-1) / 255
photo = F.avg_pool2d(tn.tensor(photo, dtype=tn.float32)[None, None], 3)  # averages over 3 x 3 make it smaller
kernels = {
    "blur": np.full((5, 5), 1 / 25),
    "sharpen": np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]]),
    "vertical edges": kernel.numpy(),
    "horizontal edges": kernel.numpy().T,
    "relief": np.array([[-2, -1, 0], [-1, 0, 1], [0, 1, 2]]),
}
fig, axes = plt.subplots(2, 3, figsize=(6.6, 4.3), layout="constrained")
pictures = {"the photograph": photo} | {
    name: F.conv2d(photo, tn.tensor(k, dtype=tn.float32)[None, None], padding="same") for name, k in kernels.items()
}
for ax, (title, picture) in zip(axes.flat, pictures.items(), strict=True):
    flat = picture.numpy()[0, 0]
    low, high = (0, 1) if title in ("the photograph", "blur", "sharpen") else (-1.2, 1.2)
    ax.imshow(flat, cmap="gray", vmin=low, vmax=high)
    ax.set_title(title, fontsize=9)
    ax.set_axis_off()
plt.show()

# %% [markdown]
# ## The loop is a matrix product
#
# Two nested loops in Python would be slow. But every window meets the same weights, so put the windows side by side as columns:
# then *all* answers of *all* kernels are one matrix product. `unfold` makes the columns. For an image with $C$ channels a
# window has $C\,k^2$ numbers:
#
# $$ \underbrace{W}_{O \times C k^2} \;\underbrace{[\text{windows}]}_{C k^2 \times L} = \underbrace{Y}_{O \times L} $$

# %%
tn.manual_seed(0)
x, weight = tn.randn(2, 3, 8, 8), tn.randn(5, 3, 3, 3)
columns = F.unfold(x, 3)  # (2, 27, 36)
by_product = (weight.reshape(5, 27) @ columns).reshape(2, 5, 6, 6)
np.testing.assert_allclose(by_product.numpy(), F.conv2d(x, weight).numpy(), atol=1e-5)

conv = nn.Conv2d(3, 5, 3, padding=1)
with tn.Tape() as tape:
    conv(x.requires_grad_()).sum().backward()
names = [node.op.name for node in tape]
assert names.count("patches") == names.count("unpatches") == 1
print(*(line for line in str(tape).splitlines() if any(f"{op}(" in line for op in ("patches", "matmul"))), sep="\n")

# %% [markdown]
# That is how the library does it; printed are the lines of the tape that matter (`print(tape)` shows the reshapes between
# them). `patches` makes the columns, and `matmul` asks. In backward the two other products of a `matmul` follow, one for the
# image and one for the weights, and the gradient of `patches` is `unpatches`: every pixel was read by up to nine windows, so
# nine contributions are *added* on their way back, the rule of [notebook 1](01_tape_and_backpropagation.ipynb) again.
#
# ## Who reads whom?
#
# A gradient answers such questions without any formula: ask for the gradient of one output with respect to the image. It is
# non-zero exactly at the pixels which that output has read. With a kernel of ones the number says how often. Two neighbouring
# outputs, one red and one blue, for four settings:


# %%
def reads(layer, size, i, j):
    """How strongly each pixel of a size x size image takes part in output (i, j), kernels being ones."""
    with tn.no_grad():
        for parameter in layer.parameters():
            parameter.fill_(1.0)
    x = tn.zeros(1, layer.in_channels, size, size, requires_grad=True)
    (g,) = tn.autograd.grad(layer(x)[0, 0, i, j], [x])
    return g.numpy()[0, 0]


settings = {
    "stride 1": {},
    "stride 2": {"stride": 2},
    "padding 1": {"padding": 1},
    "dilation 2": {"dilation": 2},
}
fig, axes = plt.subplots(1, 4, figsize=(11, 3), layout="constrained")
for ax, (title, options) in zip(axes, settings.items(), strict=True):
    layer = nn.Conv2d(1, 1, 3, bias=False, **options)
    red, blue = reads(layer, 7, 0, 0), reads(layer, 7, 0, 1)
    sheet = np.ones((7, 7, 3))
    sheet[red > 0] -= [0.05, 0.45, 0.45]
    sheet[blue > 0] -= [0.45, 0.3, 0.05]
    ax.imshow(np.clip(sheet, 0, 1))
    ax.set_xticks(np.arange(-0.5, 7), [])
    ax.set_yticks(np.arange(-0.5, 7), [])
    ax.grid(color="lightgray")
    ax.tick_params(length=0)
    ax.set_title(f"{title}\n7 × 7 becomes {' × '.join(map(str, layer(tn.zeros(1, 1, 7, 7)).shape[2:]))}", fontsize=10)
plt.show()

# %% [markdown]
# Violet is read by both. Under "padding 1" the windows seem to have two rows only, and the red one two columns: the rest lies
# outside, on zeros that nobody drew. The titles give the size of the result, too. With image $n$, kernel $k$, stride $s$,
# padding $p$, dilation $d$:
#
# $$ n' = \Big\lfloor \frac{n + 2p - d(k-1) - 1}{s} \Big\rfloor + 1 $$

# %%
rng = np.random.default_rng(0)
for _ in range(200):
    n, k, s, p, d = (int(rng.integers(low, high)) for low, high in ((12, 30), (1, 5), (1, 4), (0, 4), (1, 4)))
    shape = F.conv1d(tn.zeros(1, 1, n), tn.zeros(1, 1, k), stride=s, padding=p, dilation=d).shape
    assert shape[-1] == (n + 2 * p - d * (k - 1) - 1) // s + 1

# %% [markdown]
# **Groups** cut the channels apart: with 2 groups the first half of the outputs reads the first half of the inputs. As many
# groups as channels is called *depthwise*. Again the gradient draws it, this time one square per pair of channels:

# %%
fig, axes = plt.subplots(1, 3, figsize=(8, 2.9), layout="constrained")
for ax, groups in zip(axes, (1, 2, 6), strict=True):
    layer = nn.Conv2d(6, 6, 3, groups=groups)
    x = tn.zeros(1, 6, 3, 3, requires_grad=True)
    y = layer(x)[0, :, 0, 0]
    table = np.stack([np.abs(tn.autograd.grad(y[o], [x], retain_graph=True)[0].numpy()).sum((0, 2, 3)) for o in range(6)])
    ax.imshow(table > 0, cmap="Purples", vmin=0, vmax=1.4)
    ax.set(title=f"groups={groups}: {layer.weight.numel()} weights", xlabel="input channel", ylabel="output channel")
    ax.title.set_fontsize(10)
plt.show()

# %% [markdown]
# ## The layer as a matrix, and its transpose
#
# A convolution is linear, so it *is* a matrix: the Jacobian. An image of 6 × 6 in a row has 36 numbers, its 4 × 4 answers are
# 16. The engine gives the matrix (one backward pass per row). What pattern do you expect, and how many different numbers?

# %%
tn.manual_seed(1)
weight = tn.randn(1, 1, 3, 3, dtype=tn.float64)
image, small = tn.zeros(1, 1, 6, 6, dtype=tn.float64), tn.zeros(1, 1, 4, 4, dtype=tn.float64)
conv_matrix = tn.func.jacrev(lambda x: F.conv2d(x, weight))(image).reshape(16, 36).numpy()
transposed_matrix = tn.func.jacrev(lambda x: F.conv_transpose2d(x, weight))(small).reshape(36, 16).numpy()
assert (transposed_matrix == conv_matrix.T).all()
assert len(np.unique(conv_matrix)) == 10  # nine weights and zero

fig, axes = plt.subplots(1, 3, figsize=(10, 3.8), layout="constrained", width_ratios=[36, 16, 36])
dense = np.random.default_rng(0).normal(size=(16, 36))
for ax, matrix, title in (
    (axes[0], conv_matrix, "convolution: 9 weights"),
    (axes[1], transposed_matrix, "transposed\nconvolution: 9"),
    (axes[2], dense, "fully connected: 576 weights"),
):
    ax.imshow(matrix, cmap="RdBu_r", vmin=-2, vmax=2)
    ax.set(title=title, xticks=[], yticks=[], xlabel=f"{matrix.shape[1]} inputs", ylabel=f"{matrix.shape[0]} outputs")
plt.show()

# %% [markdown]
# The same nine numbers, row after row, moved on by one place (by three where a new line of the image begins): **local** (most
# entries are zero) and **shared** (the others repeat). A fully connected layer between the same sizes has 576 free weights.
# Everything that follows in this notebook is due to those two words.
#
# The middle picture is the left one, tipped over. That is all there is to the *transposed convolution*: not an inverse (it
# does not undo anything), but the map which leads from small images to large ones along the same connections. It is what
# backpropagation sends a gradient through, and what networks use to *make* images. With stride 2 it about doubles the size,
# and has a flaw you can see:

# %%
fig, axes = plt.subplots(1, 4, figsize=(9, 2.6), layout="constrained")
ones = tn.ones(1, 1, 6, 6)
for ax, size in zip(axes, (2, 3, 4, 5), strict=True):
    reached = F.conv_transpose2d(ones, tn.ones(1, 1, size, size), stride=2).numpy()[0, 0]
    ax.imshow(reached, cmap="viridis", vmin=0, vmax=9)
    different = len(np.unique(reached[4:-4, 4:-4]))
    assert different == (1 if size % 2 == 0 else 3)
    ax.set_title(f"kernel {size}, stride 2\n{different} value{'s' * (different > 1)} inside", fontsize=9)
    ax.set_axis_off()
plt.show()

# %% [markdown]
# An image of ones and kernels of ones: with a kernel of 3 some pixels are reached by four windows, their neighbours by two or
# one. The checkerboard in generated images comes from there; kernels that the stride divides do not make it.
#
# ## How far does it see?
#
# One 3 × 3 window sees 3 pixels across; a second layer of them sees windows of windows, 5; and so on. The **receptive field**
# of a stack is
#
# $$ r = 1 + \sum_\ell (k_\ell - 1)\, d_\ell \prod_{m<\ell} s_m $$
#
# A gradient measures it: how wide is the patch of pixels that one output reads?


# %%
def field(net, size=81, channels=1):
    """|gradient| of the middle output with respect to each pixel."""
    x = tn.zeros(1, channels, size, size, requires_grad=True)
    y = net(x)
    (g,) = tn.autograd.grad(y[0, 0, y.shape[2] // 2, y.shape[3] // 2], [x])
    return np.abs(g.numpy()[0]).sum(0)


def stack(*layers):
    """Convolutions given as (kernel, stride, dilation), with weights of ones; and what the formula says."""
    net, says, jump = nn.Sequential(), 1, 1
    for k, s, d in layers:
        net.append(nn.Conv2d(1, 1, k, stride=s, dilation=d, bias=False))
        says, jump = says + (k - 1) * d * jump, jump * s
    with tn.no_grad():
        for parameter in net.parameters():
            parameter.fill_(1.0)
    return net, says


stacks = {
    "five layers, plain": [(3, 1, 1)] * 5,
    "dilation 1, 2, 4, 8, 16": [(3, 1, 2**n) for n in range(5)],
    "stride 2 in each": [(3, 2, 1)] * 5,
}
for name, layers in stacks.items():
    net, says = stack(*layers)
    measured = (field(net).max(0) > 0).sum()
    print(f"{name:24} measured {measured:2}, formula {says:2}")
    assert measured == says

# %% [markdown]
# Five plain layers see 11 pixels, five dilated or striding ones 63, with the same 45 weights. But *seeing* is not the same as
# *caring*. Give ten layers random weights and ask how much each pixel matters: the squared gradient, averaged over many draws.
# Does the whole field count alike?

# %%
layers_deep, maps = 10, 0
for seed in range(quick(40, 3)):
    tn.manual_seed(seed)
    net = nn.Sequential(*[nn.Conv2d(1 if n == 0 else 8, 8, 3, bias=False) for n in range(layers_deep)])
    squared = field(net, 2 * layers_deep + 1) ** 2
    maps = maps + squared / squared.sum()
shares = maps.sum(0) / maps.sum()  # of the columns

walk = np.ones(1)
for _ in range(layers_deep):  # ten steps of -1, 0 or 1, all alike
    walk = np.convolve(walk, np.ones(3) / 3)
inside = shares[6:15].sum()
print(
    f"{inside:.0%} of the squared gradient lies in the middle 9 of 21 columns; of the walk's end points {walk[6:15].sum():.0%}"
)
assert quick(inside > 0.8, True)

fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained", width_ratios=[1, 1.4])
left.imshow(np.sqrt(maps), cmap="magma", extent=[-10.5, 10.5, -10.5, 10.5])
left.set(title="root of the mean squared gradient", xlabel="pixels from the middle")
offsets = np.arange(-layers_deep, layers_deep + 1)
right.bar(offsets, shares, color="tab:orange", alpha=0.6, label="share of each column, measured")
right.plot(offsets, walk, "o-", color="black", ms=3, label="ten steps of −1, 0 or 1")
right.set(xlabel="pixels from the middle", ylim=(0, 0.22))
right.legend(frameon=False, fontsize=9, loc="upper left")
plt.show()

# %% [markdown]
# Not at all: a bell. A path from pixel to output takes a step of −1, 0 or 1 in each layer, and most sums of ten such steps are
# near zero. The *effective* field grows like the square root of the depth only (Luo et al. 2016).
#
# ## Move the image
#
# Shared weights have a consequence that can be checked to the last digit: if the image moves, the answers move with it,
# $\;\mathrm{conv}(\mathrm{shift}(x)) = \mathrm{shift}(\mathrm{conv}(x))$. That is **equivariance**. What is left of it with
# zeros around the image, with a stride, with pooling, with an average over everything? Guess "exactly", "except at the border"
# or "no" for each line:

# %%
tn.manual_seed(0)
x = tn.randn(1, 1, 16, 16)
ring, zeros = (nn.Conv2d(1, 4, 3, padding=1, padding_mode=mode) for mode in ("circular", "zeros"))
stride = nn.Conv2d(1, 4, 3, stride=2, padding=1, padding_mode="circular")
layers = {
    "convolution, image closed to a ring": ring,
    "convolution, zeros around": zeros,
    "convolution with stride 2": stride,
    "largest of 2 × 2": nn.MaxPool2d(2),
    "convolution, then mean of all": lambda x: ring(x).relu().mean((2, 3), keepdim=True),
}


def unlike(layer, shift):
    """Where the layer of a moved image differs from the moved layer of the image, per column of the result."""
    with tn.no_grad():
        plain, moved = layer(x), layer(x.roll(shift, -1))
        pixels = x.shape[-1] // plain.shape[-1]  # per step of the result
        return (moved - plain.roll(shift // pixels, -1)).abs().amax((0, 1, 2)).numpy()


print(f"{'':38} moved by 1    by 2")
by_one, by_two = ({name: unlike(layer, shift) for name, layer in layers.items()} for shift in (1, 2))
for name in layers:
    print(f"{name:38} {by_one[name].max():10.1e} {by_two[name].max():7.1e}")
for name in ("convolution, image closed to a ring", "convolution, then mean of all"):
    assert max(by_one[name].max(), by_two[name].max()) < 1e-5
for name in ("convolution with stride 2", "largest of 2 × 2"):
    assert by_two[name].max() < 1e-5 < 0.1 < by_one[name].max()
columns = np.flatnonzero(by_one["convolution, zeros around"] > 1e-5)
print("with zeros around, moved by 1, these columns differ:", columns)
assert set(columns) <= {0, 1, 15}

# %% [markdown]
# With zeros around only the border knows. A stride or a pooling of 2 keeps the promise for shifts by 2 only: after three of
# them, for shifts by 8. The last line is *in*variance: the mean over all places does not move at all. So a network that ends
# with it does not care where a thing is; one that ends with a fully connected layer over places does.
#
# **Pooling** has no weights. The largest of 2 × 2 passes its gradient to the winner alone, the mean to all four alike:

# %%
patch = tn.tensor([[1.0, 3.0, 2.0, 0.0], [4.0, 2.0, 1.0, 1.0], [0.0, 1.0, 5.0, 6.0], [2.0, 0.0, 7.0, 4.0]])
fig, axes = plt.subplots(1, 3, figsize=(8, 2.8), layout="constrained")
axes[0].imshow(patch.numpy(), cmap="Greys", vmax=12)
for (i, j), value in np.ndenumerate(patch.numpy()):
    axes[0].text(j, i, f"{value:.0f}", ha="center", va="center")
axes[0].set_title("values", fontsize=10)
for ax, pool in zip(axes[1:], (F.max_pool2d, F.avg_pool2d), strict=True):
    leaf = patch.clone().requires_grad_()
    pool(leaf[None], 2).sum().backward()
    ax.imshow(leaf.grad.numpy(), cmap="Reds", vmin=0, vmax=1.5)
    for (i, j), value in np.ndenumerate(leaf.grad.numpy()):
        ax.text(j, i, f"{value:g}", ha="center", va="center", color="black" if value else "lightgray")
    ax.set_title(f"gradient of {pool.__name__}", fontsize=10)
for ax in axes:
    ax.axhline(1.5, color="black", lw=1)
    ax.axvline(1.5, color="black", lw=1)
    ax.set(xticks=[], yticks=[])
plt.show()

# %% [markdown]
# ## From pixels to ten numbers
#
# Put together, convolutions, pooling and a fully connected head are LeNet (LeCun et al. 1998). Follow an image through it: what
# becomes smaller, what becomes more, and where are the weights?

# %%
tn.manual_seed(3)
lenet = LeNet(size=16)
image = tn.tensor(np.kron(found.images[3] / 16, np.ones((2, 2))), dtype=tn.float32)[None, None]
seen, value = [image], image
for layer in [*lenet.features, *lenet.head]:
    value = layer(value)
    seen.append(value)
    owned = sum(p.numel() for p in layer.parameters())
    print(
        f"{type(layer).__name__:10} {' × '.join(map(str, value.shape[1:])):12} {value[0].numel():6} numbers {owned:7} weights"
    )

# %% [markdown]
# Fewer places, more channels; the windows make most of the numbers with few weights, the head has most of the weights.
# `Flatten` lays all places into one row of numbers, and from there on there are none. One can look at it the other way round,
# too: a fully connected layer is a convolution whose window is the whole image.

# %%
head, block = nn.Linear(16 * 2 * 2, 10), seen[6]
as_window = F.conv2d(block, head.weight.reshape(10, 16, 2, 2), head.bias)
np.testing.assert_allclose(as_window.detach().numpy()[:, :, 0, 0], head(block.flatten(1)).detach().numpy(), atol=1e-5)

# %% [markdown]
# ## Reading digits
#
# [`DigitsNet`](../tinygrad_notes/models/digits_net.py) has two convolutions, one pooling and two linear layers. `tinygrad-notes
# digits` trains it for 15 epochs on scikit-learn's 1,797 handwritten digits, the training images moved by up to a pixel at
# random; one in five is held out. Here it is with 8 epochs, three times, each with another fifth held out:

# %%
runs = []
for seed in range(quick(3, 1)):
    config = digits.Config(epochs=quick(8, 1), seed=seed)
    run, held = digits.make_run(config)
    run.run(config.epochs)
    counts = digits.confusion(run, held)  # in evaluation mode from here on
    runs.append((run, held, counts))
accuracies = [np.trace(counts) / counts.sum() for _, _, counts in runs]
print("test accuracies", *(f"{a:.3f}" for a in accuracies))
assert quick(min(accuracies) > 0.93, True)

run, held, counts = runs[0]
images, labels = held.tensors
with tn.no_grad():
    chances = run.model(images).softmax(-1).numpy()
print(f"{sum(p.numel() for p in run.model.parameters()):,} parameters")


# %%
def mosaic(sheets, across):
    """Images side by side, `across` in a row."""
    framed = [np.pad(sheet, 1, constant_values=np.nan) for sheet in sheets]
    return np.concatenate([np.concatenate(framed[n : n + across], 1) for n in range(0, len(framed), across)])


fig = plt.figure(figsize=(9.6, 4), layout="constrained")
left, right = fig.subfigures(1, 2, width_ratios=[1.1, 1])
ax = left.subplots()
ax.imshow(counts / np.maximum(counts.sum(1, keepdims=True), 1), cmap="Blues", vmax=1.3)
for (i, j), n in np.ndenumerate(counts):
    if n:
        ax.text(j, i, n, ha="center", va="center", color="black" if i == j else "tab:red", fontsize=9)
ax.set(xlabel="taken for", ylabel="shown", xticks=range(10), yticks=range(10), title=f"test accuracy {accuracies[0]:.1%}")
doubtful = np.argsort(chances[np.arange(len(labels)), labels.numpy()])[:12]  # the digits that were believed in least
for ax, which in zip(right.subplots(3, 4).flat, doubtful, strict=True):
    said, is_it = chances[which].argmax(), labels[which].item()
    ax.imshow(images.numpy()[which, 0], cmap="gray_r")
    ax.set_title(f"{is_it}, says {said}", color="tab:red" if said != is_it else "tab:green", fontsize=9)
    ax.set_axis_off()
right.suptitle("the twelve hardest")
plt.show()

# %% [markdown]
# Look at the hardest before you judge the network: what would *you* have said?
#
# ### What it has learned to ask
#
# The 32 kernels of the first layer, and their answers to one digit. Which of them ask for edges, as ours did?

# %%
one = images[int(np.flatnonzero(labels.numpy() == 4)[0])][None]
with tn.no_grad():
    first = run.model.features[1](run.model.features[0](one)).numpy()[0]
weights = run.model.features[0].weight.detach().numpy()[:, 0]
fig, (left, middle, right) = plt.subplots(1, 3, figsize=(10, 2.9), layout="constrained", width_ratios=[1.9, 1, 2])
left.imshow(mosaic(weights, 8), cmap="RdBu_r", vmin=-0.8, vmax=0.8)
left.set_title("kernels", fontsize=10)
middle.imshow(one.numpy()[0, 0], cmap="gray_r")
middle.set_title("a digit", fontsize=10)
right.imshow(mosaic(first, 8), cmap="viridis")
right.set_title("their answers to it, after ReLU", fontsize=10)
for ax in (left, middle, right):
    ax.set_axis_off()
plt.show()

# %% [markdown]
# ### What it looks at
#
# Once more, who reads whom: the gradient of one score with respect to the pixels says which pixel would change the score, and
# in which direction. It is called a **saliency map** (Simonyan et al. 2014). (Of the score minus the mean of all ten: what
# lifts all of them alike says nothing.) Red: more ink here would speak for the digit; blue: against it. Above one digit, below
# the mean over all of its kind. Where will the map of the 0 be blue?


# %%
def saliency(chosen):
    pixels = images[chosen].clone().requires_grad_()
    scores = run.model(pixels)
    wanted = scores.gather(1, labels[chosen][:, None]) - scores.mean(1, keepdim=True)
    return tn.autograd.grad(wanted.sum(), [pixels])[0].numpy()[:, 0]


fig, axes = plt.subplots(3, 5, figsize=(8, 5), layout="constrained")
for d, (upper, middle, lower) in zip((0, 3, 4, 7, 8), axes.T, strict=True):
    of_kind = np.flatnonzero(labels.numpy() == d)
    maps = saliency(of_kind)
    if d == 0:
        hole = maps[:, 3:5, 3:5].mean() / np.abs(maps).mean()
    upper.imshow(images.numpy()[of_kind[0], 0], cmap="gray_r")
    for ax, sheet in ((middle, maps[0]), (lower, maps.mean(0))):
        ax.imshow(sheet, cmap="RdBu_r", vmin=-np.abs(sheet).max(), vmax=np.abs(sheet).max())
    upper.set_title(f"the score of {d}", fontsize=9)
for ax in axes.flat:
    ax.set(xticks=[], yticks=[])
for ax, said in zip(axes[:, 0], ("a digit", "its map", "mean map"), strict=True):
    ax.set_ylabel(said)
plt.show()
print(f"in the hole of the 0 the gradient is {hole:.1f} times the usual size")
assert quick(hole < -1, True)

# %% [markdown]
# The net looks at *gaps*, above all at the middle of the 0, where ink would make it an 8. A gradient shows what a small change
# would do, not what the digit "is made of"; it is a question with a precise answer, and not more than that.
#
# ### Do the convolutions find what is needed?
#
# The notes: the convolutions catch the features that are enough to recognise the picture, and what is left is to classify. Take
# that literally: stop behind the convolutions and let a *linear* classifier decide, on the raw pixels, on the features of the
# trained networks, and on those of networks whose kernels are still random. What will the random ones be worth?


# %%
def linear_on(features, run, held):
    """Test accuracy of a linear classifier on what `features` makes of the images."""
    (x, y), (x_test, y_test) = run.data.dataset.tensors, held.tensors
    with tn.no_grad():
        learn, test = (features(part).flatten(1).numpy() for part in (x, x_test))
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300))
    return model.fit(learn, y.numpy()).score(test, y_test.numpy())


tn.manual_seed(0)
by_features = {
    "pixels": [linear_on(lambda x: x, run, held) for run, held, _ in runs],
    "random_kernels": [linear_on(DigitsNet().features, run, held) for run, held, _ in runs],
    "trained_kernels": [linear_on(run.model.features, run, held) for run, held, _ in runs],
    "whole_network": accuracies,
}
claim(
    "G conv features",
    "The convolutional layers catch the features that are enough to recognise the picture; what follows only classifies.",
    "confirmed with limits",
    "A linear classifier behind the trained convolutions is no worse than the whole network (which had eight epochs, and moved "
    "digits to learn from), and has less than half the mistakes of one on the pixels. But most of that needs no learned kernels: "
    "behind random ones, which also make 1,024 numbers of 64, it gets more than half of the gain.",
    "trained_kernels > whole_network - 0.01 and 1 - trained_kernels < (1 - pixels) / 2"
    " and random_kernels - pixels > (trained_kernels - pixels) / 2",
    **{name: np.mean(values) for name, values in by_features.items()},
)

# %% [markdown]
# ## Learned here, shown there
#
# The notes: the fully connected layer comes at the end; the blocks are flattened to a long vector, and there are as many
# outputs as classes. What does flattening do to all that equivariance? Three networks learn digits that always lie in the
# middle of 14 × 14 pixels:
#
# - **fully connected**: one hidden layer of 63 units;
# - **convolutions, flattened**: three convolutions and a fully connected layer over channels and places;
# - **convolutions, largest**: the same three, and a linear layer on the *largest answer anywhere* of each feature.
#
# Then the test digits are moved, by up to two pixels in each direction. (Without moving the training images, this time.)
# Predict the three accuracies for a move by one pixel, and by two.


# %%
def convolutions():
    return [
        nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(12, 20, 3, padding=1), nn.ReLU(),
    ]  # fmt: skip


nets = {
    "fully connected": lambda: nn.Sequential(nn.Flatten(), *MLP([14 * 14, 63, 10])),
    "convolutions, flattened": lambda: nn.Sequential(*convolutions(), nn.Flatten(), nn.Linear(20 * 7 * 7, 10)),
    "convolutions, largest": lambda: nn.Sequential(*convolutions(), nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(20, 10)),
}
for name, make in nets.items():
    print(f"{name:24} {sum(p.numel() for p in make().parameters()):6,} weights")


def laid(images, i, j):
    """Images of 8 x 8 in larger ones, moved by (i, j) from the middle."""
    return tn.tensor(np.pad(images, ((0, 0), (3 + i, 3 - i), (3 + j, 3 - j)))[:, None])


def accuracies_of(make, seed):
    """Test accuracy on 500 images for each move, after learning from 1,200 others that were not moved."""
    pictures = (found.images / 16).astype(np.float32)
    x, x_test, y, y_test = train_test_split(pictures, found.target, train_size=1200, test_size=500, random_state=seed)
    tn.manual_seed(seed)
    model, rng = make(), np.random.default_rng(seed)
    optimizer = tn.optim.AdamW(model.parameters(), lr=5e-3)
    for _ in range(quick(200, 5)):
        chosen = rng.integers(0, len(x), 32)
        loss = F.cross_entropy(model(laid(x[chosen], 0, 0)), tn.tensor(y[chosen]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with tn.no_grad():
        said = [[model(laid(x_test, i, j)).argmax(-1).numpy() for j in range(-2, 3)] for i in range(-2, 3)]
    return (np.array(said) == y_test).mean(-1)


moved = {name: np.mean([accuracies_of(make, seed) for seed in range(quick(3, 1))], 0) for name, make in nets.items()}

# %%
fig, axes = plt.subplots(1, 3, figsize=(9, 3.3), layout="constrained")
for ax, (name, table) in zip(axes, moved.items(), strict=True):
    ax.imshow(table, cmap="Greens", vmin=0, vmax=1.2, extent=[-2.5, 2.5, 2.5, -2.5])
    for (i, j), value in np.ndenumerate(table):
        ax.text(j - 2, i - 2, f"{value:.0%}", ha="center", va="center", fontsize=9)
    ax.set_title(name, fontsize=10)
    ax.set(xlabel="moved to the right by", xticks=range(-2, 3), yticks=range(-2, 3))
axes[0].set_ylabel("moved down by")
plt.show()
even, odd = moved["convolutions, largest"][::2, ::2].mean(), moved["convolutions, largest"][1::2, 1::2].mean()
assert quick(even > odd + 0.1, True)
middle = {name: table[2, 2] for name, table in moved.items()}
elsewhere = {name: (table.sum() - table[2, 2]) / 24 for name, table in moved.items()}
claim(
    "G fully connected head",
    "A fully connected layer comes at the end of a convolutional network, on the flattened blocks, with as many outputs as "
    "classes.",
    "confirmed with limits",
    "It has ten outputs for ten digits, and reads them well where it has learned them. But it gives every place weights of its "
    "own: moved by a pixel or two, digits are lost on it nearly as on a network without convolutions. Behind the largest "
    "answer of each feature, one linear layer with a fiftieth of the weights keeps far more of them.",
    "outputs == 10 and flattened_middle > 0.9 and elsewhere_flattened < 0.5 and elsewhere_largest > elsewhere_flattened + 0.2",
    outputs=chances.shape[-1],
    flattened_middle=middle["convolutions, flattened"],
    largest_middle=middle["convolutions, largest"],
    elsewhere_fully_connected=elsewhere["fully connected"],
    elsewhere_flattened=elsewhere["convolutions, flattened"],
    elsewhere_largest=elsewhere["convolutions, largest"],
)

# %% [markdown]
# Where every pixel has its meaning, the fully connected network is as good: centred digits of 8 × 8 are hardly an *image*. One
# pixel aside it loses half of them, two pixels aside nearly all. That the second network does, too, is no fault of its
# convolutions, whose answers moved with the digit: the head reads each place by itself. The third map is a lattice, best where
# both moves are even and worst where both are odd, and shows the pooling: by two pixels, most is as it was (the border takes
# the rest); by one, every 2 × 2 block holds other pixels. (The usual remedy is to move the training images, as above; see
# "Things to try".)
#
# ## A way around: residual blocks
#
# The notes: residual networks may have hundreds of layers, a thousand, because of the *shortcut*. A block does not compute a
# new image but a change, $\;\mathrm{relu}(x + f(x))$, with $f$ two convolutions. Where the ReLU is open its derivative is $1 +
# f'$: however small $f'$ is, the gradient has a way around. Below, the gradient of the loss at the first convolution of every
# block before training, for 50 blocks (100 convolutions), with and without shortcut, with and without batch normalisation; and
# bare with He's larger weights ([notebook 8](08_initialisation.ipynb)), which were made for this. Which of the five lines will
# be flat?


# %%
class Block(ResidualBlock):
    """A residual block that can do without its shortcut and without its normalisation."""

    def __init__(self, channels, shortcut, norm, he=False):
        super().__init__(channels)
        self.way_around = shortcut
        if not norm:
            self.bn1 = self.bn2 = nn.Identity()
        if he:
            for conv in (self.conv1, self.conv2):
                nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")

    def forward(self, x):
        change = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))
        return (x + change).relu() if self.way_around else change.relu()


kinds = {
    "shortcut, normalised": {"shortcut": True, "norm": True},
    "shortcut": {"shortcut": True, "norm": False},
    "normalised": {"shortcut": False, "norm": True},
    "bare, He": {"shortcut": False, "norm": False, "he": True},
    "bare": {"shortcut": False, "norm": False},
}
colors = dict(zip(kinds, ("tab:blue", "tab:cyan", "tab:red", "tab:purple", "tab:orange"), strict=True))


def deep_net(blocks, kind, channels=6):
    middle = [Block(channels, **kinds[kind]) for _ in range(blocks)]
    return nn.Sequential(
        nn.Conv2d(1, channels, 3, padding=1), *middle, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10)
    )


def gradients_of(blocks, kind, seed):
    """Norm of the gradient at the first convolution of each block."""
    tn.manual_seed(seed)
    net = deep_net(blocks, kind)
    with np.errstate(all="ignore"):  # some of them overflow
        F.cross_entropy(net(images[:32]), labels[:32]).backward()
    return np.array([block.conv1.weight.grad.norm().item() for block in net if isinstance(block, Block)])


norms = {kind: np.array([gradients_of(50, kind, seed) for seed in range(3)]) for kind in kinds}
fig, ax = plt.subplots(figsize=(8, 3.8))
for kind, values in norms.items():
    for n, line in enumerate(values):
        ax.semilogy(
            np.where(line > 0, line, np.nan),
            lw=1,
            color=colors[kind],
            label=f"{kind}{'' if line.any() else ' (all are 0)'}" if n == 0 else None,
        )
ax.set(xlabel="block, from the image on", ylabel="norm of the gradient", ylim=(1e-12, 1e9), xlim=(-1, 70))
ax.legend(frameon=False, fontsize=8, loc="center right")
plt.show()
print("bare, at the first and the last block:", norms["bare"][:, [0, -1]].tolist())

# %% [markdown]
# The orange line is missing: the signal of a hundred bare convolutions has died before it arrives, and the gradient is exactly
# zero everywhere. With He's weights something comes through, less by powers of ten, and differently for each draw. Batch
# normalisation alone turns vanishing into explosion (the left end of the red lines). With the shortcut the lines are flat, or
# nearly. Now a thousand convolutions (a `nan` is a gradient that has overflowed); and what is it worth when 16 blocks are
# trained, with three seeds?

# %%
thousand = {kind: gradients_of(quick(500, 20), kind, 0) for kind in ("shortcut, normalised", "shortcut", "normalised")}
for kind, values in thousand.items():
    print(f"a thousand convolutions, {kind:20}: first block {values[0]:.2g}, last {values[-1]:.2g}")


def train_deep(kind, seed, blocks=16):
    tn.manual_seed(seed)
    net, rng, losses = deep_net(blocks, kind), np.random.default_rng(seed), []
    optimizer = tn.optim.Adam(net.parameters(), lr=5e-3)
    x, y = run.data.dataset.tensors
    for _ in range(quick(40, 3)):
        chosen = rng.integers(0, len(x), 32)
        loss = F.cross_entropy(net(x[chosen]), y[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


fig, ax = plt.subplots(figsize=(8, 3.4))
final = {}
for kind in ("shortcut, normalised", "shortcut", "normalised", "bare, He"):
    lines = np.array([train_deep(kind, seed) for seed in range(quick(3, 1))])
    final[kind] = lines[:, -10:].mean()
    for n, line in enumerate(lines):
        ax.plot(line, lw=1, color=colors[kind], label=kind if n == 0 else None)
ax.axhline(np.log(10), color="gray", ls="--", lw=1)
ax.text(40, np.log(10) + 0.04, "guessing:\nln 10", color="gray", fontsize=8)
ax.set(xlabel="update", ylabel="loss", ylim=(0.4, 3.2), xlim=(0, 44))
ax.legend(frameon=False, fontsize=8, loc="lower left")
plt.show()
ends = np.array([line[[0, -1]] for line in norms["shortcut"]])
claim(
    "G residual block",
    "Residual networks can have hundreds of layers, a thousand, without the gradient vanishing quickly; the reason is the "
    "shortcut.",
    "confirmed with limits",
    "Through a hundred bare convolutions no gradient arrives; with the shortcut alone it arrives hardly diminished, through a "
    "thousand as well (before training: that they train was not tried). But a gradient is not yet learning: of 16 blocks those "
    "with shortcut and batch normalisation learn quickly, those with either alone hardly.",
    "bare == 0 and shortcut_first_to_last > 0.01 and thousand_first_to_last > 0.01"
    " and loss_both < loss_shortcut - 0.3 and loss_both < loss_normalised - 0.3",
    bare=norms["bare"][:, 0].max(),
    shortcut_first_to_last=(ends[:, 0] / ends[:, 1]).min(),
    thousand_first_to_last=thousand["shortcut"][0] / thousand["shortcut"][-1],
    normalised_first=np.median(norms["normalised"][:, 0]),
    loss_both=final["shortcut, normalised"],
    loss_shortcut=final["shortcut"],
    loss_normalised=final["normalised"],
    loss_bare_he=final["bare, He"],
)

# %% [markdown]
# ## What was seen
#
# - A convolution asks one question at every place. It is a matrix product over windows, and a matrix that is local and shares
#   its weights; the transposed convolution is that matrix's transpose.
# - Gradients answer "who reads whom": stride, padding, dilation, groups, receptive fields, saliency, all with the same three
#   lines.
# - Moved images give moved answers, exactly, up to the border and to multiples of the stride.
# - On centred digits a fully connected network with as many weights is close. What makes a network indifferent to the place is
#   not the convolution alone, but what stands behind it.
# - A shortcut lets gradients through a thousand convolutions; to learn from them quickly took normalisation, too.
#
# ## Things to try
#
# 1. Use the kernel "vertical edges" on the photograph with `stride=2`, then turned by 90°. Which kernel answers to
#    lines at 45°?
# 2. Replace the second convolution of `convolutions()` by a depthwise one (`groups=8`) and a 1 × 1. Its 864 weights become
#    72 + 96. What does the accuracy become?
# 3. Minimise $\|\mathrm{conv}(x) - y\|^2$ over $x$ by gradient descent, from a blurred photograph $y$ and the blur as kernel.
#    What comes back, and why do some details not? (Small singular values of the convolution's matrix.)
# 4. Measure the effective receptive field of the *trained* `DigitsNet` before its pooling. Is it a bell as well?
# 5. Let the three networks of the green maps *learn* from digits that are moved at random, with twice the updates. All maps
#    become nearly flat. (At about 0.8 for the first and 0.9 for both others: the flattened head can learn all places, it only
#    has to be shown them.)
# 6. Saliency of a wrong answer: the gradient of (score of what it says) − (score of what it is). Change ten pixels along it;
#    does the network change its mind?
# 7. Leave the pooling out of the third network. Which squares of its map must become alike, and which need not?
# 8. Set the second convolution of every residual block to zero before training: then each block starts as the identity. How
#    deep can you go without batch normalisation?
#
# ## Where to look
#
# - Functions: [`conv2d` and its transpose](../tinygrad_notes/nn/functional/convolution.py),
#   [`patches`](../tinygrad_notes/ops/patches.py), [pooling](../tinygrad_notes/nn/functional/pooling.py),
#   [`DigitsNet`](../tinygrad_notes/models/digits_net.py), [`LeNet` and `ResidualBlock`](../tinygrad_notes/models/networks.py),
#   [the task](../tinygrad_notes/train/digits.py).
# - Tests: [convolution](../tests/test_convolution.py), [networks](../tests/test_models.py), [tasks](../tests/test_tasks.py).
# - Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, *Gradient-based learning applied to document recognition*, Proceedings of the
#   IEEE 86, 1998. [doi](https://doi.org/10.1109/5.726791)
# - V. Dumoulin, F. Visin, *A guide to convolution arithmetic for deep learning*, 2016.
#   [paper](https://arxiv.org/abs/1603.07285)
# - A. Odena, V. Dumoulin, C. Olah, *Deconvolution and checkerboard artifacts*, Distill, 2016.
#   [doi](https://doi.org/10.23915/distill.00003)
# - W. Luo, Y. Li, R. Urtasun, R. Zemel, *Understanding the effective receptive field in deep convolutional neural networks*,
#   2016. [paper](https://arxiv.org/abs/1701.04128)
# - K. Simonyan, A. Vedaldi, A. Zisserman, *Deep inside convolutional networks*, 2014: saliency maps.
#   [paper](https://arxiv.org/abs/1312.6034)
# - K. He, X. Zhang, S. Ren, J. Sun, *Deep residual learning for image recognition*, 2016.
#   [paper](https://arxiv.org/abs/1512.03385)
