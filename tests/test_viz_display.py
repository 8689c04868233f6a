"""What notebooks show of Tensors, tapes and modules: small, safe HTML that says what is in them."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest

import tinygrad_notes as tn

VOID = {"meta", "br", "hr", "path", "rect", "ellipse", "polygon"}


class Balanced(HTMLParser):
    """Every tag that is opened is closed, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


def text_of(shown: str) -> str:
    parser = Balanced()
    parser.feed(shown)
    assert parser.open == []
    return html.unescape(re.sub(r"<[^>]*>", " ", shown))


def test_a_tensor_shows_type_statistics_and_values() -> None:
    x = tn.tensor([[1.0, -2.0, 0.5]], requires_grad=True)
    said = text_of(x._repr_html_())
    for part in ("Tensor", "f32[1,3]", "12 bytes", "requires grad", "min -2", "max 1", "0.5"):
        assert part in said
    assert "made by tanh" in text_of(x.tanh()._repr_html_())
    assert "Parameter" in text_of(tn.nn.Parameter(tn.ones(2))._repr_html_())


def test_colours_say_sign_and_size() -> None:
    cells = re.findall(r"<td style=\"([^\"]*)\">([^<]*)</td>", tn.tensor([4.0, -4.0, 2.0, 0.0])._repr_html_())
    shades = {value: re.search(r"background:rgba\((\d+),\d+,\d+,([\d.]+)\)$", style) for style, value in cells}
    assert shades["0"] is None
    (warm, full), (cold, _), (warm_too, half) = (shades[key].groups() for key in ("4", "-4", "2"))  # type: ignore[union-attr]
    assert warm == warm_too != cold
    assert float(half) == float(full) / 2


def test_what_is_not_finite_is_loud() -> None:
    shown = tn.tensor([1.0, float("nan"), float("inf"), float("-inf")])._repr_html_()
    assert "1 NaN, 2 inf" in text_of(shown)
    assert shown.count("background:#000") == 4


@pytest.mark.parametrize("shape", [(1000, 2000), (5_000_001,), (50, 60, 70), ()])
def test_large_tensors_make_no_large_output(shape: tuple[int, ...]) -> None:
    shown = tn.zeros(*shape)._repr_html_()
    assert len(shown) < 20_000
    text_of(shown)
    if len(shape) == 3:
        assert "[0, :, :] of (50, 60, 70)" in text_of(shown)


@pytest.mark.parametrize("value", [np.zeros((0, 3)), np.array([True, False]), np.array([[1, 2]]), np.array(3)])
def test_every_kind_of_tensor_shows_itself(value: np.ndarray) -> None:
    said = text_of(tn.tensor(value)._repr_html_())
    assert "no elements" in said if value.size == 0 else str(value.flat[0]) in said


def test_a_tape_shows_its_picture_and_its_listing() -> None:
    w = tn.ones(2, 2, requires_grad=True)
    with tn.Tape() as tape:
        (w @ w).tanh().sum().backward()
    shown = tape._repr_html_()
    said = text_of(shown)
    assert shown.count("<svg") == 1
    assert "<?xml" not in shown
    assert f"{len(tape):,} nodes" in said
    assert "= tanh(" in said
    assert "<svg" not in tn.Tape()._repr_html_()


def test_a_long_listing_is_cut() -> None:
    x = tn.ones(2)
    with tn.Tape() as tape:
        for _ in range(500):
            x = x + 1.0
    assert re.search(r"… and 302 more lines: print\(tape\)", text_of(tape._repr_html_()))


def test_a_module_shows_its_tree_with_numbers_of_parameters() -> None:
    class Net(tn.nn.Module):
        def __init__(self) -> None:
            self.first = tn.nn.Linear(3, 4)
            self.rest = tn.nn.Sequential(*(tn.nn.Linear(4, 4) for _ in range(5)))
            self.first.bias.requires_grad_(False)

    rows = [re.findall(r"<td[^>]*>([^<]*)</td>", row) for row in Net()._repr_html_().split("<tr>")]
    found = {row[0]: row[1:] for row in rows if row}
    assert found["first"][1:] == ["weight 4×3, bias 4 frozen", "16"]
    assert found["0 … 4 (×5)"][1:] == ["weight 4×4, bias 4", "5 × 20 = 100"]
    assert found[""][2] == "116"
    assert "116 parameters, 112 of them trained" in text_of(Net()._repr_html_())


def test_blocks_of_modules_are_shown_once_and_named_modules_each() -> None:
    drop = tn.nn.Dropout
    shown = tn.nn.Sequential(*(part for _ in range(9) for part in (tn.nn.Linear(2, 2), drop(0.5))))._repr_html_()
    names = [row[0] for part in shown.split("<tr>") if (row := re.findall(r"<td[^>]*>([^<]*)</td>", part))]
    assert names == ["", "0 … 17", "0", "1"]
    assert "9 × 6 = 54" in text_of(shown)

    class Net(tn.nn.Module):
        def __init__(self) -> None:
            self.q, self.k, self.v = (tn.nn.Linear(2, 2) for _ in range(3))

    assert all(f">{name}</td>" in Net()._repr_html_() for name in "qkv")


def test_names_are_escaped() -> None:
    class Odd(tn.nn.Module):
        def extra_repr(self) -> str:
            return "<script>"

    assert "<script>" not in Odd()._repr_html_()


def test_importing_and_computing_load_no_pictures() -> None:
    code = "import sys, tinygrad_notes as tn; (tn.ones(2) * 2).sum(); sys.exit('tinygrad_notes.viz' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
