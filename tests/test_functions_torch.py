"""Every sample call of every public function against torch: values, dtypes, gradients and second derivatives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from functioncheck import SAMPLES, arrays, flowing, here, ids, parts
from samples import Sample

import tinygrad_notes as tn
from tinygrad_notes.tensor import from_array

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore:.*degrees of freedom is <= 0:UserWarning")]

COMPARED = [s for s in SAMPLES if s.torch]
TOLERANCE = {np.float64: 1e-10, np.float32: 3e-5}


def there(sample: Sample, dtype: Any) -> list[Any]:
    found = [torch.from_numpy(a) for a in arrays(sample.inputs, dtype)]
    return [x.requires_grad_() if x.is_floating_point() and sample.orders else x for x in found]


def same(ours: Any, theirs: Any, dtype: Any) -> None:
    """Equal shape and dtype, and values that agree to the tolerance of ``dtype``, relative to the largest of them."""
    a, b = ours.detach().numpy(), theirs.numpy(force=True)
    assert a.shape == b.shape
    assert a.dtype == b.dtype
    scale = np.max(np.abs(b[np.isfinite(b)]), initial=1.0) if b.dtype.kind == "f" else 1.0
    tolerance = TOLERANCE[np.float32] if b.dtype == np.float32 else TOLERANCE[dtype]  # integers become float32
    np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * scale)


@pytest.mark.parametrize("sample", COMPARED, ids=ids(COMPARED))
@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["f64", "f32"])
def test_like_torch(sample: Sample, dtype: Any) -> None:
    ours, theirs = here(sample, dtype), there(sample, dtype)
    results = parts(sample.call(tn, *ours)), parts(sample.call(torch, *theirs))
    assert len(results[0]) == len(results[1])
    for a, b in zip(*results, strict=True):
        same(a, b, dtype)
        assert a.requires_grad == b.requires_grad

    outs = [flowing(result) for result in results]
    for _ in range(sample.orders):
        cotangents = [
            np.linspace(0.5, 1.5, o.numel()).reshape(tuple(o.shape)).astype(o.detach().numpy().dtype) for o in outs[0]
        ]
        wanted = [[x for x in inputs if x.requires_grad] for inputs in (ours, theirs)]
        settings = {"create_graph": True, "allow_unused": True}
        found = (
            tn.autograd.grad(outs[0], wanted[0], [from_array(c) for c in cotangents], **settings),
            torch.autograd.grad(outs[1], wanted[1], [torch.from_numpy(c) for c in cotangents], **settings),
        )
        pairs = [(a, b) for a, b in zip(*found, strict=True) if a is not None or b is not None]
        for a, b in pairs:  # where only one of the two sees no path, the other finds 0 along it
            zero = np.zeros((b if a is None else a).shape, (b if a is None else a).detach().numpy().dtype)
            same(from_array(zero) if a is None else a, torch.from_numpy(zero) if b is None else b, dtype)
        both = [(a, b) for a, b in pairs if a is not None and b is not None and a.requires_grad and b.requires_grad]
        if not both:
            break
        outs = [[a for a, _ in both], [b for _, b in both]]
