"""Augmentation of images: what each change does, that a seed repeats it, and that the images themselves stay."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.data import augment
from tinygrad_notes.data.augment import (
    Augmentation,
    elastic_distortion,
    random_crop,
    random_flip,
    random_rotation,
    random_shift,
)


def _rng() -> np.random.Generator:
    return np.random.default_rng(0)


def _images(*shape: int, dtype: Any = np.float64) -> np.ndarray:
    return (np.arange(np.prod(shape)) + 1).reshape(shape).astype(dtype)


STEPS: dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    "flip": random_flip,
    "crop": partial(random_crop, size=(5, 6), padding=1),
    "shift": partial(random_shift, pixels=2),
    "rotation": partial(random_rotation, degrees=30),
    "elastic": partial(elastic_distortion, alpha=4.0, sigma=1.0),
}


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64, np.int64])
@pytest.mark.parametrize("name", STEPS)
def test_a_seed_repeats_it_and_the_images_stay(name: str, dtype: Any) -> None:
    if name in ("rotation", "elastic"):
        pytest.importorskip("scipy")
    images = (np.random.default_rng(1).random((6, 2, 5, 6)) * 200 + 1).astype(dtype)
    before = images.copy()
    first, second = (STEPS[name](images, _rng()) for _ in range(2))
    np.testing.assert_array_equal(images, before)
    np.testing.assert_array_equal(first, second)
    assert (first.dtype, first.shape) == (images.dtype, images.shape)
    assert (STEPS[name](images, np.random.default_rng(5)) != first).any()
    assert not np.shares_memory(first, images)
    assert first.max() <= images.max()
    assert len({example.tobytes() for example in first}) == 6
    one = STEPS[name](images[:, 0], _rng())
    np.testing.assert_array_equal(one, first[:, 0])  # without channels; and channels are changed alike


def test_flips_are_whole_and_as_frequent_as_asked() -> None:
    images = _images(400, 3, 4)
    for axis in (-1, -2):
        out = random_flip(images, _rng(), 0.25, axis)
        flipped = (out == np.flip(images, axis)).all((1, 2))
        same = (out == images).all((1, 2))
        assert (flipped ^ same).all()
        assert flipped.mean() == pytest.approx(0.25, abs=0.06)
    np.testing.assert_array_equal(random_flip(images, _rng(), 1.0), images[..., ::-1])


def test_crops_are_parts_and_every_part_occurs() -> None:
    image = _images(1, 4, 5)
    out = random_crop(np.repeat(image, 300, 0), _rng(), (2, 3))
    parts = {image[0, i : i + 2, j : j + 3].tobytes() for i in range(3) for j in range(3)}
    assert {example.tobytes() for example in out} == parts
    whole = random_crop(image, _rng(), (4, 5))
    np.testing.assert_array_equal(whole, image)
    assert random_crop(image, _rng(), 3).shape == (1, 3, 3)


def test_shifts_move_the_image_and_fill_from_outside() -> None:
    image = _images(1, 3, 3)
    out = random_shift(np.repeat(image, 300, 0), _rng(), 1, fill=-1)
    expected = set()
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            moved = np.full((3, 3), -1.0)
            for i in range(3):
                for j in range(3):
                    if 0 <= i - down < 3 and 0 <= j - right < 3:
                        moved[i, j] = image[0, i - down, j - right]
            expected.add(moved.tobytes())
    assert {example.tobytes() for example in out} == expected


def test_rotation_turns_counter_clockwise_about_the_middle() -> None:
    ndimage = pytest.importorskip("scipy.ndimage")
    images = _images(2, 5, 5)
    for quarter in (-1, 0, 1, 2):
        out = random_rotation(images, _rng(), (90.0 * quarter, 90.0 * quarter))
        np.testing.assert_allclose(out, np.rot90(images, quarter, (1, 2)), atol=1e-12)
    out = random_rotation(images, _rng(), (20.0, 20.0))
    expected = [ndimage.rotate(image, 20.0, reshape=False, order=1, mode="grid-constant") for image in images]
    np.testing.assert_allclose(out, expected, atol=1e-12)
    angles = _rng().uniform(-30, 30, 2)
    out = random_rotation(images, _rng(), 30)
    expected = [
        ndimage.rotate(image, a, reshape=False, order=1, mode="grid-constant") for image, a in zip(images, angles, strict=True)
    ]
    np.testing.assert_allclose(out, expected, atol=1e-12)


@pytest.mark.parametrize("step", [partial(random_rotation, degrees=30), partial(elastic_distortion, alpha=3.0, sigma=1.0)])
def test_integers_are_rounded_not_cut_off(step: Callable[..., np.ndarray]) -> None:
    pytest.importorskip("scipy")
    images = np.random.default_rng(0).integers(0, 256, (4, 6, 6))
    exact = step(images.astype(np.float64), _rng())
    assert (exact % 1 > 0.5).any()
    np.testing.assert_array_equal(step(images.astype(np.uint8), _rng()), np.round(exact))


def test_elastic_distortion_moves_pixels_by_the_smoothed_field() -> None:
    ndimage = pytest.importorskip("scipy.ndimage")
    down, right = np.indices((28, 28), dtype=float)
    ramp = np.stack([down, right])[None]  # where each pixel came from can be read off
    out = elastic_distortion(ramp, _rng(), fill=np.nan)
    field = _rng().uniform(-1, 1, (2, 28, 28))
    moves = np.stack([ndimage.gaussian_filter(part, 4.0, mode="constant") for part in field]) * 34.0
    seen = ~np.isnan(out[0])
    np.testing.assert_allclose((out[0] - ramp[0])[seen], moves[seen], atol=1e-9)
    assert 0.5 < np.abs(moves).max() < 8
    np.testing.assert_array_equal(elastic_distortion(ramp, _rng(), alpha=0.0), ramp)


def test_steps_one_after_the_other_continue_where_they_were(tmp_path: Any) -> None:
    images = _images(8, 6, 6)
    make = partial(Augmentation, random_flip, partial(random_shift, pixels=2), seed=3)
    whole = make()
    run = [whole(images) for _ in range(3)]
    rng = np.random.default_rng(3)
    np.testing.assert_array_equal(run[0], random_shift(random_flip(images, rng), rng, 2))
    assert (run[0] != run[1]).any()
    half = make()
    half(images)
    tn.save(half.state_dict(), tmp_path / "augment.safetensors")
    resumed = make()
    resumed.load_state_dict(tn.load(tmp_path / "augment.safetensors"))
    for expected in run[1:]:
        np.testing.assert_array_equal(resumed(images), expected)


def test_without_scipy_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy", None)
    with pytest.raises(ImportError, match=r"needs scipy: pip install 'tinygrad-notes\[sklearn\]'"):
        random_rotation(_images(1, 2, 2), _rng(), 10)
    assert random_shift(_images(1, 2, 2), _rng(), 1).shape == (1, 2, 2)


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: random_flip(_images(2, 2), _rng()), TypeError, r"random_flip: needs an array .*, got float64\[2, 2\]"),
        (lambda: random_flip(tn.ones(2, 2, 2), _rng()), TypeError, "got Tensor"),
        (lambda: random_flip(_images(2, 2, 2) > 1, _rng()), TypeError, "got bool"),
        (lambda: random_flip(_images(2, 2, 2), 0), TypeError, r"np.random.default_rng\(seed\), got int"),
        (lambda: random_flip(_images(2, 2, 2), _rng(), 2.0), ValueError, "p=2.0"),
        (lambda: random_flip(_images(2, 2, 2), _rng(), axis=0), ValueError, "axis=0"),
        (lambda: random_crop(_images(2, 2, 2), _rng(), 3), ValueError, "3 x 3 cannot be cut out of 2 x 2 pixels"),
        (lambda: random_crop(_images(2, 2, 2), _rng(), 0), ValueError, "0 x 0 cannot"),
        (lambda: random_shift(_images(2, 2, 2), _rng(), -1), ValueError, "padding cannot be negative, got -1"),
        (lambda: random_rotation(_images(2, 2, 2), _rng(), (3, -3)), ValueError, "range of degrees is empty: 3 to -3"),
        (lambda: random_rotation(_images(2, 2, 2), _rng(), -3.0), ValueError, "empty: 3.0 to -3.0"),
        (lambda: elastic_distortion(_images(2, 2, 2), _rng(), 1.0, 0.0), ValueError, "sigma must be positive, got 0.0"),
    ],
)
def test_bad_input(call: Callable[[], Any], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        call()


def test_everything_public_is_here() -> None:
    assert set(augment.__all__) == {"Augmentation", *(getattr(step, "func", step).__name__ for step in STEPS.values())}
