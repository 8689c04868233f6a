"""Random changes of images that keep what they show: more training data from the same (Simard et al. 2003).

Arrays in, new arrays of the same dtype out: images ``(N, H, W)`` or ``(N, C, H, W)``, each changed by random numbers of its own,
its channels alike. The random numbers come from a numpy ``Generator``, so a seed repeats them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["Augmentation", "elastic_distortion", "random_crop", "random_flip", "random_rotation", "random_shift"]

Array = np.ndarray[Any, Any]
Step = Callable[[Array, np.random.Generator], Array]


class Augmentation:
    """Steps one after the other, with random numbers from a seed::

        augment = Augmentation(random_flip, partial(random_shift, pixels=2), seed=0)
        batch = augment(images)

    steps  called with images and random numbers
    seed   where the stream of random numbers starts; ``state_dict`` says where it stands
    """

    def __init__(self, *steps: Step, seed: int) -> None:
        self.steps = steps
        self.rng = np.random.default_rng(seed)

    def __call__(self, images: Array) -> Array:
        for step in self.steps:
            images = step(images, self.rng)
        return images

    def state_dict(self) -> dict[str, Any]:
        """Where the stream of random numbers stands."""
        return dict(self.rng.bit_generator.state)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from what ``state_dict`` gave."""
        self.rng.bit_generator.state = state


# ---- by whole pixels ----


def random_flip(images: Array, rng: np.random.Generator, p: float = 0.5, axis: int = -1) -> Array:
    """Each image mirrored with probability ``p``: left and right (axis -1) or top and bottom (-2)."""
    _check("random_flip", images, rng)
    if not 0 <= p <= 1 or axis not in (-1, -2):
        raise ValueError(f"random_flip: needs a probability and axis -1 or -2, got p={p}, axis={axis}")
    flipped = rng.random(len(images)) < p
    return np.where(flipped.reshape(-1, *(1,) * (images.ndim - 1)), np.flip(images, axis), images)


def random_crop(
    images: Array, rng: np.random.Generator, size: int | tuple[int, int], padding: int = 0, fill: float = 0
) -> Array:
    """A random part of each image, ``(N, ..., height, width)``.

    size     height and width, or one number for both
    padding  pixels of ``fill`` that are first put around the images
    Raises ValueError where the part is larger than the (padded) image.
    """
    _check("random_crop", images, rng)
    height, width = (size, size) if isinstance(size, int) else size
    if padding < 0:
        raise ValueError(f"random_crop: padding cannot be negative, got {padding}")
    around = [(0, 0)] * (images.ndim - 2) + [(padding, padding)] * 2
    padded = np.pad(images, around, constant_values=fill) if padding else images
    rows, columns = padded.shape[-2] - height, padded.shape[-1] - width
    if min(height, width) < 1 or min(rows, columns) < 0:
        raise ValueError(f"random_crop: {height} x {width} cannot be cut out of {padded.shape[-2]} x {padded.shape[-1]} pixels")
    tops, lefts = rng.integers(0, rows + 1, len(images)), rng.integers(0, columns + 1, len(images))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (height, width), axis=(-2, -1))
    windows = np.moveaxis(windows, (-4, -3), (1, 2))  # (N, places down, places right, ..., height, width)
    return np.ascontiguousarray(windows[np.arange(len(images)), tops, lefts])


def random_shift(images: Array, rng: np.random.Generator, pixels: int, fill: float = 0) -> Array:
    """Each image moved by at most ``pixels`` along both axes; ``fill`` comes in from outside."""
    _check("random_shift", images, rng)
    return random_crop(images, rng, images.shape[-2:], pixels, fill)


# ---- between pixels: values are interpolated linearly ----


def random_rotation(images: Array, rng: np.random.Generator, degrees: float | tuple[float, float], fill: float = 0) -> Array:
    """Each image turned around its middle, counter-clockwise; ``fill`` comes in from outside.

    degrees  the range of the angle; one number stands for ±degrees
    """
    _check("random_rotation", images, rng)
    low, high = (-degrees, degrees) if isinstance(degrees, int | float) else degrees
    if not low <= high:
        raise ValueError(f"random_rotation: the range of degrees is empty: {low} to {high}")
    angles = np.deg2rad(rng.uniform(low, high, len(images)))
    grid = _grid(images)
    middle = (np.array(images.shape[-2:]) - 1).reshape(2, 1, 1) / 2
    down, right = grid - middle
    turned = [np.stack([np.cos(a) * down + np.sin(a) * right, np.cos(a) * right - np.sin(a) * down]) for a in angles]
    return _resampled(images, [places + middle for places in turned], fill)


def elastic_distortion(
    images: Array, rng: np.random.Generator, alpha: float = 34.0, sigma: float = 4.0, fill: float = 0
) -> Array:
    """Each pixel moved by a random field, as unsteady hands do with digits (Simard et al. 2003).

    alpha  strength: what the field, of uniform numbers in [-1, 1] smoothed, is multiplied by
    sigma  width of the smoothing Gaussian in pixels; the defaults are those of the paper, for 28 x 28
    """
    _check("elastic_distortion", images, rng)
    if not sigma > 0:
        raise ValueError(f"elastic_distortion: sigma must be positive, got {sigma}")
    smooth, grid = _ndimage().gaussian_filter, _grid(images)
    fields = rng.uniform(-1, 1, (len(images), 2, *images.shape[-2:]))
    moved = [grid + alpha * np.stack([smooth(part, sigma, mode="constant") for part in field]) for field in fields]
    return _resampled(images, moved, fill)


# ---- what they share ----


def _check(name: str, images: Array, rng: np.random.Generator) -> None:
    if not isinstance(images, np.ndarray) or images.ndim not in (3, 4) or images.dtype.kind not in "uif":
        found = f"{images.dtype}{list(images.shape)}" if isinstance(images, np.ndarray) else type(images).__name__
        raise TypeError(f"{name}: needs an array of numbers, (N, H, W) or (N, C, H, W), got {found}")
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"{name}: needs a Generator, np.random.default_rng(seed), got {type(rng).__name__}")


def _grid(images: Array) -> Array:
    """``(2, H, W)``: of every pixel, how far down and how far right it is."""
    return np.indices(images.shape[-2:], dtype=np.float64)


def _resampled(images: Array, places: list[Array], fill: float) -> Array:
    """Each image with the values at its ``places``, ``(2, H, W)``."""
    at = _ndimage().map_coordinates
    out = np.empty(images.shape, np.float64)
    for image, where, into in zip(images, places, out, strict=True):
        for channel, target in zip(image.reshape(-1, *image.shape[-2:]), into.reshape(-1, *image.shape[-2:]), strict=True):
            at(channel.astype(np.float64), where, target, order=1, mode="grid-constant", cval=fill)
    return (out if images.dtype.kind == "f" else np.round(out)).astype(images.dtype)


def _ndimage() -> Any:
    try:
        from scipy import ndimage
    except ImportError:
        raise ImportError("turning and distorting images needs scipy: pip install 'tinygrad-notes[sklearn]'") from None
    return ndimage
