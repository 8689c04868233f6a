"""Sums of products over named axes: Einstein's notation, as a composite of diagonals, sums, permutes and matrix products."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod
from typing import Any

from ..errors import DtypeError, ShapeError, describe
from ..tensor import Tensor
from .arguments import tensor
from .linalg import matmul
from .reduce import part, sum
from .shape import permute, reshape

__all__ = ["einsum"]

Labels = list[str]
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def einsum(equation: Any, *operands: Any) -> Tensor:
    """``einsum("bij,bjk->bik", x, y)``: axes of one letter go together; letters that the result leaves out are summed over.

    Without ``->`` the result has the letters that stand once, in order. ``...`` are axes that broadcast; a letter twice in
    one operand is its diagonal; an axis of length 1 stretches. Three and more operands are taken from left to right. Also as
    ``einsum(x, [0, 1], y, [1, 2], [0, 2])``. Raises ShapeError for an equation that does not fit, DtypeError for two dtypes.
    """
    if not isinstance(equation, str):
        equation, operands = _written(equation, operands)
    if len(operands) == 1 and isinstance(operands[0], list | tuple):
        operands = tuple(operands[0])
    terms, result = _parsed(equation, operands)
    lengths = _lengths(equation, operands, terms)
    parts = [_prepared(x, term, lengths) for x, term in zip(operands, terms, strict=True)]
    for i, (x, term) in enumerate(parts):
        needed = {*result, *(label for j, (_, other) in enumerate(parts) if j != i for label in other)}
        parts[i] = _summed(x, term, needed)
    value, labels = parts[0]
    for i, (x, term) in enumerate(parts[1:], 2):
        later = {*result, *(label for _, other in parts[i:] for label in other)}
        value, labels = _product(value, labels, x, term, later)
    return permute(value, *(labels.index(label) for label in result))


# ---- the equation ----


def _written(first: Any, rest: Sequence[Any]) -> tuple[str, tuple[Any, ...]]:
    """The form with lists of numbers as the form with letters."""
    given = [first, *rest]
    terms = [_letters(labels) for labels in given[1::2]]
    result = f"->{_letters(given[-1])}" if len(given) % 2 else ""
    return ",".join(terms) + result, tuple(given[: len(given) // 2 * 2 : 2])


def _letters(labels: Any) -> str:
    if not isinstance(labels, list | tuple) or not all(n is ... or (isinstance(n, int) and 0 <= n < 52) for n in labels):
        raise ValueError(f"einsum: the axes of an operand are a list of numbers 0 to 51 and ..., got {labels!r}")
    return "".join("..." if n is ... else _LETTERS[n] for n in labels)


def _parsed(equation: str, operands: Sequence[Any]) -> tuple[list[Labels], Labels]:
    """The labels of each operand's axes, and of the result's. An axis under an ellipsis is ".0", ".1" from the right."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    written = left.split(",")
    if len(written) != len(operands):
        raise ShapeError(f"einsum: {equation!r} has {len(written)} operands, {len(operands)} are given")
    terms = []
    for term, x in zip(written, operands, strict=True):
        tensor("einsum", x)
        named = _checked(equation, term)
        under = x.ndim - len(named)
        if under < 0 or (under and "..." not in term):
            raise ShapeError(f"einsum: {term!r} of {equation!r} names {len(named)} axes of {x._type()}, which has {x.ndim}")
        before = term.find("...") if "..." in term else len(named)
        terms.append([*named[:before], *_ellipsis(under), *named[before:]])
    used = [label for term in terms for label in term]
    longest = _ellipsis(len({label for label in used if label[0] == "."}))
    if not arrow:
        return terms, [*longest, *sorted(label for label in set(used) if label[0] != "." and used.count(label) == 1)]
    named = _checked(equation, right)
    before = right.find("...") if "..." in right else len(named)
    if unknown := [label for label in named if label not in used]:
        raise ShapeError(f"einsum: the result of {equation!r} has {unknown[0]!r}, which no operand has")
    if len(set(named)) < len(named):
        raise ShapeError(f"einsum: the result of {equation!r} has a letter twice")
    return terms, [*named[:before], *(longest if "..." in right else []), *named[before:]]


def _ellipsis(count: int) -> Labels:
    return [f".{i}" for i in reversed(range(count))]


def _checked(equation: str, term: str) -> Labels:
    """The letters of a term."""
    named = list(term.replace("...", "", 1))
    if wrong := [letter for letter in named if letter not in _LETTERS]:
        raise ShapeError(f"einsum: {equation!r} has {wrong[0]!r}; axes are letters, a rest of them '...'")
    return named


def _lengths(equation: str, operands: Sequence[Tensor], terms: list[Labels]) -> dict[str, int]:
    found: dict[str, int] = {}
    for x, term in zip(operands, terms, strict=True):
        for label, n in zip(term, x.shape, strict=True):
            if found.get(label, 1) == 1:
                found[label] = n
            elif n not in (1, found[label]):
                given = describe(x._array for x in operands)
                raise ShapeError(f"einsum: {equation!r} of {given}: {label!r} is of length {found[label]} and of length {n}")
    if len({x.dtype for x in operands}) > 1:
        raise DtypeError(f"einsum: {describe(x._array for x in operands)}: all need one dtype; cast with .to(dtype)")
    return found


# ---- the computation ----


def _prepared(x: Tensor, term: Labels, lengths: dict[str, int]) -> tuple[Tensor, Labels]:
    """An operand with every label once: diagonals taken, axes that would stretch left out."""
    kept = [i for i, label in enumerate(term) if x.shape[i] == lengths[label]]
    if len(kept) < len(term):
        x, term = reshape(x, *(x.shape[i] for i in kept)), [term[i] for i in kept]
    for label in dict.fromkeys(term):
        while term.count(label) > 1:
            a = term.index(label)
            b = term.index(label, a + 1)
            others = [i for i in range(x.ndim) if i not in (a, b)]
            n, around = x.shape[a], [x.shape[i] for i in others]
            x = reshape(permute(x, *others, a, b), *around, n * n)
            x, term = part(x, len(around), None, None, n + 1), [*(term[i] for i in others), label]
    return x, term


def _summed(x: Tensor, term: Labels, needed: Iterable[str]) -> tuple[Tensor, Labels]:
    """Without the axes that nothing else needs."""
    alone = tuple(i for i, label in enumerate(term) if label not in needed)
    return (sum(x, alone, dtype=x.dtype), [label for label in term if label in needed]) if alone else (x, term)


def _product(x: Tensor, of_x: Labels, y: Tensor, of_y: Labels, later: set[str]) -> tuple[Tensor, Labels]:
    """Two operands as one matrix product, or elementwise where they share no axis that ends here."""
    shared = [label for label in of_x if label in of_y]
    batch, inner = [label for label in shared if label in later], [label for label in shared if label not in later]
    rows, columns = [label for label in of_x if label not in shared], [label for label in of_y if label not in shared]
    length = dict(zip([*of_x, *of_y], [*x.shape, *y.shape], strict=True))

    def arranged(value: Tensor, labels: Labels, *groups: Labels) -> Tensor:
        """``value`` with its axes in the order of ``groups``, each joined to one."""
        value = permute(value, *(labels.index(label) for group in groups for label in group))
        return reshape(value, *(prod(length[label] for label in group) for group in groups))

    labels = [*batch, *rows, *columns]
    if not inner:
        value = arranged(x, of_x, batch, rows, []) * arranged(y, of_y, batch, [], columns)
    elif batch:
        value = matmul(arranged(x, of_x, batch, rows, inner), arranged(y, of_y, batch, inner, columns))
    else:
        value = matmul(arranged(x, of_x, rows, inner), arranged(y, of_y, inner, columns))
    return reshape(value, *(length[label] for label in labels)), labels
