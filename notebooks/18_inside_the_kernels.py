# The source of 18_inside_the_kernels.ipynb: `python notebooks/build.py` executes it and writes the notebook.

# %% [markdown]
# # 18 · Inside the kernels
#
# Below the tape, numbers are computed by loops over arrays. Most belong to numpy; where it was measured to pay, own native code
# takes over (`tinygrad_notes.kernels`). How fast *can* such a loop be, and what decides? You will **see** the staircase of
# caches in a plain copy, the two roofs over every computation (memory and arithmetic), and where sums, exponentials and matrix
# products stand under them, with numpy's beside ours; what one call costs before it computes anything, and from which size a
# kernel or a second thread pays; how $e^x$ is computed and to how many units in the last place it is right; why a matrix
# product is cut into blocks and packed; what fusing saves; and why our sums have the same bits on one thread and on five.
#
# 磁带之下，真正的计算是对数组的循环。大部分由 numpy 完成；经测量确有好处之处，才由自己的原生代码（内核）接手。
# 一个循环最快能有多快，由什么决定？本节在你自己的机器上测量：缓存的“台阶”、内存带宽与算术能力这两道“屋顶”（roofline），
# 并把求和、指数、矩阵乘法逐一放到屋顶之下，与 numpy 比较；再看一次调用的固定开销、从多大的数组起内核或第二个线程才划算、
# $e^x$ 如何计算且误差有多少 ulp、矩阵乘法为何要分块和打包、融合运算省下了什么，以及为何一个线程与五个线程算出的和逐位相同。
#
# **About the figures.** Times depend on the machine, and on what else it does. Those on this page come from one run; yours will
# differ, and nothing below is asserted of a time. What *is* asserted: results, errors and bits. Where there are no kernels
# (another processor, or `TINYGRAD_NOTES_KERNELS=0`) the notebook says so and shows numpy alone.

# %%
import math
import sys
import time
from collections import OrderedDict

import matplotlib.pyplot as plt
import mpmath
import numpy as np
from setting import claim, quick
from tinygrad_notes.kernels import fused, gates, gemm, limits, native, reduce, rows, update, vector
from tinygrad_notes.kernels.ufuncs import ufunc

import tinygrad_notes as tn

sys.path.append("..")  # the benches lie beside the notebooks
from bench.limits import limits as machine_limits
from bench.machine import CACHES
from bench.pools import CORES, Pools, silence

KERNELS = native.available()
pools = Pools()  # sets the threads of ours and of BLAS
BLOCKS, SECONDS = quick((4, 0.008), (1, 0.0005))


def fastest(call):
    """Seconds of the fastest of many calls, in some blocks: before each, all other threads of this program fall silent."""
    clock, best = time.perf_counter, math.inf
    for _ in range(BLOCKS):
        silence()
        call()
        start = clock()
        call()
        calls = max(1, min(1000, int(20e-6 / (clock() - start))))
        samples, end = 0, clock() + SECONDS
        while clock() < end or samples < BLOCKS:
            start = clock()
            for _ in range(calls):
                call()
            best, samples = min(best, (clock() - start) / calls), samples + 1
    return best


def floats(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def one_pass(expression, names):
    """A kernel that computes an expression over float32 arrays in one pass; made when first called."""
    text = fused.kernel(expression, tuple(names), None).texts[0]
    return ufunc("fused", text, "f" * (len(names) + 1))


COLORS = {"numpy": "tab:gray", "kernel": "tab:blue"}
width = f"registers of {native.widths()[0]} bits" if KERNELS else "no kernels here: what follows shows numpy alone"
print(f"{CORES} cores; caches: {', '.join(f'{name} {size / 2**20:.3g} MiB' for name, size in CACHES.items())}; {width}")

# %% [markdown]
# ## How fast can data come?
#
# The simplest loop: copy an array. Nothing is computed; every number is read once and written once. One expects so many bytes
# per second, whatever the size. What is measured instead is a staircase: data that fits the first cache comes from there, and
# so on out to memory. Watch the last step, and what the second thread brings on each.

# %%
SIZES = 2 ** np.arange(12, quick(28, 20))


def aligned(count):
    """float32 that begin on a cache line."""
    raw = np.ones(count + 16, np.float32)
    return raw[(skip := -raw.ctypes.data % 64 // 4) : skip + count]


def copy_rate(size):
    a, out = aligned(size // 8), aligned(size // 8)  # two arrays together have `size` bytes
    if not KERNELS:
        return size / fastest(lambda: np.copyto(out, a))
    times = max(1, quick(2**23, 2**16) // size)
    return times * size / fastest(lambda: limits.copy(a, out, times=times))


fig, ax = plt.subplots(figsize=(7.5, 3.6))
for threads, color in zip(sorted({1, CORES}), ("tab:orange", "tab:blue"), strict=False):
    pools.set(threads)
    rates = [copy_rate(int(size)) / 1e9 for size in SIZES]
    ax.loglog(SIZES, rates, "o-", ms=3, color=color, label=f"{threads} thread{'s' * (threads > 1)}")
for name, size in CACHES.items():
    ax.axvline(size, color="gray", lw=0.8, ls=":")
    ax.text(size, ax.get_ylim()[1], f"{name} ", ha="right", va="top", color="gray")
ax.set(xlabel="bytes of both arrays together", ylabel="GB/s read and written")
ax.legend(frameon=False, loc="lower left")
plt.show()

# %% [markdown]
# Each core has its own first and second cache, so two cores copy about twice as much there; the way to memory is shared. (Not
# every step must show: a third cache may feed a copy about as fast as the second.) From the first cache out to memory the rate
# falls several times over. That, and not arithmetic, decides about most of what follows.
#
# ## Two roofs
#
# And how fast can it be computed? A core does some multiply-adds per cycle on whole registers of numbers, if they are already
# in registers. Both limits are measured below, in the way of the project's benches (`bench/limits.py`). A computation that does
# $W$ operations on $Q$ bytes takes at least the longer of two times, so its rate is at most
#
# $$ \frac{W}{\text{time}} \;\le\; \min\left(\text{peak},\; \frac{W}{Q} \cdot \text{bandwidth}\right) $$
#
# Drawn over the **arithmetic intensity** $W/Q$ that is a slope under a flat roof (Williams, Waterman & Patterson 2009).

# %%
runs = [machine_limits(True, pools) for _ in range(quick(3, 1))]  # a limit is the best that was seen
pools.set(None)
bandwidth = {
    level: max(run.bandwidth[threads][level] for run in runs for threads in run.bandwidth) for level in (*CACHES, "memory")
}
memory, peak = bandwidth["memory"], CORES * max(run.peak["float32"] for run in runs)
ridge = peak / memory
print(f"memory {memory / 1e9:.0f} GB/s, arithmetic {peak / 1e9:.0f} GFLOP/s in float32 (measured by {runs[0].sources['peak']})")
print(f"they meet at {ridge:.1f} operations per byte: {4 * ridge:.0f} for each float32 that is read once")

# %% [markdown]
# Read the last line again. An addition of two arrays does *one* operation on twelve bytes. How much of the arithmetic can it
# use at best? Now the candidates. `flops` counts operations (a function like exp as 15), `bytes` what must be read and written
# at least. Where a computation needs several passes in numpy, the bytes are still those of one: a pass more than needed shows
# as distance from the roof.

# %%
n = quick(2**25, 2**12)
x, y, out = floats(n), floats(n, seed=1), np.empty(n, np.float32)
add = one_pass("x + y", "xy")
table, softmaxed = floats(quick(4096, 64), 1024), np.empty((quick(4096, 64), 1024), np.float32)
vector_, matrix = floats(quick(4096, 64)), floats(quick(4096, 64), quick(4096, 64))


def numpy_softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


candidates = {  # name: (flops, bytes, {side: call})
    "add": (n, 12 * n, {"numpy": lambda: np.add(x, y, out=out), "kernel": lambda: add(x, y, out=out)}),
    "sum": (n, 4 * n, {"numpy": lambda: x.sum(), "kernel": lambda: reduce.sum(x, (0,))}),
    "exp": (15 * n, 8 * n, {"numpy": lambda: np.exp(x, out=out), "kernel": lambda: vector.kernel("exp", "f")(x, out=out)}),
    "softmax": (
        20 * table.size, 8 * table.size,
        {"numpy": lambda: numpy_softmax(table), "kernel": lambda: rows.softmax(table, out=softmaxed)},
    ),
    "matrix · vector": (2 * matrix.size, 4 * matrix.size, {"numpy": lambda: matrix @ vector_}),
}  # fmt: skip
for m in quick((64, 256, 1024), (16,)):
    a, b, c = floats(m, m), floats(m, m, seed=1), np.empty((m, m), np.float32)
    sides = {
        "numpy": lambda a=a, b=b, c=c: np.matmul(a, b, out=c),
        "kernel": lambda a=a, b=b, c=c: gemm.matmul(a, b, c, width=native.widths()[0]),
    }
    candidates[f"matmul {m}"] = 2 * m**3, 12 * m**2, sides

found = {
    name: {side: flops / fastest(call) for side, call in sides.items() if side == "numpy" or KERNELS}
    for name, (flops, _, sides) in candidates.items()
}

# %%
fig, ax = plt.subplots(figsize=(9, 5))
intensity = np.geomspace(0.03, 400, 200)
lowest = math.inf
for level, rate in sorted(bandwidth.items(), key=lambda item: item[1]):
    ax.plot(intensity, np.minimum(peak, intensity * rate) / 1e9, color="black", lw=1.8 if level == "memory" else 0.6)
    if rate > 1.2 * lowest or lowest == math.inf:  # else the labels would overlap
        ax.text(0.033, 0.037 * rate / 1e9, level, size=8, va="bottom", rotation=33, rotation_mode="anchor")
        lowest = rate
ax.text(400, peak / 1e9, f"{CORES} cores: {peak / 1e9:.0f} GFLOP/s", ha="right", va="bottom", size=8)
for name, (flops, moved, _) in candidates.items():
    at = flops / moved
    reached = {side: rate / 1e9 for side, rate in found[name].items()}
    if KERNELS and len(reached) == 2:
        ax.plot([at, at], list(reached.values()), color="tab:blue", lw=0.8)
    for side, rate in reached.items():
        ax.plot(at, rate, "o", color=COLORS[side], ms=6, label=side if name == "add" else None)
    ax.annotate(name, (at, min(reached.values())), (8, -10), textcoords="offset points", ha="left", size=8)
ax.set(
    xscale="log", yscale="log", xlabel="arithmetic intensity: operations per byte", ylabel="GFLOP/s", ylim=(0.3, 3 * peak / 1e9)
)
ax.legend(frameon=False, loc="lower right")
plt.show()

for name, reached in found.items():
    flops, moved, _ = candidates[name]
    bound = min(peak, memory * flops / moved)
    print(
        f"{name:16}",
        "   ".join(f"{side}: {rate / 1e9:7.1f} GFLOP/s, {rate / bound:4.0%} of the roof" for side, rate in reached.items()),
    )

# %% [markdown]
# How to read it: what stands close to the slope is waiting for memory, and better arithmetic would not help; only fewer bytes
# would (see *fusing* below). To the right of the ridge only better use of the arithmetic helps. What stands far below both
# roofs is held back by something else: one thread, or needless passes. Additions and sums of long arrays stand near the slope,
# whoever computes them; a second thread is what lifts ours above numpy's. (The slope is a copy, the best that was seen.
# Reading alone can be faster than that, and a store that does not pass the caches by first fetches the line that it
# overwrites: 60 to 110 % of the slope are what to expect of all cores, less of one.) Exponentials and softmax gain most: numpy
# computes them on one thread, softmax in several passes. Matrix products are the only thing here that comes near the flat
# roof, and the larger, the nearer: $2n^3$ operations on $3n^2$ numbers. That is why deep learning is made of matrix products.
#
# ### Why batches
#
# Lecture notes say: thanks to matrix operations, a step on a batch is *not much slower* than on a single example. A layer of
# $4096 \times 4096$ weights (64 MiB) meets batches of 1 to 512 rows. The weights are read once, for however many rows; with $m$
# rows the intensity is about $m/2$ operations per byte. Up to which $m$ should a row more cost nothing?

# %%
size = quick(4096, 128)
weights, batches = floats(size, size), 2 ** np.arange(quick(10, 6))
intensities = np.array([2 * m * size**2 / (4 * (size**2 + 2 * m * size)) for m in batches])
times = {"numpy": []} | ({"packed weights": []} if KERNELS else {})
w = gemm.pack(weights)
for m in batches:
    batch, result = floats(m, size), np.empty((m, size), np.float32)
    times["numpy"].append(fastest(lambda a=batch, c=result: np.matmul(a, weights, out=c)))
    if KERNELS:
        times["packed weights"].append(fastest(lambda a=batch, c=result: gemm.matmul_packed(a, w, c)))
times = {name: np.array(seconds) for name, seconds in times.items()}

fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4))
for name, seconds in times.items():
    color = {"numpy": "tab:gray", "packed weights": "tab:cyan"}[name]
    left.loglog(batches, seconds * 1e3, "o-", color=color, label=name)
    right.loglog(batches, 2 * batches * size**2 / seconds / 1e9, "o-", color=color)
left.loglog(batches, batches * times["numpy"][0] * 1e3, "k:", lw=1, label="rows one by one")
right.loglog(batches, np.minimum(peak, intensities * memory) / 1e9, "k", lw=1)
left.set(xlabel="rows in the batch", ylabel="ms per step")
left.legend(frameon=False, fontsize=8)
right.set(xlabel="rows in the batch", ylabel="GFLOP/s, and the roof")
fig.tight_layout()
plt.show()

best = np.minimum.reduce(list(times.values()))
claim(
    "D batch products",
    "By matrix operations a step on a batch is not much slower than a step on a single example.",
    "confirmed with limits",
    "The weights come from memory once for all rows: as long as that takes longer than the arithmetic, a row more costs next to nothing; "
    "beyond, each row adds its own arithmetic, but that is a small part of what a row alone costs. (The criterion counts bytes; "
    "the times are shown, not judged.)",
    "intensity_1_row < 0.6 and intensity_32_rows > 10",
    intensity_1_row=intensities[0],
    intensity_32_rows=intensities[5],
    time_of_4_rows_over_1=best[2] / best[0],
    time_of_32_rows_over_1=best[5] / best[0],
)

# %% [markdown]
# (numpy's jump at two rows: one row is a product of matrix and vector; from two rows on its BLAS takes another way. The figures
# above take the faster of the two curves.)
#
# ## What a call costs, and where the gates lie
#
# A kernel that wins on a million numbers may lose on a hundred: before it computes, a call looks at its arguments and finds its
# code. Time per call over the number of elements, for exp. The dotted line is the **gate** (`kernels/gates.py`), from which the
# library takes the kernel. The third curve is a whole operation on a Tensor whose gradient is recorded: node, residual and all.

# %%
counts = 4 ** np.arange(0, quick(11, 6))
calls = {
    "numpy": lambda x: fastest(lambda: np.exp(x)),
    "kernel": lambda x: fastest(lambda: vector.kernel("exp", "f")(x)),
    "Tensor.exp, recorded": lambda x: recorded_exp(tn.tensor(x, requires_grad=True)),
}


def recorded_exp(x):
    return fastest(x.exp)


def per_call(name, count):
    return calls[name](floats(int(count)))


fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8))
curves = {name: [per_call(name, count) for count in counts] for name in calls if name != "kernel" or KERNELS}
for name, seconds in curves.items():
    color = COLORS.get(name, "tab:red")
    left.loglog(counts, np.array(seconds) * 1e6, "o-", ms=3, color=color, label=name)
    right.loglog(counts, np.array(seconds) * 1e9 / counts, "o-", ms=3, color=color, label=name)
gate = gates.VECTOR["exp"]["f"]
for ax in (left, right):
    ax.axvline(gate, color="black", lw=0.8, ls=":")
    ax.set(xlabel="elements")
left.set(ylabel="µs per call")
right.set(ylabel="ns per element")
left.legend(frameon=False, fontsize=8)
fig.tight_layout()
plt.show()
print("one element: " + ", ".join(f"{name} {seconds[0] * 1e6:.2f} µs" for name, seconds in curves.items()))

# %% [markdown]
# Flat on the left: the price of a call. Falling straight on the right: the same, shared by more and more elements, until the
# price of an element itself remains. An engine that records each operation pays its own share per call, which vanishes toward a
# hundred thousand elements. Small models are all about the left half of these pictures, large ones about the right.
#
# A gate is never set below the crossing, and for some functions well above it: a kernel is compiled when it is first used, and
# small programs should compile nothing.
#
# ## What a second thread brings
#
# Sharing work costs a few microseconds too: the others must be told, and waited for. The team therefore looks at how many
# cycles the work will take and leaves short work to one thread. How much faster are all cores than one, for work on memory
# (add), for arithmetic on every element (exp), for a product? Predict both ends of each curve before you look; remember the
# staircase.

# %%
if KERNELS and CORES > 1:
    exp, sizes = vector.kernel("exp", "f"), 4 ** np.arange(4, quick(13, 7))
    x, y, out = floats(sizes[-1]), floats(sizes[-1], seed=1), np.empty(sizes[-1], np.float32)

    def shared(name, size):
        """A call whose arrays have about so many elements."""
        m = math.isqrt(size)
        if name == "matmul":
            a, b, c = (array[: m * m].reshape(m, m) for array in (x, y, out))
            return lambda: gemm.matmul(a, b, c, width=native.widths()[0])
        return (lambda: add(x[:size], y[:size], out=out[:size])) if name == "add" else (lambda: exp(x[:size], out=out[:size]))

    fig, ax = plt.subplots(figsize=(7, 3.4))
    for name, color in (("add", "tab:orange"), ("exp", "tab:blue"), ("matmul", "tab:green")):
        own = sizes[sizes <= 4**11] if name == "matmul" else sizes
        times = {}
        for threads in (1, CORES):
            pools.set(threads)
            times[threads] = np.array([fastest(shared(name, int(size))) for size in own])
        ax.semilogx(own, times[1] / times[CORES], "o-", ms=3, color=color, label=name)
    pools.set(None)
    ax.axhline(1, color="gray", lw=0.8)
    ax.axhline(CORES, color="gray", lw=0.8)
    ax.set(xlabel="elements of each array", ylabel=f"1 thread / {CORES} threads", ylim=(0.4, CORES + 1))
    ax.legend(frameon=False)
    plt.show()
else:
    print("one core, or no kernels: nothing to share")

# %% [markdown]
# At the left end one thread does all. In the middle as many threads are as many times faster, or more: each brings its own
# caches along, and halves may fit where the whole did not. At the right end add and exp wait for the
# same memory; a product, which uses each number many times, goes on gaining.
#
# ## The same bits on any number of threads
#
# Floating-point addition is not associative: $(a + b) + c \ne a + (b + c)$. If each thread sums its own part and the parts are
# added, then the result depends on how many threads there were, and a training run on another machine goes another way. Here
# the order is fixed by the *shape*: work is cut into the same pieces for any number of threads, and pieces are combined in the
# same order.

# %%
changed = 0
for seed in range(quick(100, 5)):
    x = floats(100_003, seed=seed)
    totals = {threads: float(sum(part.sum() for part in np.array_split(x, threads))) for threads in (1, 2, 3, 4)}
    changed += len(set(totals.values())) > 1
print("parts added, for 1 to 4 threads, of the last array:", *totals.values())
print(f"the number of threads changes the sum of {changed} of {seed + 1} arrays")

if KERNELS:
    table, a, b = floats(777, 1001), floats(333, 517), floats(517, 402)
    results = {}
    for threads in (1, 2, 3, 5):
        tn.set_num_threads(threads)
        results[threads] = [
            f(*arguments).tobytes()
            for f, arguments in (
                (reduce.sum, (x, (0,))), (reduce.sum, (table, (0,))), (rows.softmax, (table,)), (vector.kernel("exp", "f"), (x,)),
                (lambda a, b: gemm.matmul(a, b, width=native.widths()[0]), (a, b)),  # BLAS's own products promise nothing
            )
        ]  # fmt: skip
    pools.set(None)
    assert all(result == results[1] for result in results.values())
    print("kernels: sums, softmax, exp and the kernels' products are equal bit for bit on 1, 2, 3 and 5 threads")

# %% [markdown]
# ### And how right is a sum?
#
# A million positive numbers in float32. Added one after the other, each addition rounds at the size of the total so far, and
# the errors pile up. Pairwise (numpy along the last axis) the pile is only as high as the tree: $\log_2 n$. Our kernels sum
# short blocks, and add the blocks in float64. The truth is `math.fsum`, which is exact.

# %%
lengths = 4 ** np.arange(2, quick(12, 7))


def side_by_side(x):
    """The numbers as a column of a matrix, large enough for a kernel."""
    return np.repeat(x[:, None], max(2, gates.REDUCE["sum"] // len(x)), 1)


ways = {
    "one after the other": lambda x: np.add.accumulate(x)[-1],
    "numpy, along rows (axis 0)": lambda x: side_by_side(x).sum(0)[0],
    "numpy, contiguous": lambda x: x.sum(),
    "kernel, along rows (axis 0)": lambda x: reduce.sum(side_by_side(x), (0,))[0],
    "kernel, contiguous": lambda x: reduce.sum(x, (0,))[()],
}
errors = {name: [] for name in ways if KERNELS or "kernel" not in name}
for length in lengths:
    xs = [np.random.default_rng([seed, length]).random(length, dtype=np.float32) for seed in range(2)]
    for name in errors:
        exact = [math.fsum(x) for x in xs]
        errors[name].append(
            max(abs(float(ways[name](x)) - e) / np.spacing(np.float32(e)) for x, e in zip(xs, exact, strict=True))
        )

fig, ax = plt.subplots(figsize=(7, 3.6))
for name, error in errors.items():
    color = {"o": "tab:red", "n": "tab:gray", "k": "tab:blue"}[name[0]]
    thick = {"lw": 6, "alpha": 0.3} if name[0] == "o" else {}
    ax.loglog(lengths, np.maximum(error, 0.05), "o--" if "rows" in name else "o-", ms=3, color=color, label=name, **thick)
ax.set(xlabel="numbers added", ylabel="worst error, units in the last place")
ax.legend(frameon=False, fontsize=8)
plt.show()
assert max(errors["one after the other"]) > 30 * max(errors["numpy, contiguous"]) or lengths[-1] < 10**6
if KERNELS:
    assert max(errors["kernel, contiguous"] + errors["kernel, along rows (axis 0)"]) <= 2

# %% [markdown]
# The dashed grey curve surprises many: numpy's sums are pairwise along *contiguous* numbers only. Over the rows of a matrix, as
# in the gradient of a bias, it adds one row after the other.
#
# ## How to compute $e^x$
#
# The processors that this library runs on have no vector instruction for it. Write $x = n \ln 2 + r$ with an integer $n$ and
# $|r| \le \tfrac12\ln 2$; then $e^x = 2^n e^r$. Multiplying by $2^n$ is a change of the exponent's bits, and on that short
# interval a polynomial does. How many terms? And are Taylor's the best?

# %%
half = math.log(2) / 2
r = np.linspace(-half, half, 2001)
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6))
worst = {}
for name, color in (("Taylor", "tab:orange"), ("equal ripples", "tab:blue")):
    worst[name] = []
    for degree in range(2, 10):
        if name == "Taylor":
            coefficients = [1 / math.factorial(k) for k in range(degree + 1)]
        else:  # through the zeros of a Chebyshev polynomial: close to the best there is
            nodes = half * np.cos(np.pi * (np.arange(degree + 1) + 0.5) / (degree + 1))
            coefficients = np.polynomial.Polynomial.fit(nodes, np.exp(nodes), degree).convert().coef
        relative = np.polynomial.polynomial.polyval(r, coefficients) / np.exp(r) - 1
        worst[name].append(np.abs(relative).max())
        if degree == 5:
            left.plot(r, relative, color=color, label=name)
    right.semilogy(range(2, 10), worst[name], "o-", color=color, label=name)
left.set(xlabel="r", title="relative error, degree 5")
left.legend(frameon=False, fontsize=8)
for dtype in (np.float32, np.float64):
    right.axhline(np.finfo(dtype).eps / 2, color="gray", lw=0.8, ls="--")
    right.text(9, np.finfo(dtype).eps / 2, f"half a unit of {dtype.__name__}", ha="right", va="bottom", color="gray", size=8)
right.set(xlabel="degree", title="worst relative error")
fig.tight_layout()
plt.show()

# %% [markdown]
# Taylor is perfect in the middle and pays at the ends. Spreading the error evenly makes the worst of it thirty times smaller
# at degree 5, with the same number of multiplications; the kernels' coefficients (`kernels/jit/constants.py`) come from the
# same idea. Here is the whole function in numpy, in float32, branch-free as in a vector loop:

# %%
LOG2_E = np.float32(1 / math.log(2))
HIGH, LOW = np.float32(0.693359375), np.float32(math.log(2) - 0.693359375)  # ln 2 in two parts: n * HIGH is exact
nodes = half * np.cos(np.pi * (np.arange(7) + 0.5) / 7)
COEFFICIENTS = np.polynomial.Polynomial.fit(nodes, np.exp(nodes), 6).convert().coef.astype(np.float32)


def my_exp(x):
    n = np.rint(x * LOG2_E)
    r = (x - n * HIGH) - n * LOW
    result = np.full_like(x, COEFFICIENTS[-1])
    for c in COEFFICIENTS[-2::-1]:
        result = result * r + c  # Horner
    return np.ldexp(result, n.astype(np.int32))


def ulps(computed, x, exact):
    """Errors in units in the last place of the exact results, which mpmath knows to forty digits."""
    with mpmath.workdps(40):
        true = [exact(mpmath.mpf(float(v))) for v in x]
        unit = [float(np.spacing(abs(x.dtype.type(float(t))))) for t in true]
        return np.array([float(abs(mpmath.mpf(float(c)) - t) / u) for c, t, u in zip(computed, true, unit, strict=True)])


x = np.linspace(-80, 80, quick(1001, 101), dtype=np.float32)
mine = ulps(my_exp(x), x, mpmath.exp)
print(f"worst error: mine {mine.max():.2f} ulp, numpy {ulps(np.exp(x), x, mpmath.exp).max():.2f} ulp")
assert mine.max() < 4

# %% [markdown]
# ### Right to how many digits?
#
# An **ulp** is the distance between neighbouring floating-point numbers; 0.5 is the best possible. Now the library's functions
# in float64 at a few hundred points each, beside what one would write at first. Grey are formulas from a textbook, blue the
# library.

# %%
points = quick(400, 40)
naive = {
    "tanh": (lambda x: (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x)), np.linspace(-3, 3, points)),
    "log1p": (lambda x: np.log(1 + x), np.linspace(-0.5, 1, points)),
    "sigmoid": (lambda x: 1 / (1 + np.exp(-x)), np.linspace(-30, 30, points)),
    "erfc": (lambda x: 1 - vector.erf(x), np.linspace(-3, 5, points)),
}
exact = {
    "tanh": mpmath.tanh, "log1p": mpmath.log1p, "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)), "erfc": mpmath.erfc,
}  # fmt: skip
fig, axes = plt.subplots(1, 4, figsize=(10, 3))
largest = {}
for ax, (name, (formula, x)) in zip(axes, naive.items(), strict=True):
    x = np.repeat(x, max(1, 512 // points))  # long enough to pass the gates
    library = getattr(vector, name)(x)
    step = max(1, 512 // points)
    x, library = x[::step], library[::step]
    ax.semilogy(x, ulps(formula(x), x, exact[name]) + 0.01, ".", ms=3, color="tab:gray", label="textbook")
    error = ulps(library, x, exact[name])
    ax.semilogy(x, error + 0.01, ".", ms=3, color="tab:blue", label="library")
    ax.axhline(0.5, color="black", lw=0.6)
    ax.set(title=name, xlabel="x")
    largest[name] = error.max()
axes[0].set(ylabel="error in ulp")
axes[0].legend(frameon=False, fontsize=8, markerscale=2)
fig.tight_layout()
plt.show()
print("largest error of the library:", ", ".join(f"{name} {error:.2f} ulp" for name, error in largest.items()))
assert not KERNELS or max(largest.values()) < 4

# %% [markdown]
# The textbook is right until digits are lost: near 0 for tanh, where two nearly equal numbers are subtracted; near 0 for
# $\log(1 + x)$, where adding 1 rounds the digits of $x$ away; and in the tail for $1 - \mathrm{erf}$, where at $x = 5$ fewer
# than five digits are left and at 6 none. Functions like `log1p`, `erfc` and `logsigmoid` exist for exactly this;
# losses are written in them. (sigmoid subtracts nothing: there the textbook is as good, and the library gains time only.)
#
# ## A matrix product, block by block
#
# $C = AB$ has $2n^3$ operations on $3n^2$ numbers: each number is used $n$ times. If it has to come from memory each time, the
# product is as slow as an addition. So all depends on using a number again *while it is near*. A little model of a cache: it
# holds 32 lines of 8 numbers, the line that was not used for longest makes room. Three orders of the same loops, and the same
# in blocks; how many lines must be fetched?


# %%
def fetched(accesses, lines=32, length=8):
    """How many lines a cache fetches for a sequence of addresses."""
    cache, count = OrderedDict(), 0
    for address in accesses:
        line = address // length
        if line in cache:
            cache.move_to_end(line)
        else:
            count += 1
            cache[line] = None
            if len(cache) > lines:
                cache.popitem(last=False)
    return count


def addresses(indices, n):
    """Where C, A and B are touched: three matrices one after the other, row by row."""
    for i, j, k in indices:
        yield from (i * n + j, n * n + i * n + k, 2 * n * n + k * n + j)


n, t = quick(48, 16), 8
orders = {
    "i j k\n(dot products)": ((i, j, k) for i in range(n) for j in range(n) for k in range(n)),
    "i k j\n(rows of B)": ((i, j, k) for i in range(n) for k in range(n) for j in range(n)),
    "j k i\n(columns)": ((i, j, k) for j in range(n) for k in range(n) for i in range(n)),
    f"blocks of {t}×{t}": (
        (i0 + i, j0 + j, k0 + k)
        for i0 in range(0, n, t) for j0 in range(0, n, t) for k0 in range(0, n, t)
        for i in range(t) for k in range(t) for j in range(t)
    ),
}  # fmt: skip
counted = {name: fetched(addresses(order, n)) for name, order in orders.items()}
assert min(counted, key=counted.get).startswith("blocks")

fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), width_ratios=[1.2, 1])
bars = left.bar(counted.keys(), counted.values(), color=["tab:gray"] * 3 + ["tab:blue"])
left.bar_label(bars, fmt="{:,.0f}", size=8)
left.axhline(3 * n * n / 8, color="black", lw=0.8, ls="--")
left.text(3.45, 3 * n * n / 8, "each line once", ha="right", va="bottom", size=8)
left.set(yscale="log", title="lines fetched", ylim=(500 if n == 48 else None, None))
left.tick_params(axis="x", labelsize=8)
edges = np.arange(1, 13)
loads = edges[:, None] * edges / (edges[:, None] + edges)
fits = edges[:, None] * edges + edges + 1 <= 32  # sums, vectors of B, one of A
image = right.imshow(np.where(fits, loads, np.nan), cmap="viridis", origin="lower", extent=(0.5, 12.5, 0.5, 12.5))
right.plot(3, 9, "s", ms=20, mfc="none", mec="red")
right.set(xlabel="vectors of B", ylabel="rows of A", title="multiply-adds per load, in 32 registers")
fig.colorbar(image, ax=right)
fig.tight_layout()
plt.show()

# %% [markdown]
# The same idea once more, one level further in (right): the fastest memory are the 32 **registers**. A tile of $r$ rows and $v$
# vectors keeps $r \times v$ sums there; per step it loads $v$ vectors of B and $r$ numbers of A, and does $r\,v$ multiply-adds.
# The sums, the $v$ vectors and one number of A must fit. A core can do about as many loads as multiply-adds per cycle, so every
# tile well above 1 will do. The red square, $9 \times 3$, is the one that the kernels take where there are 32 registers.
#
# ### Packing
#
# A tile reads B downward, three vectors wide. In a matrix that stands row by row, the next row is a whole row's length away:
# another line, often another page. So the block of B is first **packed** into panels, in the order in which it will be read:
# `panel[vector, k, lane] = b[k, vector · lanes + lane]`. Colour shows the place in memory, dark first:

# %%
k, n, lanes = 8, 24, 8
place = np.arange(k * n).reshape(k, n)
panels = np.arange(k * n).reshape(n // lanes, k, lanes)  # where panel[v, k, lane] stands
packed = panels.swapaxes(0, 1).reshape(k, n)  # the same, drawn where the element was in B
fig, axes = plt.subplots(1, 2, figsize=(9, 2.3))
for ax, where, title in zip(axes, (place, packed), ("row by row", "packed in panels, 8 wide"), strict=True):
    ax.imshow(where, cmap="viridis")
    path = np.argsort(where, axis=None)
    ax.plot(path % n, path // n, color="white", lw=0.5)
    ax.set(title=title, xlabel="column of B", ylabel="k")
plt.show()

if KERNELS:  # what the kernels make of it
    b = floats(40, 100)
    w = gemm.pack(b)
    assert (w.unpack() == b).all()

# %% [markdown]
# Packing costs a pass over B, so it pays if many rows of A use it; weights that do not change can be packed once (`gemm.pack`).
# All of it in numpy, small enough to read: blocks of $k$, panels of B, tiles of rows. It does in slow motion what the kernels
# do:


# %%
def blocked_product(a, b, *, rows=9, lanes=16, vectors=3, depth=64):
    """A @ B, block by block, tile by tile; every sum runs over k in order."""
    (m, k), n = a.shape, b.shape[1]
    wide = lanes * vectors
    c = np.zeros((m, -(-n // wide) * wide), a.dtype)
    for k0 in range(0, k, depth):
        block = np.zeros((min(depth, k - k0), c.shape[1]), b.dtype)
        block[:, :n] = b[k0 : k0 + depth]
        panels = np.ascontiguousarray(block.reshape(len(block), -1, wide).swapaxes(0, 1))  # packed
        for j, panel in enumerate(panels):  # stays in the second cache
            for i in range(0, m, rows):
                tile = c[i : i + rows, j * wide : (j + 1) * wide]  # stays in registers
                for row_of_b, column_of_a in zip(panel, a[i : i + rows, k0 : k0 + depth].T, strict=True):
                    tile += column_of_a[:, None] * row_of_b
    return c[:, :n]


a, b = floats(50, 150), floats(150, 70, seed=1)
np.testing.assert_allclose(blocked_product(a, b), a.astype(np.float64) @ b, rtol=1e-4, atol=1e-4)

# %% [markdown]
# And the real ones, against numpy's BLAS (OpenBLAS, which does all this too), all on all cores. "Packed before" is the case of
# a layer whose weights do not change between calls, as when a trained network is used.

# %%
SHAPES = quick(
    [(8, 512, 2048), (32, 256, 1024), (64, 512, 2048), (128, 128, 128), (512, 512, 512), (1024, 1024, 1024)], [(8, 32, 64)]
)


def rates(m, k, n):
    a, b, c = floats(m, k), floats(k, n, seed=1), np.empty((m, n), np.float32)
    sides = {"numpy": lambda: np.matmul(a, b, out=c)}
    if KERNELS:
        w = gemm.pack(b)
        sides["kernel"] = lambda: gemm.matmul(a, b, c, width=native.widths()[0])
        sides["packed before"] = lambda: gemm.matmul_packed(a, w, c)
    return {side: 2 * m * k * n / fastest(call) / 1e9 for side, call in sides.items()}


measured = [rates(*shape) for shape in SHAPES]
fig, ax = plt.subplots(figsize=(8, 3.4))
for i, side in enumerate(measured[0]):
    color = {"numpy": "tab:gray", "kernel": "tab:blue", "packed before": "tab:cyan"}[side]
    ax.bar(np.arange(len(SHAPES)) + 0.27 * i, [rate[side] for rate in measured], 0.25, color=color, label=side)
ax.axhline(peak / 1e9, color="black", lw=0.8, ls="--")
ax.text(len(SHAPES) - 0.4, peak / 1e9, "peak", va="bottom", ha="right", size=8)
ax.set_xticks(np.arange(len(SHAPES)) + 0.27, ["×".join(map(str, shape)) for shape in SHAPES], size=8)
ax.set(ylabel="GFLOP/s", ylim=(0, 1.45 * peak / 1e9))
ax.legend(frameon=False, fontsize=8, loc="upper left", ncols=3)
plt.show()

# %% [markdown]
# Few rows are the hard case: packing is shared by few of them, and so are the numbers of B. (Which of the two a product of
# Tensors takes, a gate decides, by the shapes: `kernels/gates.py`.)
#
# ## One pass instead of many
#
# Under the slope only bytes count. `a * b + c` in numpy is two passes: the product is written to memory and read again. A
# *fused* kernel keeps it in a register. A chain of multiplications and additions, longer and longer, over arrays larger than
# the caches:

# %%
n = quick(2**23, 2**12)
x, y, out, scratch = floats(n), floats(n, seed=1), np.empty(n, np.float32), np.empty(n, np.float32)
lengths = quick((1, 2, 4, 8, 16), (1, 2))


def chain(length):
    """``x * y + y * ...``: so many operations, as text and as separate passes of numpy."""
    text = "x"
    for i in range(length):
        text = f"({text}) {'*+'[i % 2]} y"

    def passes():
        (np.multiply)(x, y, out=out)
        for i in range(1, length):
            (np.multiply, np.add)[i % 2](out, y, out=out)
        return out

    return text, passes


times = {"numpy": [], "kernel": []}
for length in lengths:
    text, passes = chain(length)
    times["numpy"].append(fastest(passes) * 1e3)
    if KERNELS:
        together = one_pass(text, "xy")
        np.testing.assert_array_equal(together(x, y, out=scratch), passes())  # numpy's bits
        times["kernel"].append(fastest(lambda f=together: f(x, y, out=scratch)) * 1e3)

fig, ax = plt.subplots()
for name, label in (("numpy", "numpy, a pass each"), ("kernel", "one fused pass")):
    if times[name]:
        ax.plot(lengths, times[name], "o-", color=COLORS[name], label=label)
ax.axhline(12 * n / memory * 1e3, color="black", lw=0.8, ls="--", label="three arrays through memory")
ax.set(xlabel="operations per element", ylabel="ms", ylim=(0, None))
ax.legend(frameon=False)
plt.show()

# %% [markdown]
# Separate passes cost as many times the traffic as there are passes; the fused one costs the traffic of its operands, until
# there is so much arithmetic that it shows. The bits are the same: fusing changes where a value waits, not how it is rounded.
#
# The same in an optimizer. Adam reads four arrays (weights, gradient, two moments) and writes three; written in numpy line by
# line it makes more than a dozen passes. (The last figure printed takes the bandwidth of a copy for memory's: an estimate and
# no strict bound, since a kernel that writes where it has just read can move bytes faster than a copy does.)

# %%
n = quick(2**23, 2**10)
state = {side: [floats(n, seed=i) ** 2 if i == 3 else floats(n, seed=i) for i in range(4)] for side in ("numpy", "kernel")}
HYPER = {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8}


def adam_in_numpy(p, g, m, v, *, step, lr, betas, eps):
    m *= betas[0]
    m += (1 - betas[0]) * g
    v *= betas[1]
    v += (1 - betas[1]) * g * g
    p -= lr * (m / (1 - betas[0] ** step)) / (np.sqrt(v / (1 - betas[1] ** step)) + eps)


adam_in_numpy(*state["numpy"], step=3, **HYPER)
update.adam(*state["kernel"], step=3, **HYPER)
for ours, theirs in zip(state["kernel"], state["numpy"], strict=True):
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)

adam = {"numpy": fastest(lambda: adam_in_numpy(*state["numpy"], step=4, **HYPER))}
if KERNELS:
    adam["kernel"] = fastest(lambda: update.adam(*state["kernel"], step=4, **HYPER))
print(f"Adam, {n:,} weights: " + ", ".join(f"{side} {seconds * 1e3:.2f} ms" for side, seconds in adam.items()))
print(f"seven arrays through memory once: {28 * n / memory * 1e3:.2f} ms")

# %% [markdown]
# ## What was seen
#
# - A computation is bound by memory or by arithmetic; its intensity says by which. Elementwise work is bound by memory, large
#   products by arithmetic.
# - A call has a price before its first number; gates say from where a kernel or a second thread pays.
# - Order decides about bits: fixed by the shape, it makes results independent of threads; in blocks and pairs it keeps sums
#   right.
# - A function is a reduction of its argument and a short polynomial; where a formula subtracts equals, another one is needed.
# - Blocks, panels and register tiles are one idea at three distances: use a number again while it is near.
# - Fusing saves traffic, not arithmetic, and the bits stay.
#
# ## Things to try
#
# 1. Run the notebook with `TINYGRAD_NOTES_KERNELS=0`, and on one core (`taskset -c 0`). Which points of the roofline
#    move?
# 2. Give the little cache 1024 lines. From which size on are all four orders equal, and why?
# 3. In the little cache, take blocks of 4, 8, 16, 24. Which is best, and what has to fit into 32 lines of 8?
# 4. Let `n` of the little cache be 64 instead of 48, with a cache that has four *ways* (a line may stand in one of four places
#    only, by its address). Powers of two are the worst sizes. Pad each row by a line: what happens?
# 5. Take a polynomial of degree 3 for exp and train a small network with it. How many correct digits does training need?
# 6. Sum `x` in float32 in the order of falling size, and of rising size. Which is better, and is it as good as pairwise?
# 7. Measure `np.exp` in float64 and compare with float32: half the lanes, and a polynomial of higher degree. What factor do you
#    expect?
# 8. Write `log_softmax` as four numpy passes, draw it into the roofline, then as `rows.log_softmax`.
#
# ## Where to look
#
# - Code: [gates](../kernels/gates.py), [native code and its cache](../kernels/native.py), [the team of
#   threads](../kernels/team.py), [formulas](../kernels/jit/formulas.py), [sums](../kernels/jit/folds.py),
#   [tiles](../kernels/jit/tiles.py), [panels](../kernels/jit/panels.py), [products](../kernels/jit/gemm.py), [fused
#   expressions](../kernels/fused.py).
# - Benches: [limits](../bench/limits.py), [roofline](../bench/roofline.py), [accuracy](../bench/accuracy.py); `make bench` runs
#   all. Tests: [math](../tests/test_kernels_math.py), [products](../tests/test_kernels_gemm.py),
#   [sums](../tests/test_kernels_reduce.py), [threads](../tests/test_kernels_team.py).
# - S. Williams, A. Waterman, D. Patterson, *Roofline: an insightful visual performance model for multicore architectures*,
#   Communications of the ACM 52, 2009. [doi](https://doi.org/10.1145/1498765.1498785)
# - K. Goto, R. van de Geijn, *Anatomy of high-performance matrix multiplication*, ACM Transactions on Mathematical Software 34,
#   2008. [doi](https://doi.org/10.1145/1356052.1356053)
# - N. J. Higham, *The accuracy of floating point summation*, SIAM Journal on Scientific Computing 14, 1993.
#   [doi](https://doi.org/10.1137/0914050)
# - D. Goldberg, *What every computer scientist should know about floating-point arithmetic*, ACM Computing Surveys 23, 1991.
#   [doi](https://doi.org/10.1145/103162.103163)
