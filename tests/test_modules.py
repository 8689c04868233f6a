"""Modules: walking, modes, state, copies, text; layers by their formulas."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn

F = nn.functional


class Net(nn.Module):
    def __init__(self) -> None:
        self.first = nn.Linear(3, 4)
        self.middle = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5))
        self.register_buffer("count", tn.zeros(1))
        self.register_buffer("scratch", tn.ones(2), persistent=False)
        self.cells = nn.ModuleList([nn.Linear(4, 2), nn.Linear(4, 2)])
        self.tied = self.first.weight
        self.scale = nn.Parameter(tn.ones(1))

    def forward(self, x: tn.Tensor) -> tn.Tensor:
        x = self.middle(self.first(x))
        return (self.cells[0](x) + self.cells[1](x)) * self.scale


NAMES = [
    "tied", "scale", "first.bias", "middle.0.weight", "middle.0.bias",
    "cells.0.weight", "cells.0.bias", "cells.1.weight", "cells.1.bias",
]  # fmt: skip


def test_parameters_are_found_once_in_order() -> None:
    net = Net()
    assert [name for name, _ in net.named_parameters()] == NAMES
    assert [name for name, _ in net.named_buffers()] == ["count", "scratch"]
    assert list(net.state_dict()) == ["count", "tied", "scale", "first.weight", *NAMES[2:]]
    assert [type(m).__name__ for m in net.modules()] == ["Net", "Linear", "Sequential", "Linear", "Dropout", "ModuleList"] + [
        "Linear"
    ] * 2


def test_train_and_eval_reach_everything() -> None:
    net = Net()
    assert net.middle[1].training
    net.eval()
    assert not any(m.training for m in net.modules())
    x = tn.ones(2, 3)
    assert net(x).tolist() == net(x).tolist()
    net.train()
    assert all(m.training for m in net.modules())


def test_state_dict_round_trip_and_strictness() -> None:
    a, b = Net(), Net()
    b.load_state_dict(a.state_dict())
    assert all(x.tolist() == y.tolist() for x, y in zip(a.parameters(), b.parameters(), strict=True))
    state = a.state_dict()
    del state["scale"]
    state["extra"] = tn.ones(1)
    before = {k: v.numpy().copy() for k, v in b.state_dict().items()}
    with pytest.raises(RuntimeError, match=r"missing: scale; unexpected: extra"):
        b.load_state_dict(state)
    keys = b.load_state_dict(state, strict=False)
    assert keys == (["scale"], ["extra"])
    state["first.bias"] = tn.ones(9)
    state["cells.0.bias"] = tn.full((2,), 7.0)
    with pytest.raises(RuntimeError, match=r"first\.bias: .*f32\[9\].*f32\[4\]"):
        b.load_state_dict(state, strict=False)
    assert b.state_dict()["cells.0.bias"].tolist() == before["cells.0.bias"].tolist(), (
        "nothing is written before all is checked"
    )


def test_deepcopy_and_pickle_are_independent() -> None:
    net = Net()
    (net(tn.ones(1, 3)).sum()).backward()
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert [n for n, _ in other.named_parameters()] == NAMES
        assert other.tied is other.first.weight
        assert all(q.requires_grad and q.is_leaf for q in other.parameters())
        with tn.no_grad():
            other.scale.fill_(5.0)
        assert net.scale.item() == 1
        other.zero_grad()
        other(tn.ones(1, 3)).sum().backward()
        assert other.scale.grad is not None
    assert copy.deepcopy(net).scale.grad is None


def test_repr_counts_parameters() -> None:
    text = repr(Net())
    assert "Net(  # 57 parameters" in text
    assert "(first): Linear(in_features=3, out_features=4, bias=True)  # 16 parameters" in text


def test_scopes_name_what_modules_compute() -> None:
    net = Net()
    with tn.Tape() as tape:
        net(tn.ones(1, 3))
    paths = [node.scope.path for node in tape]
    assert {"net/first", "net/middle/0", "net/cells 0", "net/cells 1", "net"} <= set(paths)
    assert "net.first.bias" in tape.names.values()


def test_frozen_parameters_get_no_gradient() -> None:
    net = Net()
    net.first.requires_grad_(False)
    net(tn.ones(1, 3)).sum().backward()
    assert net.first.bias.grad is None
    assert net.scale.grad is not None
    net.zero_grad(set_to_none=False)
    assert net.scale.grad.item() == 0


def test_dropout_keeps_the_mean_and_scales_the_gradient() -> None:
    tn.manual_seed(1)
    x = tn.ones(20000, requires_grad=True)
    y = F.dropout(x, 0.25)
    kept = y.detach().numpy() != 0
    assert abs(kept.mean() - 0.75) < 0.01
    assert abs(y.mean().item() - 1) < 0.02
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), np.where(kept, np.float32(1 / 0.75), 0))
    assert F.dropout(x, 0.3, training=False) is x
    assert F.dropout(x, 1.0).detach().numpy().max() == 0


@pytest.mark.parametrize(
    ("function", "shape", "mask"),
    [
        (F.dropout1d, (50, 8, 3), (50, 8, 1)),
        (F.dropout1d, (300, 3), (300, 1)),
        (F.dropout2d, (50, 8, 3, 2), (50, 8, 1, 1)),
        (F.dropout2d, (50, 8, 3), (50, 8, 1)),
        (F.dropout3d, (50, 8, 3, 1, 2), (50, 8, 1, 1, 1)),
        (F.dropout3d, (300, 3, 1, 2), (300, 1, 1, 1)),
    ],
)
def test_dropout_of_channels_drops_whole_ones(function, shape: tuple[int, ...], mask: tuple[int, ...]) -> None:
    tn.manual_seed(1)
    x = tn.ones(shape, requires_grad=True)
    y = function(x, 0.25)
    kept = y.detach().numpy() != 0
    first = kept[tuple(slice(None, n) for n in mask)]
    np.testing.assert_array_equal(kept, np.broadcast_to(first, shape))
    assert abs(first.mean() - 0.75) < 0.1
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), np.where(kept, np.float32(1 / 0.75), 0))
    np.testing.assert_array_equal(y.detach().numpy(), x.grad.numpy())
    z = tn.ones(shape)
    assert function(z, 0.25, inplace=True) is z
    assert 0 < (z.numpy() == 0).mean() < 1


def test_embedding_padding_row_gets_no_gradient() -> None:
    table = nn.Embedding(4, 2, padding_idx=1)
    assert table.weight[1].tolist() == [0, 0]
    table(tn.tensor([[1, 2], [2, 1]])).sum().backward()
    assert table.weight.grad.tolist() == [[0, 0], [0, 0], [2, 2], [0, 0]]


@pytest.mark.parametrize(
    "options", [{}, {"ignore_index": 1}, {"reduction": "sum"}, {"reduction": "none"}, {"label_smoothing": 0.2}]
)
def test_cross_entropy_gradients(options: dict) -> None:
    rng = np.random.default_rng(0)
    for shape in ((4, 3), (2, 3, 2)):
        x = tn.tensor(rng.normal(size=shape), requires_grad=True)
        y = tn.tensor(rng.integers(0, 3, (shape[0], *shape[2:])))
        w = tn.tensor(rng.uniform(0.5, 2, 3))
        assert tn.autograd.gradcheck(lambda a, y=y, w=w: F.cross_entropy(a, y, w, **options), [x], atol=1e-6)
        assert tn.autograd.gradgradcheck(lambda a, y=y: F.cross_entropy(a, y, **options), [x], atol=1e-5)


def test_cross_entropy_gradient_is_softmax_minus_one_hot() -> None:
    x = tn.randn(5, 4, dtype="float64", requires_grad=True)
    y = tn.tensor([0, 3, 1, 1, 2])
    F.cross_entropy(x, y, reduction="sum").backward()
    expected = F.softmax(x.detach(), 1).numpy() - np.eye(4)[y.numpy()]
    np.testing.assert_allclose(x.grad.numpy(), expected, atol=1e-14)


def test_softmax_survives_huge_logits() -> None:
    x = tn.tensor([[1e4, -1e4, 0.0], [-np.inf, 0.0, 0.0]])
    assert F.softmax(x, 1).tolist() == [[1, 0, 0], [0, 0.5, 0.5]]
    assert F.log_softmax(x, 1)[0].tolist() == [0, -2e4, -1e4]


@pytest.mark.parametrize(
    "make", [lambda: nn.LSTM(3, 4, 2, bidirectional=True, dtype="float64"), lambda: nn.LSTM(3, 4, dtype="float64")]
)
def test_lstm_gradients_of_both_orders(make) -> None:
    tn.manual_seed(0)
    lstm = make()
    x = tn.randn(3, 2, 3, dtype="float64", requires_grad=True)
    names = [name for name, _ in lstm.named_parameters()]

    def run(x: tn.Tensor, *values: tn.Tensor) -> tn.Tensor:
        for name, value in zip(names, values, strict=True):
            lstm.__dict__[name] = value
        out, (h, c) = lstm(x)
        return out.sum() + (h * c).sum()

    parameters = [q.detach().clone().requires_grad_() for q in lstm.parameters()]
    assert tn.autograd.gradcheck(run, [x, *parameters], atol=1e-6)
    small = nn.LSTM(1, 1, dtype="float64")
    xs = tn.randn(2, 1, 1, dtype="float64", requires_grad=True)
    assert tn.autograd.gradgradcheck(lambda a: small(a)[0], [xs], atol=1e-5)


def test_lstm_equals_its_cell_and_its_formula() -> None:
    tn.manual_seed(2)
    lstm, cell = nn.LSTM(3, 4), nn.LSTMCell(3, 4)
    cell.load_state_dict({name.removesuffix("_l0"): value for name, value in lstm.state_dict().items()})
    x = tn.randn(5, 2, 3)
    out, (h_n, c_n) = lstm(x)
    h = c = tn.zeros(2, 4)
    for t in range(5):
        h, c = cell(x[t], (h, c))
        np.testing.assert_allclose(h.detach().numpy(), out[t].detach().numpy(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(c.detach().numpy(), c_n[0].detach().numpy(), rtol=1e-5, atol=1e-6)
    w, u, b = (lstm.state_dict()[k].numpy().astype(float) for k in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0"))
    b = b + lstm.bias_hh_l0.detach().numpy()
    hh, cc = np.zeros((2, 4)), np.zeros((2, 4))
    for t in range(5):
        i, f, g, o = np.split(x[t].numpy() @ w.T + hh @ u.T + b, 4, -1)
        i, f, o = (1 / (1 + np.exp(-v)) for v in (i, f, o))
        cc = f * cc + i * np.tanh(g)
        hh = o * np.tanh(cc)
    np.testing.assert_allclose(h_n[0].detach().numpy(), hh, rtol=1e-5, atol=1e-6)


def test_lstm_shapes_and_state() -> None:
    x = tn.randn(2, 5, 3)
    out, (h, c) = nn.LSTM(3, 4, 2, batch_first=True, bidirectional=True)(x)
    assert (out.shape, h.shape, c.shape) == ((2, 5, 8), (4, 2, 4), (4, 2, 4))
    out, (h, c) = nn.LSTM(3, 4)(tn.randn(5, 3))
    assert (out.shape, h.shape) == ((5, 4), (1, 4))
    lstm = nn.LSTM(3, 4)
    whole, last = lstm(x)
    first, carried = lstm(x[:1])
    second, end = lstm(x[1:], carried)
    np.testing.assert_allclose(tn.cat([first, second]).detach().numpy(), whole.detach().numpy(), atol=1e-6)
    np.testing.assert_allclose(end[1].detach().numpy(), last[1].detach().numpy(), atol=1e-6)


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: nn.LSTM(3, 4)(tn.ones(2, 2, 5)), RuntimeError, r"LSTM: needs \(T, N, 3\).*f32\[2,2,5\]"),
        (lambda: nn.LSTM(3, 4)(tn.ones(0, 2, 3)), RuntimeError, "no time steps"),
        (
            lambda: nn.LSTM(3, 4)(tn.ones(2, 2, 3), (tn.ones(1, 2, 5), tn.ones(1, 2, 4))),
            RuntimeError,
            r"initial h .*f32\[1,2,5\]",
        ),
        (lambda: nn.LSTM(3, 0), ValueError, "positive"),
        (lambda: nn.Dropout(1.5), ValueError, r"\[0, 1\]"),
        (lambda: nn.Linear(3, 2)(tn.ones(4)), RuntimeError, r"linear: .*f32\[4\].*length 3"),
        (lambda: nn.Embedding(3, 2)(tn.tensor([0, 3])), IndexError, "3 is out of range for 3 rows"),
        (lambda: nn.Embedding(3, 2)(tn.tensor([0.5])), RuntimeError, "integers"),
        (lambda: F.cross_entropy(tn.ones(2, 3), tn.tensor([0, 3])), IndexError, "3 is out of range for 3 classes"),
        (lambda: F.cross_entropy(tn.ones(2, 3), tn.tensor([0, -1])), IndexError, "-1 is out of range"),
        (lambda: F.cross_entropy(tn.ones(2, 3), tn.tensor([0])), RuntimeError, r"labels of shape \[2\], got .*i64\[1\]"),
        (lambda: F.cross_entropy(tn.ones(2, 3), tn.ones(2)), RuntimeError, "shape of the logits"),
        (lambda: F.cross_entropy(tn.ones(2, 3), tn.tensor([0, 1]), reduction="avg"), ValueError, "'avg'"),
        (lambda: nn.Module()(1), NotImplementedError, "forward"),
        (lambda: nn.Sequential(3), TypeError, "needs modules"),
        (lambda: nn.Parameter([1.0]), TypeError, "needs a Tensor"),
    ],
)
def test_bad_input(call, error, match) -> None:
    with pytest.raises(error, match=match):
        call()


# ---- names, walks, dtypes ----


def test_parts_by_their_dotted_names() -> None:
    net = Net()
    assert net.get_submodule("") is net
    assert net.get_submodule("middle.0") is net.middle[0]
    assert net.get_parameter("middle.0.bias") is net.middle[0].bias
    assert net.get_buffer("count") is net.count
    for call, match in (
        (lambda: net.get_submodule("middle.7"), "Sequential has no sub-module '7'"),
        (lambda: net.get_submodule("scale"), "Net has no sub-module 'scale'"),
        (lambda: net.get_parameter("first.weights"), "Linear has no parameter 'weights'"),
        (lambda: net.get_parameter("count"), "is a Tensor, not a parameter"),
        (lambda: net.get_buffer("scale"), "is a Parameter, not a buffer"),
    ):
        with pytest.raises(AttributeError, match=match):
            call()


def test_registering_by_name() -> None:
    net = nn.Module()
    net.register_parameter("weight", nn.Parameter(tn.ones(2)))
    net.register_parameter("bias", None)
    net.add_module("inner", nn.Linear(2, 2))
    net.register_module("later", None)
    assert [name for name, _ in net.named_parameters()] == ["weight", "inner.weight", "inner.bias"]
    assert net.bias is None
    net.register_parameter("bias", nn.Parameter(tn.ones(1)))
    for call, error, match in (
        (lambda: net.register_parameter("bias", tn.ones(1)), TypeError, "needs a Parameter or None, got Tensor"),
        (lambda: net.register_buffer("table", [1.0]), TypeError, "needs a Tensor or None, got list"),
        (lambda: net.add_module("other", tn.ones(1)), TypeError, "needs a Module or None"),
        (lambda: net.add_module("a.b", nn.Linear(1, 1)), KeyError, "have no dots"),
        (lambda: net.register_parameter("", None), KeyError, "not empty"),
        (lambda: net.register_buffer("forward", tn.ones(1)), KeyError, "'forward' exists already"),
        (lambda: net.register_buffer("weight", tn.ones(1)), KeyError, "'weight' exists already"),
    ):
        with pytest.raises(error, match=match):
            call()


def test_apply_visits_as_torch_does() -> None:
    order: list[str] = []
    net = Net()
    names = {id(module): name for name, module in net.named_modules()}
    assert net.apply(lambda module: order.append(names[id(module)])) is net
    assert order == ["first", "middle.0", "middle.1", "middle", "cells.0", "cells.1", "cells", ""]


def test_dtypes_change_in_place() -> None:
    net = Net()
    held = list(net.parameters())
    net(tn.ones(1, 3)).sum().backward()
    assert net.double() is net
    assert [id(q) for q in net.parameters()] == [id(q) for q in held]
    assert {q.dtype for q in (*net.parameters(), *net.buffers())} == {tn.float64}
    assert net.tied is net.first.weight
    assert all(q.is_leaf and q.requires_grad and q.grad.dtype == tn.float64 for q in held)
    net.zero_grad()
    net(tn.ones(1, 3, dtype=tn.float64)).sum().backward()
    assert net.scale.grad.dtype == tn.float64
    net.first.requires_grad_(False).float()
    assert (net.first.bias.dtype, net.first.bias.requires_grad, net.scale.dtype) == (tn.float32, False, tn.float64)
    with pytest.raises(TypeError, match="parameters are floating-point, got int64"):
        net.to(tn.int64)


# ---- containers, settings, first values ----


def test_settings_are_those_of_the_function() -> None:
    assert nn.LeakyReLU(0.2).negative_slope == 0.2
    loss = nn.CrossEntropyLoss(tn.ones(3), reduction="sum")
    assert list(loss.state_dict()) == ["weight"]
    loss.reduction = "none"
    assert loss(tn.ones(2, 3), tn.tensor([0, 1])).shape == (2,)
    x = tn.tensor([-1.0, 1.0])
    assert nn.ReLU(inplace=True)(x) is x
    assert x.tolist() == [0, 1]
    for call, match in (
        (lambda: nn.LeakyReLU(slope=1), r"LeakyReLU\(negative_slope.*unexpected keyword argument 'slope'"),
        (lambda: nn.Softmax(), "missing 1 required positional argument: 'dim'"),
        (lambda: nn.MSELoss("sum"), "too many positional arguments"),
    ):
        with pytest.raises(TypeError, match=match):
            call()


def test_lists_and_dicts_of_modules() -> None:
    net = nn.Sequential(nn.Linear(1, 2), nn.Tanh(), nn.Linear(2, 3))
    assert [type(m).__name__ for m in net[1:]] == ["Tanh", "Linear"]
    net[-1] = nn.ReLU()
    assert repr(net[2]) == "ReLU()"
    assert len(net.extend([nn.Tanh()])) == 4
    with pytest.raises(TypeError, match="Sequential: needs modules, got int"):
        net[0] = 3
    tree = nn.ModuleDict([("a", nn.ReLU())])
    for key, error in (("forward", KeyError), ("a.b", KeyError)):
        with pytest.raises(error):
            tree[key] = nn.ReLU()
    with pytest.raises(TypeError, match="needs a Module"):
        tree["b"] = tn.ones(1)
    tree.clear()
    assert len(tree) == 0
    with pytest.raises(KeyError, match="a"):
        del tree["a"]
    parameters = nn.ParameterList([tn.ones(1), tn.zeros(2)])
    parameters[-1] = tn.ones(3)
    assert [q.shape for q in parameters[:2]] == [(1,), (3,)]
    assert all(isinstance(q, nn.Parameter) for q in parameters)
    with pytest.raises(TypeError, match="ParameterList: needs Tensors, got float"):
        parameters.append(1.0)


def test_slices_keep_the_names_of_the_whole() -> None:
    class Owner(nn.Module):
        def __init__(self) -> None:
            self.cells = nn.ModuleList([nn.Linear(1, 1), nn.Linear(1, 1)])

        def forward(self, x: tn.Tensor) -> tn.Tensor:
            for cell in self.cells[1:]:
                x = cell(x)
            return x

    owner, x = Owner(), tn.ones(1, 1)
    with tn.Tape() as tape:
        owner(x)
    assert {node.scope.path for node in tape} == {"owner/cells 1"}


def test_batch_norm_follows_the_data_and_then_uses_it() -> None:
    tn.manual_seed(0)
    norm = nn.BatchNorm1d(2, momentum=None)
    data = [tn.randn(8, 2) * 3 + 5 for _ in range(4)]
    for batch in data:
        norm(batch)
    whole = np.stack([batch.numpy() for batch in data])
    np.testing.assert_allclose(norm.running_mean.numpy(), whole.mean((0, 1)), rtol=1e-5)
    np.testing.assert_allclose(norm.running_var.numpy(), whole.var(1, ddof=1).mean(0), rtol=1e-5)
    norm.eval()
    one = norm(data[0][:1])
    np.testing.assert_allclose(
        one.detach().numpy()[0], (data[0].numpy()[0] - whole.mean((0, 1))) / np.sqrt(norm.running_var.numpy() + 1e-5), rtol=1e-4
    )
    norm.reset_running_stats()
    assert (norm.running_mean.tolist(), norm.num_batches_tracked.item()) == ([0, 0], 0)
    with pytest.raises(ValueError, match=r"BatchNorm1d: expected 2-d or 3-d input, got Tensor f32\[2\]"):
        norm(tn.ones(2))
    with pytest.raises(ValueError, match="6 channels do not divide into 4 groups"):
        nn.GroupNorm(4, 6)


def test_first_values() -> None:
    tn.manual_seed(0)
    weight = nn.Parameter(tn.empty(40, 50))
    assert nn.init.constant_(weight, 3.0).tolist() == tn.full((40, 50), 3.0).tolist()
    assert nn.init.zeros_(weight).sum().item() == 0
    assert nn.init.ones_(weight).sum().item() == 2000
    assert nn.init.eye_(weight).sum().item() == 40
    values = nn.init.uniform_(weight, -1, 3).detach().numpy()
    assert -1 <= values.min() < -0.9 < 2.9 < values.max() < 3
    values = nn.init.normal_(weight, 1.0, 2.0).detach().numpy()
    assert (abs(values.mean() - 1) < 0.2, abs(values.std() - 2) < 0.2) == (True, True)
    values = nn.init.trunc_normal_(weight, 0.0, 1.0, -0.5, 0.5).detach().numpy()
    assert (values.min() >= -0.5, values.max() <= 0.5, abs(values.std() - 0.28) < 0.03) == (True, True, True)
    for shape in ((40, 50), (50, 40)):
        q = nn.init.orthogonal_(tn.empty(shape, dtype=tn.float64), gain=2.0).numpy()
        q = q if shape[0] < shape[1] else q.T
        np.testing.assert_allclose(q @ q.T, 4 * np.eye(40), atol=1e-12)
    for call, match in (
        (lambda: nn.init.xavier_uniform_(tn.ones(3)), r"xavier_uniform_: Tensor f32\[3\] has no fan_in"),
        (lambda: nn.init.kaiming_normal_(tn.ones(3, 3), mode="fan"), "mode must be 'fan_in' or 'fan_out', got 'fan'"),
        (lambda: nn.init.calculate_gain("gelu"), "'gelu' is none of linear"),
        (lambda: nn.init.dirac_(tn.ones(3, 2, 2), 2), r"divisible by groups=2, got Tensor f32\[3,2,2\]"),
        (lambda: nn.init.sparse_(tn.ones(3), 0.5), r"sparse_: Tensor f32\[3\] is no matrix"),
        (lambda: nn.init.sparse_(tn.ones(3, 3), 1.5), r"must lie in \[0, 1\], got 1.5"),
        (lambda: F.dropout1d(tn.ones(3)), r"dropout1d: needs 2-d or 3-d input, got Tensor f32\[3\]"),
        (lambda: nn.init.eye_(tn.ones(3)), r"f32\[3\] is no matrix"),
        (lambda: nn.init.orthogonal_(tn.ones(3)), "at least two axes"),
        (lambda: nn.init.trunc_normal_(tn.ones(3), a=1.0, b=0.0), "nothing of N"),
    ):
        with pytest.raises((ValueError, RuntimeError), match=match):
            call()
