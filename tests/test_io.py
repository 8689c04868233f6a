"""Checkpoints: round trips, atomicity, safety, and files that PyTorch users exchange."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn
from tinygrad_notes.dtypes import DTYPES


def test_nested_structures_come_back_as_they_were(tmp_path: Path) -> None:
    tree = {
        "weights": [tn.randn(2, 3), tn.tensor(1.5)],
        "by number": {0: {"step": tn.tensor(3.0, dtype=tn.float64)}, 1: {}},
        "pair": (1, 2.5, None, True, "text"),
        "empty": tn.zeros(0, 3),
        "strided": tn.arange(12).reshape(3, 4).T[::2],
    }
    tn.save(tree, tmp_path / "c.safetensors")
    back = tn.load(tmp_path / "c.safetensors")
    assert back["pair"] == (1, 2.5, None, True, "text")
    assert list(back["by number"]) == [0, 1]
    assert back["by number"][0]["step"].dtype == tn.float64
    assert back["empty"].shape == (0, 3)
    for a, b in ((tree["weights"][0], back["weights"][0]), (tree["strided"], back["strided"])):
        assert a.dtype == b.dtype
        assert a.tolist() == b.tolist()
    back["weights"][0].zero_()  # writable memory of its own


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_every_dtype(dtype: np.dtype, tmp_path: Path) -> None:
    t = tn.tensor(np.array([[0, 1], [1, 0]], dtype))
    tn.save({"t": t}, tmp_path / "t")
    back = tn.load(tmp_path / "t")["t"]
    assert back.dtype == dtype
    assert back.numpy().tobytes() == t.numpy().tobytes()


def test_a_state_dict_is_an_ordinary_safetensors_file(tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    model = nn.LSTM(2, 3)
    tn.save(model.state_dict(), tmp_path / "m.safetensors")
    arrays = load_file(tmp_path / "m.safetensors")
    assert set(arrays) == set(model.state_dict())
    save_file(arrays, tmp_path / "plain.safetensors")
    other = nn.LSTM(2, 3)
    other.load_state_dict(tn.load(tmp_path / "plain.safetensors"))
    assert all(a.tolist() == b.tolist() for a, b in zip(model.parameters(), other.parameters(), strict=True))


def test_a_failing_save_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "c"
    tn.save({"x": tn.ones(2)}, path)
    with pytest.raises(TypeError, match=r"a\.b is a function"):
        tn.save({"x": tn.zeros(2), "a": {"b": len.__call__ and (lambda: 0)}}, path)

    def fail(fd: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(KeyboardInterrupt):
        tn.save({"x": tn.zeros(2)}, path)
    assert tn.load(path)["x"].tolist() == [1, 1]
    assert [p.name for p in tmp_path.iterdir()] == ["c"], "no temporary file stays behind"


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"\x80\x04\x95pickle", b"\xff" * 64])
def test_other_files_are_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "bad").write_bytes(content)
    with pytest.raises(ValueError, match="no checkpoint"):
        tn.load(tmp_path / "bad")


def test_a_cut_file_is_refused(tmp_path: Path) -> None:
    tn.save({"x": tn.ones(100)}, tmp_path / "c")
    data = (tmp_path / "c").read_bytes()
    (tmp_path / "c").write_bytes(data[:-7])
    with pytest.raises(ValueError, match="no checkpoint"):
        tn.load(tmp_path / "c")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        tn.load(tmp_path / "nothing")


def test_what_a_checkpoint_cannot_hold(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="complex"):
        tn.save({"z": np.zeros(2, complex)}, tmp_path / "c")
    with pytest.raises(TypeError, match="key"):
        tn.save({(1, 2): tn.ones(1)}, tmp_path / "c")
    assert not (tmp_path / "c").exists()


def test_places_that_spell_the_same_name_stay_apart(tmp_path: Path) -> None:
    zeros, ones = tn.zeros(2), tn.ones(2)
    for tree in (
        {"a": {"b": zeros}, "a.b": ones},
        {"a": {0: zeros, "0": ones}},
        {"tensor": zeros, "": ones},
        {"__metadata__": ones},
    ):
        tn.save(tree, tmp_path / "c")
        back = tn.load(tmp_path / "c")

        def plain(value: object) -> object:
            return {k: plain(v) for k, v in value.items()} if isinstance(value, dict) else value.tolist()

        assert plain(back) == plain(tree)
