"""Bad input: each raises what PyTorch raises there, and says the operation, the shapes, and a way out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.dispatch import primitive
from tinygrad_notes.optable import TABLE, Case, p

a23, a4, a0 = tn.zeros(2, 3), tn.zeros(4), tn.zeros(())
ints = tn.arange(6).reshape(2, 3)
flags = tn.tensor([True, False])


def weight() -> tn.Tensor:
    return tn.ones(2, 3, requires_grad=True)


Bad = tuple[Callable[[], Any], type[Exception], str]

SHAPES: dict[str, Bad] = {
    "add": (lambda: a23 + a4, RuntimeError, r"add\(f32\[2,3\], f32\[4\]\).*reshape, unsqueeze or expand"),
    "sub scalar array": (lambda: a23 - np.zeros(4), RuntimeError, r"sub\(f32\[2,3\], f64\[4\]\)|sub\(f64\[2,3\], f64\[4\]\)"),
    "where": (lambda: tn.where(flags, a23, a4), RuntimeError, r"where\(bool\[2\], f32\[2,3\], f32\[4\]\).*expand"),
    "compare": (lambda: a23 < a4, RuntimeError, r"lt\(f32\[2,3\], f32\[4\]\)"),
    "matmul": (lambda: a23 @ a23, RuntimeError, r"matmul: f32\[2,3\] @ f32\[2,3\].*lengths 3 and 2 differ.*\.mT"),
    "matmul vector": (lambda: a23 @ a4, RuntimeError, r"f32\[2,3\] @ f32\[4\].*3 and 4"),
    "matmul stacks": (lambda: tn.zeros(2, 1, 3) @ tn.zeros(3, 3, 1), RuntimeError, r"matmul\(f32\[2,1,3\], f32\[3,3,1\]\).*\.mT"),
    "matmul 0-d": (lambda: a0 @ a4, RuntimeError, r"matmul: a 0-d Tensor.*f32\[\] @ Tensor f32\[4\].*use \*"),
    "reshape": (lambda: a23.reshape(4, 2), RuntimeError, r"reshape: Tensor f32\[2,3\] with 6 elements cannot take the shape \(4, 2\)"),
    "reshape two unknown": (lambda: a23.reshape(-1, -1), RuntimeError, r"reshape: Tensor f32\[2,3\]"),
    "reshape negative": (lambda: a23.reshape(-2, -3), RuntimeError, r"reshape: Tensor f32\[2,3\]"),
    "reshape ambiguous": (lambda: tn.zeros(0, 2).reshape(-1, 0), RuntimeError, r"reshape: Tensor f32\[0,2\]"),
    "view": (lambda: a23.T.view(6), RuntimeError, r"view: Tensor f32\[3,2\] is not contiguous.*use reshape"),
    "expand": (lambda: a23.expand(4, 3), RuntimeError, r"expand: Tensor f32\[2,3\] cannot be stretched to \(4, 3\).*length 1"),
    "expand fewer": (lambda: a23.expand(3), RuntimeError, r"expand: Tensor f32\[2,3\]"),
    "expand new -1": (lambda: a4.expand(-1, 4), RuntimeError, r"expand: Tensor f32\[4\]"),
    "cat": (lambda: tn.cat([a23, tn.zeros(2, 2)]), RuntimeError, r"cat: f32\[2,3\], f32\[2,2\].*equal but for the one"),
    "cat axes": (lambda: tn.cat([a23, a4]), RuntimeError, r"cat: f32\[2,3\], f32\[4\].*stack\?"),
    "cat 0-d": (lambda: tn.cat([a0, a0]), RuntimeError, r"cat: f32\[\], f32\[\]"),
    "cat nothing": (lambda: tn.cat([]), RuntimeError, r"cat: needs at least one"),
    "stack": (lambda: tn.stack([a23, a4]), RuntimeError, r"stack: f32\[2,3\], f32\[4\].*cat joins"),
    "split lengths": (lambda: a4.split([1, 2]), RuntimeError, r"split: the lengths \[1, 2\] do not add up to 4.*f32\[4\]"),
    "split negative": (lambda: a4.split([5, -1]), RuntimeError, r"split: the lengths \[5, -1\]"),
    "split by 0": (lambda: a4.split(0), RuntimeError, r"split: the piece length must be positive"),
    "chunk 0-d": (lambda: a0.chunk(2), RuntimeError, r"chunk: Tensor f32\[\] has no axis"),
    "unbind 0-d": (lambda: a0.unbind(), RuntimeError, r"unbind: Tensor f32\[\] has no axis"),
    "permute": (lambda: a23.permute(0, 0), RuntimeError, r"permute: \(0, 0\).*f32\[2,3\]"),
    "mT": (lambda: a4.mT, RuntimeError, r"mT: Tensor f32\[4\]"),
    "flatten": (lambda: a23.flatten(1, 0), RuntimeError, r"flatten: start_dim=1 lies behind end_dim=0.*f32\[2,3\]"),
    "sum twice": (lambda: a23.sum((0, -2)), RuntimeError, r"sum: dim=\(0, -2\) names an axis of Tensor f32\[2,3\] twice"),
    "item": (lambda: a4.item(), RuntimeError, r"item: Tensor f32\[4\] has 4 elements"),
    "bool": (lambda: bool(a4), RuntimeError, r"bool: .*f32\[4\] with 4 values is ambiguous.*any.*all"),
    "float": (lambda: float(a4), RuntimeError, r"item: Tensor f32\[4\]"),
    "grad slot": (lambda: setattr(weight(), "grad", a4), RuntimeError, r"grad: Tensor f32\[4\] does not fit Tensor f32\[2,3\]"),
    "gather": (lambda: tn.gather(a23, 0, tn.tensor([0])), RuntimeError, r"gather: the index Tensor i64\[1\].*f32\[2,3\]"),
    "scatter_add": (lambda: tn.scatter_add(a23, 0, ints * 0, a4), RuntimeError,
                    r"scatter_add: the index Tensor i64\[2,3\] is larger than src Tensor f32\[4\]"),
    "index_select": (lambda: tn.index_select(a23, 0, ints), IndexError, r"index_select: the index must have one axis.*i64\[2,3\]"),
    "gather index": (
        lambda: tn.gather(a23, 1, ints),
        RuntimeError,
        r"gather: index 3 is out of range for axis 1 of Tensor f32\[2,3\]",
    ),
    "gather floats": (
        lambda: tn.gather(a23, 1, a23),
        RuntimeError,
        r"gather: the index must be a Tensor of integers, got Tensor f32\[2,3\]",
    ),
    "setitem": (lambda: a23.__setitem__(0, a4), RuntimeError, r"f32\[4\] does not broadcast to Tensor f32\[3\]"),
    "setitem by array": (lambda: a23.__setitem__([0, 1], a4), RuntimeError, r"f32\[4\] does not broadcast to .*\[2, 3\]"),
    "ragged": (lambda: tn.tensor([[1.0], [1.0, 2.0]]), RuntimeError, r"tensor: rows of different lengths"),
    "ragged write": (lambda: a23.__setitem__(0, [[1], [1, 2]]), RuntimeError, r"rows of different lengths"),
    "zeros": (lambda: tn.zeros(2, -1), RuntimeError, r"zeros: a shape holds non-negative integers, got \(2, -1\)"),
}  # fmt: skip

INDICES: dict[str, Bad] = {
    "sum axis": (lambda: a23.sum(2), IndexError, r"sum: dim=2 is out of range for Tensor f32\[2,3\]; use -2 to 1"),
    "cat axis": (lambda: tn.cat([a23, a23], -3), IndexError, r"cat: dim=-3.*f32\[2,3\]"),
    "transpose": (lambda: a23.transpose(0, 5), IndexError, r"transpose: dim=5.*f32\[2,3\]; use -2 to 1"),
    "unsqueeze": (lambda: a23.unsqueeze(4), IndexError, r"unsqueeze: dim=4.*use -3 to 2"),
    "argmax": (lambda: a4.argmax(1), IndexError, r"argmax: dim=1.*f32\[4\]"),
    "amax of nothing": (lambda: tn.zeros(0, 2).amax(0), IndexError, r"amax: axis 0 of Tensor f32\[0,2\] is empty"),
    "argmax of nothing": (lambda: tn.zeros(0).argmax(), IndexError, r"argmax: axis 0 of Tensor f32\[0\] is empty"),
    "int": (lambda: a4[4], IndexError, r"index 4 is out of range for axis 0 of Tensor f32\[4\]"),
    "negative": (lambda: a23[0, -4], IndexError, r"index -4 is out of range for axis 1 of Tensor f32\[2,3\]"),
    "array": (lambda: a4[tn.tensor([0, 9])], IndexError, r"index 9 is out of range for axis 0 of Tensor f32\[4\]"),
    "too many": (lambda: a4[0, 0], IndexError, r"2 indices for Tensor f32\[4\], which has 1 axes"),
    "two ellipses": (lambda: a23[..., ...], IndexError, r"only one `\.\.\.`"),
    "mask": (lambda: a4[flags], IndexError, r"mask of shape \(2,\) does not fit the axes \(4,\) of Tensor f32\[4\]"),
    "float index": (lambda: a4[1.0], IndexError, r"float is no index; use ints, slices"),
    "float array": (lambda: a4[tn.tensor([1.0])], IndexError, r"dtype float32 selects nothing in Tensor f32\[4\].*integers"),
    "text": (lambda: a4["a"], TypeError, r"str is no index"),
    "not together": (lambda: a23[[0, 1], [0, 1, 2]], IndexError, r"\[\(2,\), \(3,\)\] do not broadcast"),
    "set": (lambda: a4.__setitem__(7, 1.0), IndexError, r"index 7 is out of range"),
    "take": (
        lambda: tn.index_select(a23, 0, tn.tensor([2])),
        IndexError,
        r"index_select: index 2 is out of range for axis 0 of Tensor f32\[2,3\]",
    ),
}

DTYPES: dict[str, Bad] = {
    "mean": (lambda: ints.mean(), RuntimeError, r"mean: Tensor i64\[2,3\] is not floating-point; use \.float\(\)"),
    "matmul": (
        lambda: a23 @ ints.T,
        RuntimeError,
        r"matmul: .*f32\[2,3\] @ Tensor i64\[3,2\]: both need one dtype.*\.to\(dtype\)",
    ),
    "where": (lambda: tn.where(ints, a23, a23), RuntimeError, r"where: the condition must be bool, got Tensor i64\[2,3\]"),
    "masked_fill": (
        lambda: tn.masked_fill(a23, ints, 0.0),
        RuntimeError,
        r"masked_fill: the mask must be a bool Tensor, got .*i64\[2,3\]",
    ),
    "neg": (lambda: -flags, RuntimeError, r"neg\(bool\[2\]\).*\.to\(dtype\)"),
    "sub": (lambda: flags - flags, RuntimeError, r"sub\(bool\[2\], bool\[2\]\).*\.to\(dtype\)"),
    "pow of bools": (
        lambda: flags**flags,
        RuntimeError,
        r"pow\(bool\[2\], bool\[2\]\): truth values have no powers.*\.long\(\)",
    ),
    "negative power": (
        lambda: ints**-1,
        RuntimeError,
        r"pow\(i64\[2,3\], -1\): Integers to negative integer powers.*\.float\(\)",
    ),
    "no common type": (lambda: tn.zeros(2, dtype=tn.uint32) + flags.long(), RuntimeError, r"uint32 and int64 have no common"),
    "requires grad": (lambda: ints.requires_grad_(), RuntimeError, r"i64\[2,3\] cannot require grad.*\.float\(\)"),
    "requires grad at once": (lambda: tn.tensor([1], requires_grad=True), RuntimeError, r"i64\[1\] cannot require grad"),
    "unknown": (lambda: tn.zeros(2, dtype=np.complex64), RuntimeError, r"complex64 is not supported; use one of bool"),
    "half": (lambda: a4.to("float16"), RuntimeError, r"float16 is not supported"),
    "nonsense": (lambda: a4.to("float33"), RuntimeError, r"'float33' is no dtype"),
    "objects": (lambda: tn.tensor([None, 1]), RuntimeError, r"dtype object is not supported"),
    "foreign byte order": (lambda: tn.from_numpy(np.zeros(2, ">f4")), RuntimeError, r"dtype >f4 is not supported; use one of"),
}

FOREIGN: dict[str, Bad] = {
    "list": (lambda: a4 * [1, 2, 3, 4], TypeError, r"mul: a list is no operand \(f32\[4\], \[1, 2, 3, 4\]\).*tn\.tensor"),
    "None": (lambda: a4 * None, TypeError, r"mul: a NoneType is no operand.*tn\.tensor"),
    "complex": (lambda: a4 * 1j, TypeError, r"mul: a complex is no operand"),
    "text": (lambda: tn.exp("a"), TypeError, r"exp: a str is no operand"),
    "reflected": (lambda: {} - a4, TypeError, r"sub: a dict is no operand"),
    "matmul": (lambda: a23 @ 2, TypeError, r"matmul: needs two Tensors, one is a int.*tn\.tensor"),
    "matmul array": (lambda: tn.matmul(np.zeros((2, 2)), a23), TypeError, r"matmul: needs two Tensors, one is a ndarray"),
    "sum": (lambda: tn.sum([1, 2]), TypeError, r"sum: needs a Tensor, got list.*tn\.tensor"),
    "dim": (lambda: a23.sum(0.5), TypeError, r"sum: dim must be an integer, got 0\.5"),
    "cat": (lambda: tn.cat([a4, 1]), TypeError, r"cat: part 1 is a int.*tn\.tensor"),
    "stack": (lambda: tn.stack([np.zeros(4), a4]), TypeError, r"stack: part 0 is a ndarray"),
    "set None": (lambda: a4.__setitem__(0, None), TypeError, r"a NoneType cannot be written into Tensor f32\[\].*give numbers"),
    "fill text": (lambda: a4.fill_("a"), TypeError, r"fill_: a str cannot be written into Tensor f32\[4\]"),
    "from_numpy": (lambda: tn.from_numpy([1]), TypeError, r"from_numpy: needs a numpy array, got list; tn\.tensor"),
    "index": (lambda: [1, 2][a4], TypeError, r"f32\[4\] cannot be an index"),
    "len": (lambda: len(a0), TypeError, r"0-d"),
    "iterate": (lambda: list(a0), TypeError, r"0-d Tensor; use t\.item\(\)"),
    "grad slot": (lambda: setattr(weight(), "grad", np.zeros((2, 3))), TypeError, r"grad: needs a Tensor or None, got ndarray"),
    "ufunc": (lambda: np.nextafter(a4, a4), TypeError, r"np\.nextafter does not record.*t\.detach\(\)\.numpy\(\)"),
    "ufunc method": (lambda: np.add.reduce(a4), TypeError, r"np\.add\.reduce does not record"),
    "ufunc out": (lambda: np.exp(a4, out=np.zeros(4)), TypeError, r"np\.exp with out does not record"),
    "generator": (
        lambda: tn.no_grad()(_generator),
        TypeError,
        r"no_grad cannot decorate the generator '_generator'.*with tn\.no_grad",
    ),
}

GRAPHS: dict[str, Bad] = {
    "nothing": (lambda: a23.sum().backward(), RuntimeError, r"backward: Tensor f32\[\] does not require grad.*requires_grad_\(\)"),
    "non-scalar": (lambda: (weight() * 2).backward(), RuntimeError, r"f32\[2,3\] with 6 elements needs a cotangent.*\.sum\(\)"),
    "wrong cotangent": (lambda: (weight() * 2).backward(a4), RuntimeError, r"Tensor f32\[4\] must have the shape.*f32\[2,3\]"),
    "numpy": (lambda: weight().numpy(), RuntimeError, r"numpy: Tensor f32\[2,3\] requires grad.*t\.detach\(\)\.numpy\(\)"),
    "asarray": (lambda: np.asarray(weight()), RuntimeError, r"t\.detach\(\)\.numpy\(\)"),
    "no longer": (lambda: (weight() * 2).requires_grad_(False), RuntimeError, r"f32\[2,3\] is the result of an operation.*\.detach\(\)"),
    "deepcopy": (lambda: __import__("copy").deepcopy(weight() * 2), RuntimeError, r"deepcopy: .*t\.detach\(\) or use t\.clone\(\)"),
    "pickle": (lambda: __import__("pickle").dumps(weight() * 2), RuntimeError, r"pickle: .*t\.detach\(\)"),
    "grad of nothing": (lambda: tn.autograd.grad(weight().sum(), []), RuntimeError, r"grad: needs at least one input"),
    "grad of a constant": (lambda: tn.autograd.grad(weight().sum(), [a4]), RuntimeError, r"f32\[4\] does not require grad"),
    "gradcheck of float32": (lambda: tn.autograd.gradcheck(tn.exp, weight()), RuntimeError, r"central differences need float64"),
    "gradcheck of nothing": (lambda: tn.autograd.gradcheck(tn.exp, a4), RuntimeError, r"no input requires grad"),
    "gradcheck of a detached function": (lambda: tn.autograd.gradcheck(lambda x: x.detach(), weight().double().detach().requires_grad_()),
                                         RuntimeError, r"the function detaches its inputs"),
}  # fmt: skip


def _generator() -> Any:
    yield 1


ALL = {**{f"shape: {k}": v for k, v in SHAPES.items()}, **{f"index: {k}": v for k, v in INDICES.items()},
       **{f"dtype: {k}": v for k, v in DTYPES.items()}, **{f"type: {k}": v for k, v in FOREIGN.items()},
       **{f"graph: {k}": v for k, v in GRAPHS.items()}}  # fmt: skip


@pytest.mark.parametrize("name", ALL)
def test_bad_input(name: str) -> None:
    act, kind, message = ALL[name]
    with pytest.raises(kind, match=r"(?s)" + message) as caught:
        act()
    text = str(caught.value)
    assert type(caught.value) in (TypeError, IndexError) or type(caught.value).__module__.startswith("tinygrad_notes"), (
        "numpy's own"
    )
    assert ".. " not in text
    assert len(text) < 400
    assert tn.zeros(2, 3).tolist() == a23.tolist(), "the operand was changed"


def test_values_out_of_range() -> None:
    with pytest.raises(ValueError, match="64 bits"):
        tn.manual_seed(2**64)


# ---- rows that do not fit together ----

GOOD: dict[str, Any] = {
    "args": "x y", "vjp": (lambda g, y: g * y, lambda g, x: g * x), "kind": "elementwise", "expr": "x * y",
    "result": lambda shapes, dtypes, params: (shapes[0], dtypes[0]), "cases": (Case((((2,), -1.0, 1.0), ((2,), -1.0, 1.0))),),
}  # fmt: skip
MALFORMED: dict[str, tuple[dict[str, Any], str]] = {
    "too few rules": ({"vjp": (lambda g: g,)}, r"2 arguments \(x, y\) but 1 VJP rules; write None"),
    "too many rules": ({"vjp": (None, None, None)}, r"but 3 VJP rules"),
    "unknown name": (
        {"vjp": (lambda g, z: g, None)},
        r"rule 0 reads z; it may read g, out, x, x_dtype, x_op, x_params, x_shape, y",
    ),
    "unknown attribute": ({"vjp": (None, lambda g, y_size: g)}, r"rule 1 reads y_size"),
    "no cases": ({"cases": ()}, r"without test cases"),
    "case of another arity": ({"cases": (Case((((2,), 0.0, 1.0),)),)}, r"a case has 1 arrays for 2 arguments"),
    "case without its parameter": ({"params": "dim"}, r"a case has the parameters \[\], the row declares \['dim'\]"),
    "no expression": ({"expr": ""}, r"needs the scalar expression"),
    "unknown kind": ({"kind": "magic"}, r"kind 'magic' is none of elementwise"),
    "promotes nothing": ({"promote": (2,)}, r"promote=\(2,\) names an argument that does not exist"),
    "variadic with others": ({"args": "x... y"}, r"a variadic primitive has one argument name only"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_row_is_refused_without_a_trace(name: str) -> None:
    changes, message = MALFORMED[name]
    before = dict(TABLE)
    with pytest.raises(ValueError, match=r"primitive 'twofold': .*" + message):
        primitive("twofold", np.multiply, **{**GOOD, **changes})
    assert before == TABLE
    assert "twofold" not in vars(p)


def test_a_name_is_taken_once_and_a_good_row_enters() -> None:
    right = TABLE["mul"]
    with pytest.raises(ValueError, match=r"primitive 'mul': the table already has a row"):
        primitive("mul", np.multiply, **GOOD)
    assert TABLE["mul"] is right
    try:
        op = primitive("twofold", np.multiply, **GOOD)
        assert TABLE["twofold"] is op
        x = tn.tensor([1.0, 2.0], requires_grad=True)
        op.bind(x, x).sum().backward()
        assert x.grad.tolist() == [2, 4]
    finally:
        TABLE.pop("twofold", None)
        vars(p).pop("twofold", None)


def test_an_unknown_primitive_names_the_table() -> None:
    with pytest.raises(AttributeError, match=r"no primitive 'softmax'; the table has abs, acos"):
        _ = p.softmax
