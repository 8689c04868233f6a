"""Every module beside torch's of the same name, with the same state: representation, state_dict, result, gradients."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

Make = Callable[[Any], Any]


def _x(*shape: int, low: float = -2.0, high: float = 2.0) -> np.ndarray:
    return np.random.default_rng(len(shape)).uniform(low, high, shape)


X = (_x(4, 6),)
PAIR = (_x(4, 6), _x(4, 6, low=0.1, high=0.9))
LABELS = (_x(4, 6), np.array([0, 5, 2, 2]))
LINE, PLANE = (_x(2, 4, 7),), (_x(2, 4, 5, 6),)
SIGNS = np.array([1, -1, -1, 1])

MODULES: list[tuple[Make, tuple[np.ndarray, ...]]] = [
    *((lambda m, name=name: getattr(m.nn, name)(), X) for name in (
        "ReLU", "ReLU6", "LeakyReLU", "ELU", "CELU", "SELU", "GELU", "SiLU", "Mish", "Sigmoid", "LogSigmoid", "Tanh", "Tanhshrink",
        "Softplus", "Softsign", "Hardtanh", "Hardswish", "Hardshrink", "Softshrink", "GLU", "PReLU", "Identity", "Flatten",
        "Hardsigmoid",
    )),
    (lambda m: m.nn.LeakyReLU(0.3), X),
    (lambda m: m.nn.ELU(alpha=0.5), X),
    (lambda m: m.nn.RReLU().eval(), X),
    (lambda m: m.nn.RReLU(0.2, 0.2), X),
    (lambda m: m.nn.GELU("tanh"), X),
    (lambda m: m.nn.GELU(approximate="tanh"), X),
    (lambda m: m.nn.Softplus(2, threshold=1.5), X),
    (lambda m: m.nn.Hardtanh(-0.5, 0.25), X),
    (lambda m: m.nn.Threshold(0.1, 20.0), X),
    (lambda m: m.nn.Hardshrink(1.0), X),
    (lambda m: m.nn.Softmax(1), X),
    (lambda m: m.nn.LogSoftmax(dim=-1), X),
    (lambda m: m.nn.Softmin(dim=0), X),
    (lambda m: m.nn.GLU(0), X),
    (lambda m: m.nn.PReLU(6, 0.5), X),
    (lambda m: m.nn.Identity(3, what=4), X),
    (lambda m: m.nn.Flatten(0, 1), (_x(2, 3, 4),)),
    (lambda m: m.nn.Unflatten(1, (2, 3)), X),
    *((lambda m, name=name: getattr(m.nn, name)(), PAIR) for name in (
        "MSELoss", "L1Loss", "HuberLoss", "SmoothL1Loss", "BCEWithLogitsLoss", "CosineSimilarity", "PairwiseDistance",
    )),
    (lambda m: m.nn.MSELoss(reduction="sum"), PAIR),
    (lambda m: m.nn.HuberLoss("none", 0.5), PAIR),
    (lambda m: m.nn.SmoothL1Loss(beta=0.5), PAIR),
    (lambda m: m.nn.GaussianNLLLoss(full=True), (*PAIR, _x(4, 6, low=0.5))),
    (lambda m: m.nn.BCELoss(), PAIR[1:] * 2),
    (lambda m: m.nn.BCELoss(m.tensor([0.5] * 6, dtype=m.float64), reduction="sum"), PAIR[1:] * 2),
    (lambda m: m.nn.BCEWithLogitsLoss(pos_weight=m.tensor([2.0] * 6, dtype=m.float64)), PAIR),
    (lambda m: m.nn.KLDivLoss(reduction="batchmean"), PAIR),
    (lambda m: m.nn.KLDivLoss(reduction="sum", log_target=True), PAIR),
    (lambda m: m.nn.SoftMarginLoss(), (_x(4), SIGNS)),
    (lambda m: m.nn.PoissonNLLLoss(), PAIR),
    (lambda m: m.nn.PoissonNLLLoss(False, full=True, eps=0.1), (PAIR[1], np.array([[0, 1, 2, 3, 4, 5]] * 4))),
    (lambda m: m.nn.MultiMarginLoss(), LABELS),
    (lambda m: m.nn.MultiMarginLoss(2, 0.5, m.tensor([0.5] * 6, dtype=m.float64), reduction="sum"), LABELS),
    (lambda m: m.nn.NLLLoss(), LABELS),
    (lambda m: m.nn.CrossEntropyLoss(), LABELS),
    (lambda m: m.nn.CrossEntropyLoss(m.tensor([0.5] * 6, dtype=m.float64), ignore_index=2, label_smoothing=0.1), LABELS),
    (lambda m: m.nn.HingeEmbeddingLoss(0.7), (_x(4), SIGNS)),
    (lambda m: m.nn.CosineEmbeddingLoss(margin=0.1), (*PAIR, SIGNS)),
    (lambda m: m.nn.MarginRankingLoss(0.5), (_x(4), _x(4) ** 2, SIGNS)),
    (lambda m: m.nn.TripletMarginLoss(2.0, swap=True), (*PAIR, PAIR[0] ** 2)),
    (lambda m: m.nn.CosineSimilarity(0, eps=0.1), PAIR),
    (lambda m: m.nn.PairwiseDistance(1.0, keepdim=True), PAIR),
    (lambda m: m.nn.Linear(6, 2), X),
    (lambda m: m.nn.Linear(6, 2, bias=False), X),
    (lambda m: m.nn.Bilinear(6, 6, 2), PAIR),
    (lambda m: m.nn.Embedding(6, 2, padding_idx=2), LABELS[1:]),
    (lambda m: m.nn.Dropout(0.0), X),
    (lambda m: m.nn.AlphaDropout(0.3).eval(), X),
    (lambda m: m.nn.Dropout1d(0.3).eval(), X),
    (lambda m: m.nn.Dropout2d(1.0), (_x(2, 3, 2, 2),)),
    (lambda m: m.nn.Dropout3d(0.3).eval(), (_x(2, 3, 2, 2),)),
    (lambda m: m.nn.LayerNorm(6), X),
    (lambda m: m.nn.LayerNorm((4, 6), eps=0.1, bias=False), X),
    (lambda m: m.nn.LayerNorm([6], elementwise_affine=False), X),
    (lambda m: m.nn.RMSNorm(6), X),
    (lambda m: m.nn.RMSNorm((4, 6), eps=0.1, elementwise_affine=False), X),
    (lambda m: m.nn.GroupNorm(2, 6), X),
    (lambda m: m.nn.GroupNorm(3, 6, affine=False), (_x(2, 6, 3),)),
    (lambda m: m.nn.BatchNorm1d(6), X),
    (lambda m: m.nn.BatchNorm1d(6).eval(), X),
    (lambda m: m.nn.BatchNorm1d(6, momentum=None, eps=0.1), (_x(3, 6, 2),)),
    (lambda m: m.nn.BatchNorm1d(6, affine=False, track_running_stats=False).eval(), X),
    (lambda m: m.nn.BatchNorm2d(3), (_x(2, 3, 2, 2),)),
    (lambda m: m.nn.BatchNorm3d(3, momentum=0.5), (_x(2, 3, 2, 1, 2),)),
    (lambda m: m.nn.InstanceNorm1d(3), (_x(2, 3, 4),)),
    (lambda m: m.nn.InstanceNorm1d(3), (_x(3, 4),)),
    (lambda m: m.nn.InstanceNorm2d(3, affine=True, track_running_stats=True), (_x(2, 3, 2, 2),)),
    (lambda m: m.nn.InstanceNorm3d(3, track_running_stats=True).eval(), (_x(2, 3, 2, 1, 2),)),
    (lambda m: m.nn.EmbeddingBag(6, 2), (np.array([[0, 5, 2], [3, 3, 1]]),)),
    (lambda m: m.nn.EmbeddingBag(6, 2, mode="max", padding_idx=3), (np.array([0, 5, 2, 3, 3]), np.array([0, 2, 3]))),
    (lambda m: m.nn.EmbeddingBag(6, 2, mode="sum", include_last_offset=True), (np.array([0, 5, 2, 3]), np.array([0, 0, 3, 4]))),
    (lambda m: m.nn.Conv1d(4, 6, 3), LINE),
    (lambda m: m.nn.Conv1d(4, 6, (3,), stride=2, padding=1, dilation=2, groups=2, bias=False), LINE),
    *((lambda m, mode=mode: m.nn.Conv1d(4, 2, 2, padding="same", padding_mode=mode), LINE) for mode in ("reflect", "replicate")),
    (lambda m: m.nn.Conv2d(4, 6, (3, 2), padding=(1, 2), padding_mode="circular"), PLANE),
    (lambda m: m.nn.Conv2d(4, 4, 2, padding="valid", groups=4), PLANE),
    (lambda m: m.nn.Conv2d(4, 6, 3, padding="same"), PLANE),
    (lambda m: m.nn.Conv3d(2, 3, (1, 2, 3), stride=(2, 1, 1)), (_x(2, 2, 3, 4, 4),)),
    (lambda m: m.nn.ConvTranspose1d(4, 6, 3, stride=2, padding=1, output_padding=1), LINE),
    (lambda m: m.nn.ConvTranspose2d(4, 6, (3, 2), 2, groups=2, bias=False, dilation=2), PLANE),
    (lambda m: m.nn.ConvTranspose3d(2, 3, 2), (_x(2, 2, 1, 2, 2),)),
    (lambda m: m.nn.MaxPool1d(3, 2, 1), LINE),
    (lambda m: m.nn.MaxPool2d((2, 3), ceil_mode=True), PLANE),
    (lambda m: m.nn.MaxPool3d(2, stride=1, dilation=1), (_x(2, 2, 3, 4, 4),)),
    (lambda m: m.nn.AvgPool1d(2, padding=1, count_include_pad=False), LINE),
    (lambda m: m.nn.AvgPool2d(2, stride=(1, 2), ceil_mode=True), PLANE),
    (lambda m: m.nn.AvgPool3d(2, divisor_override=3), (_x(2, 2, 3, 4, 4),)),
    (lambda m: m.nn.AdaptiveAvgPool1d(3), LINE),
    (lambda m: m.nn.AdaptiveAvgPool2d((2, None)), PLANE),
    (lambda m: m.nn.AdaptiveMaxPool2d(3), PLANE),
    (lambda m: m.nn.Unfold((2, 3), padding=1), PLANE),
    (lambda m: m.nn.Fold((3, 4), kernel_size=(1, 2)), (_x(2, 6, 9),)),
    (lambda m: m.nn.Sequential(m.nn.Linear(6, 3), m.nn.ReLU(), m.nn.LayerNorm(3), m.nn.Dropout(0.0)), X),
    (lambda m: m.nn.Sequential(OrderedDict(first=m.nn.Linear(6, 3), second=m.nn.Tanh())), X),
]  # fmt: skip


def _title(given: Any) -> str:
    return type(given(tn)).__name__ if callable(given) else ""


@pytest.mark.parametrize(("make", "arrays"), MODULES, ids=_title)
def test_like_torch(make: Make, arrays: tuple[np.ndarray, ...]) -> None:
    ours, theirs = make(tn).double(), make(torch).double()
    assert set(ours.state_dict()) == set(theirs.state_dict())
    ours.load_state_dict({name: tn.tensor(value.numpy()) for name, value in theirs.state_dict().items()})

    xs = [tn.tensor(a, requires_grad=a.dtype.kind == "f") for a in arrays]
    ys = [torch.tensor(a, requires_grad=a.dtype.kind == "f") for a in arrays]
    for _ in range(2):  # twice: running statistics are moved twice
        a, b = ours(*xs), theirs(*ys)
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-10, atol=1e-12)
    a.sum().backward()
    b.sum().backward()
    mine, his = ([*inputs, *module.parameters()] for inputs, module in ((xs, ours), (ys, theirs)))
    for p, q in zip(mine, his, strict=True):
        if q.grad is not None:
            np.testing.assert_allclose(p.grad.numpy(), q.grad.numpy(), rtol=1e-7, atol=1e-12)
    for name, value in theirs.state_dict().items():
        np.testing.assert_allclose(ours.state_dict()[name].numpy(), value.numpy(), rtol=1e-10, err_msg=name)
        assert ours.state_dict()[name].dtype.name == str(value.dtype).removeprefix("torch.")


@pytest.mark.parametrize("make", [make for make, _ in MODULES], ids=_title)
def test_representation(make: Make) -> None:
    """As torch's, but for the counts of parameters, which ours adds as comments."""
    lines = [line.split("  #")[0] for line in repr(make(tn)).splitlines()]
    assert "\n".join(lines) == repr(make(torch))


def test_modules_that_hold_others_like_torch() -> None:
    states = []
    for m in (tn, torch):
        tree = m.nn.ModuleDict({"a": m.nn.Linear(2, 2), "b": m.nn.ModuleList([m.nn.ReLU(), m.nn.Linear(2, 1)])})
        tree["p"] = m.nn.Sequential(m.nn.ParameterList([m.zeros(2), m.ones(3)]))
        tree["q"] = m.nn.ModuleDict({"inner": m.nn.ParameterDict({"x": m.zeros(1), "y": m.nn.Parameter(m.ones(2))})})
        states.append((list(tree.state_dict()), [name for name, _ in tree.named_parameters()], list(tree), len(tree)))
        assert "a" in tree
        tree.pop("a")
        states[-1] += (list(tree.keys()), [type(v).__name__ for v in tree.values()], [k for k, _ in tree.items()])
        with pytest.raises(KeyError):
            tree["a"]
    assert states[0] == states[1]


@pytest.mark.parametrize("name", ["xavier_uniform_", "xavier_normal_", "kaiming_uniform_", "kaiming_normal_", "orthogonal_"])
def test_initial_values_are_distributed_as_torch_s(name: str) -> None:
    tn.manual_seed(0)
    torch.manual_seed(0)
    a, b = nn.Parameter(tn.empty(300, 40, 3)), torch.empty(300, 40, 3)
    assert getattr(nn.init, name)(a) is a
    getattr(torch.nn.init, name)(b)
    assert abs(a.mean().item()) < 1e-3
    assert a.std().item() == pytest.approx(b.std().item(), rel=0.02)
    assert a.abs().max().item() == pytest.approx(b.abs().max().item(), rel=0.01 if "uniform" in name else 0.5)
    assert a.is_leaf
    assert a.requires_grad


@pytest.mark.parametrize("shape", [(4, 2, 3), (2, 4, 4), (4, 4, 3, 2), (6, 2, 3, 4, 5)])
@pytest.mark.parametrize("groups", [1, 2])
def test_dirac_like_torch(shape: tuple[int, ...], groups: int) -> None:
    ours = nn.init.dirac_(tn.ones(shape), groups)
    assert ours.tolist() == torch.nn.init.dirac_(torch.ones(shape), groups).tolist()


@pytest.mark.parametrize("sparsity", [0.0, 0.25, 0.31, 1.0])
def test_sparse_like_torch(sparsity: float) -> None:
    tn.manual_seed(0)
    ours = nn.init.sparse_(tn.ones(40, 30), sparsity, std=0.5).numpy()
    theirs = torch.nn.init.sparse_(torch.ones(40, 30), sparsity, std=0.5).numpy()
    zeros = (ours == 0).sum(0)
    assert zeros.tolist() == (theirs == 0).sum(0).tolist()
    if 0 < sparsity < 1:
        assert ours[ours != 0].std() == pytest.approx(0.5, rel=0.1)
        assert len({tuple(column) for column in (ours == 0).T}) == 30, "each column has its own places"


@pytest.mark.parametrize(
    ("name", "param"),
    [
        ("linear", None),
        ("sigmoid", None),
        ("tanh", None),
        ("relu", None),
        ("leaky_relu", None),
        ("leaky_relu", 0.3),
        ("selu", None),
        ("conv2d", None),
        ("conv_transpose3d", None),
    ],
)
def test_gains(name: str, param: float | None) -> None:
    assert nn.init.calculate_gain(name, param) == torch.nn.init.calculate_gain(name, param)
