"""Attention and Transformers beside torch's with the same weights: outputs, weights, gradients, masks; and their errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore:enable_nested_tensor is True")]

E, H, L, S, N = 8, 2, 4, 5, 3
INF = float("inf")


def twins(make: Callable[[Any], Any]) -> tuple[Any, Any]:
    """Ours and theirs in float64, with torch's weights, biases moved away from 0."""
    ours, theirs = make(tn).double(), make(torch).double()
    rng = np.random.default_rng(0)
    with torch.no_grad():
        for q in theirs.parameters():
            q += torch.from_numpy(rng.normal(size=q.shape) * 0.2)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert [name for name, _ in ours.named_modules()] == [name for name, _ in theirs.named_modules()]
    ours.load_state_dict({name: tn.tensor(value.numpy()) for name, value in theirs.state_dict().items()})
    return ours, theirs


def normal(*shape: int) -> np.ndarray:
    return np.random.default_rng(len(shape) + sum(shape)).normal(size=shape)


def compare(make: Callable[[Any], Any], arrays: list[np.ndarray], call: Callable[..., Any], *, evaluate: bool = False) -> None:
    """``call(lib, module, *inputs)`` in both: results and gradients of inputs and parameters agree to 1e-10."""
    ours, theirs = twins(make)
    found = []
    for lib, module in ((tn, ours), (torch, theirs)):
        module.train(not evaluate)
        inputs = [lib.from_numpy(a.copy()).requires_grad_() for a in arrays]
        outputs = call(lib, module, *inputs)
        outputs = [y for y in (outputs if isinstance(outputs, tuple) else (outputs,)) if y is not None]
        loss = sum((y * lib.from_numpy(np.cos(np.arange(y.numel())).reshape(tuple(y.shape)))).sum() for y in outputs)
        loss.backward()
        grads = [x.grad for x in inputs] + [q.grad for q in module.parameters()]
        found.append(([y.detach().numpy() for y in outputs], [None if g is None else g.numpy() for g in grads]))
    (y, g), (y_t, g_t) = found
    assert len(g) == len(g_t)
    assert any(grad is not None for grad in g)
    for a, b in zip([*y, *g], [*y_t, *g_t], strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10)


PADDING = np.arange(S) >= np.array([[S], [3], [1]])
CAUSAL = np.triu(np.ones((L, S), bool), 2)
PER_HEAD = np.random.default_rng(0).random((N * H, L, S)) < 0.3
PER_HEAD[..., 0] = False
FLOATS = np.where(CAUSAL, -np.inf, normal(L, S))

MASKS: dict[str, dict[str, np.ndarray]] = {
    "none": {},
    "padding": {"key_padding_mask": PADDING},
    "causal": {"attn_mask": CAUSAL},
    "per head": {"attn_mask": PER_HEAD},
    "floats": {"attn_mask": FLOATS},
    "floats per head": {"attn_mask": normal(N * H, L, S)},
    "both": {"key_padding_mask": PADDING, "attn_mask": CAUSAL},
    "both, floats": {"key_padding_mask": np.where(PADDING, -np.inf, 0.0), "attn_mask": FLOATS},
}
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "no bias": {"bias": False},
    "batch first": {"batch_first": True},
    "other keys": {"kdim": 6, "vdim": 7},
    "other keys alone": {"kdim": 6, "bias": False},
    "extra keys": {"add_bias_kv": True, "add_zero_attn": True},
    "extra 0, batch first": {"add_zero_attn": True, "batch_first": True},
}


@pytest.mark.parametrize("weights", [True, False, "each"])
@pytest.mark.parametrize("masks", MASKS.values(), ids=MASKS.keys())
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS.keys())
def test_multihead_attention(options: dict[str, Any], masks: dict[str, np.ndarray], weights: Any) -> None:
    def arrange(length: int, features: int) -> np.ndarray:
        x = normal(length, N, features)
        return np.ascontiguousarray(x.transpose(1, 0, 2)) if options.get("batch_first") else x

    def call(lib: Any, module: Any, q: Any, k: Any, v: Any) -> Any:
        given = {name: lib.from_numpy(mask.copy()) for name, mask in masks.items()}
        return module(q, k, v, need_weights=bool(weights), average_attn_weights=weights is True, **given)

    arrays = [arrange(L, E), arrange(S, options.get("kdim", E)), arrange(S, options.get("vdim", E))]
    compare(lambda m: m.nn.MultiheadAttention(E, H, **options), arrays, call)


def test_multihead_attention_of_one_sequence() -> None:
    def call(lib: Any, module: Any, x: Any) -> Any:
        padding = lib.tensor([False, False, False, True])
        mask = lib.from_numpy(np.triu(np.ones((L, L), bool), 1))
        return module(x, x, x, key_padding_mask=padding, attn_mask=mask)

    for batch_first in (True, False):
        compare(lambda m, b=batch_first: m.nn.MultiheadAttention(E, H, batch_first=b), [normal(L, E)], call)


LAYERS: dict[str, dict[str, Any]] = {
    "plain": {},
    "batch first": {"batch_first": True},
    "norm first": {"norm_first": True},
    "gelu": {"activation": "gelu", "layer_norm_eps": 0.1},
    "no bias": {"bias": False, "batch_first": True},
}


@pytest.mark.parametrize("evaluate", [False, True])
@pytest.mark.parametrize("options", LAYERS.values(), ids=LAYERS.keys())
def test_encoder_and_decoder(options: dict[str, Any], evaluate: bool) -> None:
    settings = {"nhead": H, "dim_feedforward": 6, "dropout": 0.0, **options}

    def encoder(m: Any) -> Any:
        layer = m.nn.TransformerEncoderLayer(E, **settings)
        extra = {"enable_nested_tensor": False} if m is torch else {}
        return m.nn.TransformerEncoder(layer, 2, m.nn.LayerNorm(E), **extra)

    def decoder(m: Any) -> Any:
        return m.nn.TransformerDecoder(m.nn.TransformerDecoderLayer(E, **settings), 2)

    def padding(lib: Any) -> Any:
        return lib.from_numpy(np.arange(L) >= np.array([[L], [L], [3]]))

    def encode(lib: Any, module: Any, x: Any) -> Any:
        causal = lib.from_numpy(np.triu(np.ones((L, L), bool), 1))
        return module(x, mask=causal, src_key_padding_mask=padding(lib), is_causal=True), module(x)

    def decode(lib: Any, module: Any, x: Any, memory: Any) -> Any:
        causal = lib.nn.Transformer.generate_square_subsequent_mask(L).to(lib.float64)
        masked = module(x, memory, causal, memory_key_padding_mask=lib.from_numpy(PADDING.copy()), tgt_is_causal=True)
        return masked, module(x, memory, memory_mask=lib.from_numpy(CAUSAL.copy()))

    shape = (N, L, E) if options.get("batch_first") else (L, N, E)
    memory = (N, S, E) if options.get("batch_first") else (S, N, E)
    compare(encoder, [normal(*shape)], encode, evaluate=evaluate)
    compare(decoder, [normal(*shape), normal(*memory)], decode, evaluate=evaluate)


@pytest.mark.parametrize("options", LAYERS.values(), ids=LAYERS.keys())
def test_transformer(options: dict[str, Any]) -> None:
    def call(lib: Any, module: Any, src: Any, tgt: Any) -> Any:
        causal = lib.nn.Transformer.generate_square_subsequent_mask(L).to(lib.float64)
        padding = lib.from_numpy(PADDING.copy())
        return module(src, tgt, tgt_mask=causal, src_key_padding_mask=padding, memory_key_padding_mask=padding)

    shapes = ((N, S, E), (N, L, E)) if options.get("batch_first") else ((S, N, E), (L, N, E))
    settings = {"nhead": H, "num_encoder_layers": 2, "num_decoder_layers": 1, "dim_feedforward": 6, "dropout": 0.0, **options}
    compare(lambda m: m.nn.Transformer(E, **settings), [normal(*s) for s in shapes], call)


def test_masks_and_sizes_at_the_start() -> None:
    assert nn.Transformer.generate_square_subsequent_mask(3).tolist() == (
        torch.nn.Transformer.generate_square_subsequent_mask(3).tolist()
    )
    for m in (tn, torch):
        m.manual_seed(0)
    a, b = (m.nn.Transformer(64, 4, 1, 1, 128) for m in (tn, torch))
    assert list(a.state_dict()) == list(b.state_dict())
    for (name, p), q in zip(a.named_parameters(), b.parameters(), strict=True):
        assert p.std().item() == pytest.approx(q.std().item(), rel=0.15, abs=1e-7), name
    for kind in ({}, {"kdim": 32}):
        a, b = (m.nn.MultiheadAttention(64, 4, add_bias_kv=True, **kind) for m in (tn, torch))
        for (name, p), q in zip(a.named_parameters(), b.parameters(), strict=True):
            assert p.std().item() == pytest.approx(q.std().item(), rel=0.15, abs=1e-7), name


X = np.zeros((L, N, E))
BAD: dict[str, tuple[Callable[[Any], Any], str]] = {
    "heads": (lambda m: m.nn.MultiheadAttention(8, 3), "8 features do not divide into 3 heads"),
    "no size": (lambda m: m.nn.MultiheadAttention(0, 1), "0 features"),
    "activation": (lambda m: m.nn.TransformerEncoderLayer(8, 2, activation="swish"), "relu, gelu or a function, not 'swish'"),
    "features": (lambda m: _attend(m, X[..., :7]), r"E = 8, got Tensor f64\[4,3,7\]"),
    "axes": (lambda m: _attend(m, np.zeros((1, L, N, E))), r"\(L, N, E\).*f64\[1,4,3,8\]"),
    "batch": (lambda m: _attend(m, X, np.zeros((S, 2, E))), r"one N, got .*f64\[5,2,8\]"),
    "mask": (lambda m: _attend(m, X, attn_mask=m.zeros(L, L + 1)), r"attn_mask must be \[4, 4\] or \[6, 4, 4\], got .*\[4,5\]"),
    "padding": (
        lambda m: _attend(m, X, key_padding_mask=m.zeros(L, N)),
        r"key_padding_mask must be \[3, 4\], got .*\[4,3\]",
    ),
    "mask of integers": (lambda m: _attend(m, X, attn_mask=m.zeros(L, L, dtype=m.int64)), "must hold bools or floats, got"),
    "hint without a mask": (lambda m: _attend(m, X, is_causal=True), "does not replace it"),
    "features of a Transformer": (lambda m: m.nn.Transformer(8, 2, 1, 1, 4)(m.zeros(2, 1, 7), m.zeros(2, 1, 7)), "8 features"),
    "batches of a Transformer": (lambda m: m.nn.Transformer(8, 2, 1, 1, 4)(m.zeros(2, 1, 8), m.zeros(2, 2, 8)), "same number"),
}  # fmt: skip


def _attend(m: Any, query: np.ndarray, key: np.ndarray | None = None, **masks: Any) -> Any:
    q = m.from_numpy(query)
    k = q if key is None else m.from_numpy(key)
    return m.nn.MultiheadAttention(E, H).double()(q, k, k, **masks)


@pytest.mark.parametrize(("bad", "match"), BAD.values(), ids=BAD.keys())
def test_errors_are_clear_and_of_torchs_classes(bad: Callable[[Any], Any], match: str) -> None:
    with pytest.raises((RuntimeError, ValueError), match=match) as ours:
        bad(tn)
    with pytest.raises((RuntimeError, ValueError, AssertionError)) as theirs:
        bad(torch)
    assert theirs.type is AssertionError or isinstance(ours.value, theirs.type), (ours.type, theirs.type)
