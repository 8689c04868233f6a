"""Data sets and loaders: order, batches, padding, exact resume, and what is refused."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.functions.generator import Generator
from tinygrad_notes.utils.data import DataLoader, Dataset, Subset, TensorDataset, default_collate, pad_collate, random_split

NUMBERS = TensorDataset(tn.arange(10), tn.arange(10.0) * 2)


class Squares(Dataset):
    def __getitem__(self, index: int) -> tuple[int, float]:
        return index, float(index**2)

    def __len__(self) -> int:
        return 7


def walk(loader: DataLoader) -> list[list[int]]:
    return [batch[0].tolist() for batch in loader]


def joined(parts: Iterable[list[int]]) -> list[int]:
    return [number for part in parts for number in part]


def test_batches_in_order() -> None:
    loader = DataLoader(NUMBERS, 4)
    assert walk(loader) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert len(loader) == 3
    x, y = next(iter(loader))
    assert (x.dtype, y.dtype, y.tolist()) == (tn.int64, tn.float32, [0, 2, 4, 6])
    full = DataLoader(NUMBERS, 4, drop_last=True)
    assert walk(full) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert len(full) == 2
    assert [x.item() for x, _ in DataLoader(NUMBERS, batch_size=None)] == list(range(10))
    assert walk(DataLoader(NUMBERS, 2, sampler=[5, 1, 7])) == [[5, 1], [7]]
    assert walk(DataLoader(NUMBERS, batch_sampler=[[3], [1, 2]])) == [[3], [1, 2]]
    squares = list(DataLoader(Squares(), 4))
    assert squares[1][0].tolist() == [4, 5, 6]
    assert (squares[1][1].tolist(), squares[1][1].dtype) == ([16, 25, 36], tn.float64)
    assert list(DataLoader(["a", "bc", "d"], 2)) == [["a", "bc"], ["d"]]
    assert list(DataLoader([1, 2, 3], 3, collate_fn=sum)) == [6]


def test_shuffling_follows_the_seed_and_is_new_every_time() -> None:
    def orders(seed: int) -> list[list[int]]:
        loader = DataLoader(NUMBERS, 4, shuffle=True, generator=Generator(seed))
        return [joined(walk(loader)) for _ in range(3)]

    first = orders(1)
    assert all(sorted(order) == list(range(10)) for order in first)
    assert len({tuple(order) for order in first}) == 3
    assert orders(1) == first
    assert orders(2) != first
    tn.manual_seed(1)
    assert joined(walk(DataLoader(NUMBERS, 4, shuffle=True))) == first[0], "by default the global stream"


class Noise:
    """A collate function with random numbers of its own."""

    def __init__(self) -> None:
        self.generator = Generator(9)

    def __call__(self, batch: list[Any]) -> Any:
        return default_collate(batch)[0] + tn.rand(len(batch), generator=self.generator)

    def state_dict(self) -> dict[str, Any]:
        return {"random": self.generator.get_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.generator.set_state(state["random"])


@pytest.mark.parametrize("stop", range(8))
def test_a_walk_goes_on_exactly_where_it_stopped(stop: int) -> None:
    def make() -> DataLoader:
        return DataLoader(NUMBERS, 3, shuffle=True, generator=Generator(4), collate_fn=Noise())

    whole = make()
    expected = [batch.tolist() for _ in range(3) for batch in whole]
    part, found = make(), []
    for _ in range(2):
        for batch in part:
            found.append(batch.tolist())
            if len(found) == stop:
                break
        if len(found) >= stop:
            break
    state = part.state_dict()
    rest = make()
    rest.load_state_dict(state)
    while len(found) < 12:
        found += [batch.tolist() for batch in rest]
    assert found == expected


def test_parts_are_disjoint_and_complete() -> None:
    parts = random_split(NUMBERS, [6, 3, 1], Generator(0))
    assert [len(p) for p in parts] == [6, 3, 1]
    assert sorted(joined(p.indices for p in parts)) == list(range(10))
    assert parts[0].indices != sorted(parts[0].indices)
    assert [len(p) for p in random_split(NUMBERS, [0.5, 0.25, 0.25])] == [6, 2, 2]
    x, y = next(iter(DataLoader(parts[0], 6)))
    assert x.tolist() == parts[0].indices
    assert y.tolist() == [2.0 * i for i in parts[0].indices]
    nested = Subset(Subset(Squares(), [1, 3, 5]), [2, 0])
    assert [nested[i] for i in range(len(nested))] == [(5, 25.0), (1, 1.0)]
    with pytest.raises(ValueError, match=r"\[6, 3\] do not sum to the 10 examples"):
        random_split(NUMBERS, [6, 3])


def test_many_examples_may_be_fetched_at_once() -> None:
    asked = []

    class Many(Squares):
        def __getitems__(self, indices: list[int]) -> list[Any]:
            asked.append(list(indices))
            return [self[i] for i in indices]

    batches = [x.tolist() for x, _ in DataLoader(Subset(Many(), [6, 4, 2, 0]), 3)]
    assert batches == [[6, 4, 2], [0]] == asked
    part = Subset(Subset(NUMBERS, [9, 8, 7]), [2, 0])
    assert next(iter(DataLoader(pickle.loads(pickle.dumps(part)), 2)))[0].tolist() == [7, 9]
    assert next(iter(DataLoader(part, 2, collate_fn=lambda batch: [x.item() for x, _ in batch]))) == [7, 9]


def test_collating() -> None:
    batch = default_collate([{"x": np.ones(2, np.float32), "name": "a"}, {"x": np.zeros(2, np.float32), "name": "b"}])
    assert (batch["x"].tolist(), batch["x"].dtype, batch["name"]) == ([[1, 1], [0, 0]], tn.float32, ["a", "b"])
    flags, (left, _) = default_collate([(True, (1, tn.ones(1))), (False, (2, tn.zeros(1)))])
    assert (flags.dtype, left.dtype, left.tolist()) == (tn.bool, tn.int64, [1, 2])
    with pytest.raises(RuntimeError, match=r"differ in shape.*f32\[2\], Tensor f32\[3\].*pad_collate"):
        default_collate([tn.ones(2), tn.ones(3)])
    with pytest.raises(TypeError, match="cannot stack examples of NoneType"):
        default_collate([None])


def test_padding_and_its_mask() -> None:
    x, mask, y = pad_collate([(tn.tensor([1.0, 2.0]), 1), (tn.tensor([3.0]), 0)])
    assert x.tolist() == [[1, 2], [3, 0]]
    assert mask.tolist() == [[False, False], [False, True]]
    assert (y.tolist(), y.dtype) == ([1, 0], tn.int64)
    x, mask, y = pad_collate([([[1, 2]], [5]), ([[3, 4], [5, 6]], [6, 7])], padding_value=9)
    assert x.tolist() == [[[1, 2], [9, 9]], [[3, 4], [5, 6]]]
    assert y.tolist() == [[5, -100], [6, 7]]
    scores = tn.zeros(2, 3, 8, requires_grad=True)[:, :2]
    assert tn.nn.functional.cross_entropy(scores.flatten(0, 1), y.flatten()).item() == pytest.approx(np.log(8))
    with pytest.raises(RuntimeError, match="alike in all but their length"):
        pad_collate([([[1, 2]], 0), ([[1, 2, 3]], 0)])


BAD: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: TensorDataset(tn.ones(3), tn.ones(4)), RuntimeError, r"one length, got Tensor f32\[3\], Tensor f32\[4\]"),
    (lambda: TensorDataset(tn.ones(3), tn.ones(())), RuntimeError, "one length"),
    (lambda: TensorDataset(), RuntimeError, "got none"),
    (lambda: TensorDataset(np.ones(3)), TypeError, "got ndarray"),
    (lambda: DataLoader(NUMBERS, 0), ValueError, "positive integer, got 0"),
    (lambda: DataLoader([], 1), ValueError, "is empty"),
    (lambda: DataLoader(NUMBERS, 20, drop_last=True), ValueError, "leaves nothing of 10 examples in batches of 20"),
    (lambda: DataLoader(NUMBERS, shuffle=True, sampler=[1]), ValueError, "not both"),
    (lambda: DataLoader(NUMBERS, 2, batch_sampler=[[1]]), ValueError, "exclude it"),
    (lambda: DataLoader(NUMBERS, None, drop_last=True), ValueError, "no last one to drop"),
    (lambda: Dataset()[0], NotImplementedError, "__getitem__"),
    (lambda: len(Dataset()), NotImplementedError, "__len__"),
]


@pytest.mark.parametrize(("bad", "kind", "match"), BAD)
def test_bad_input_is_refused(bad: Callable[[], Any], kind: type[Exception], match: str) -> None:
    with pytest.raises(kind, match=match):
        bad()
