"""Transformers without an oracle: queries that see nothing, dropout, positions, learning, and a recorded training step."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn, optim
from tinygrad_notes.nn import functional as F


@pytest.mark.parametrize("need_weights", [True, False])
@pytest.mark.parametrize("kind", ["bool", "float"])
def test_a_sequence_of_padding_alone_gets_weights_0_and_finite_gradients(kind: str, need_weights: bool) -> None:
    """PyTorch gives NaN where weights are asked for, and 0 where they are not; here they are 0 in both."""
    attention = nn.MultiheadAttention(4, 2, batch_first=True)
    nn.init.ones_(attention.out_proj.bias)
    x = tn.randn(2, 3, 4, requires_grad=True)
    hidden = tn.tensor([[False, False, True], [True, True, True]])
    mask = hidden if kind == "bool" else tn.where(hidden, -math.inf, 0.0)
    out, weights = attention(x, x, x, key_padding_mask=mask, need_weights=need_weights)
    assert out[1].tolist() == [[1.0] * 4] * 3, "nothing but the bias"
    if need_weights:
        assert weights[1].tolist() == [[0.0] * 3] * 3
        np.testing.assert_allclose(weights[0].sum(-1).detach().numpy(), 1, rtol=1e-6)
        assert weights[0, :, 2].tolist() == [0.0] * 3
    (out * out).sum().backward()
    assert np.isfinite(x.grad.numpy()).all()
    assert x.grad[1].abs().max().item() == 0
    assert all(np.isfinite(q.grad.numpy()).all() for q in attention.parameters() if q.grad is not None)


def test_attention_weights_are_dropped_in_training_only() -> None:
    attention = nn.MultiheadAttention(4, 2, dropout=0.5)
    x = tn.randn(50, 1, 4)
    _, dropped = attention(x, x, x, average_attn_weights=False)
    assert 0.4 < (dropped == 0).float().mean().item() < 0.6
    attention.eval()
    _, kept = attention(x, x, x, average_attn_weights=False)
    assert (kept > 0).all()
    with pytest.raises(ValueError, match=r"dropout must lie in \[0, 1\], got 1.5"):
        nn.MultiheadAttention(4, 2, dropout=1.5)


def test_causal_attention_sees_no_future() -> None:
    layer = nn.TransformerEncoderLayer(8, 2, 16, 0.0, batch_first=True)
    x = tn.randn(1, 6, 8, requires_grad=True)
    out = layer(x, nn.Transformer.generate_square_subsequent_mask(6))
    out[0, 3].square().sum().backward()
    reached = (x.grad[0] != 0).any(-1)
    assert reached.tolist() == [True] * 4 + [False] * 2


# ---- positions ----


def test_sinusoids_are_those_of_the_paper() -> None:
    encoding = nn.SinusoidalPositionalEncoding(5, dropout=0.0, max_len=30, batch_first=True, dtype="float64")
    x = np.random.default_rng(0).normal(size=(2, 7, 5))
    out = encoding(tn.tensor(x)).numpy() - x
    for t in range(7):
        for i in range(5):
            angle = t / 10000 ** ((i - i % 2) / 5)
            assert out[1, t, i] == pytest.approx(math.cos(angle) if i % 2 else math.sin(angle), abs=1e-12)
    np.testing.assert_allclose(encoding(tn.tensor(x[0])).numpy() - x[0], out[0])
    late = nn.SinusoidalPositionalEncoding(5, dropout=0.0, dtype="float64")
    np.testing.assert_allclose(late(tn.tensor(x.transpose(1, 0, 2))).numpy().transpose(1, 0, 2) - x, out, atol=1e-15)
    assert encoding.state_dict() == {}
    assert (encoding.train()(tn.zeros(2, 7, 5)).dtype, late.pe.shape) == (tn.float64, (5000, 5))


def test_learned_positions_are_trained_and_saved() -> None:
    encoding = nn.LearnedPositionalEncoding(4, dropout=0.0, max_len=6)
    assert list(encoding.state_dict()) == ["pe"]
    assert 0.005 < encoding.pe.std().item() < 0.05
    out = encoding(tn.zeros(3, 2, 4))
    assert out[:, 0].tolist() == out[:, 1].tolist() == encoding.pe[:3].tolist()
    out.sum().backward()
    assert encoding.pe.grad.tolist() == [[2.0] * 4] * 3 + [[0.0] * 4] * 3


@pytest.mark.parametrize("kind", [nn.SinusoidalPositionalEncoding, nn.LearnedPositionalEncoding])
def test_positions_that_do_not_exist_are_refused(kind: type[nn.Module]) -> None:
    with pytest.raises(RuntimeError, match=r"needs \(L, N, 4\) with L up to 6, got Tensor f32\[7,1,4\]"):
        kind(4, max_len=6)(tn.zeros(7, 1, 4))
    with pytest.raises(RuntimeError, match=r"needs \(N, L, 4\).*f32\[1,4,3\]"):
        kind(4, max_len=6, batch_first=True)(tn.zeros(1, 4, 3))
    with pytest.raises(ValueError, match="positive"):
        kind(0)


# ---- training ----


class Reverse(nn.Module):
    """Sequence to sequence: the digits backward."""

    def __init__(self, dropout: float) -> None:
        self.embed = nn.Embedding(11, 16)
        self.position = nn.SinusoidalPositionalEncoding(16, dropout, 20, batch_first=True)
        self.transformer = nn.Transformer(16, 2, 1, 1, 32, dropout, batch_first=True, norm_first=True)
        self.head = nn.Linear(16, 10)

    def forward(self, src: tn.Tensor, tgt: tn.Tensor) -> tn.Tensor:
        mask = nn.Transformer.generate_square_subsequent_mask(tgt.shape[1])
        vectors = (self.position(self.embed(x)) for x in (src, tgt))
        logits: tn.Tensor = self.head(self.transformer(*vectors, tgt_mask=mask, tgt_is_causal=True))
        return logits


class Training:
    def __init__(self, dropout: float = 0.1) -> None:
        tn.manual_seed(1)
        self.model = Reverse(dropout)
        self.optimizer = optim.Adam(self.model.parameters(), lr=5e-3)
        self.numbers = np.random.default_rng(0).integers(0, 10, (400, 32, 4))
        self.src, self.tgt, self.wanted = (tn.zeros(32, 4, dtype=tn.int64) for _ in range(3))

    def feed(self, number: int) -> None:
        src = self.numbers[number]
        wanted = np.ascontiguousarray(src[:, ::-1])
        tgt = np.concatenate([np.full((32, 1), 10), wanted[:, :-1]], 1)
        for tensor, values in ((self.src, src), (self.tgt, tgt), (self.wanted, wanted)):
            tensor.copy_(tn.tensor(values))

    def step(self) -> tn.Tensor:
        self.optimizer.zero_grad()
        loss = F.cross_entropy(self.model(self.src, self.tgt).flatten(0, 1), self.wanted.flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        return loss.detach()


def test_replayed_training_steps_are_eager_ones() -> None:
    """Dropout of weights and positions, masks, normalisation, clipping, Adam: the same bits."""
    found = []
    for replayed in (False, True):
        training = Training()
        training.feed(0)
        training.step()
        training.feed(1)
        with tn.Tape() as tape:
            loss = training.step()
        losses = []
        for number in range(2, 8):
            training.feed(number)
            losses.append((tape.replay(loss)[0] if replayed else training.step().numpy()).tobytes())
        found.append((losses, [q.detach().numpy().tobytes() for q in training.model.parameters()]))
    assert len(set(found[0][0])) == 6
    assert found[0] == found[1]


@pytest.mark.slow
def test_a_transformer_learns_to_reverse() -> None:
    training = Training(dropout=0.0)
    for number in range(300):
        training.feed(number)
        training.step()
    training.feed(399)
    with tn.no_grad():
        guessed = training.model.eval()(training.src, training.tgt).argmax(-1)
    assert (guessed == training.wanted).float().mean().item() > 0.95
