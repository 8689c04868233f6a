"""Data sets and loaders under PyTorch's names: examples by number, batches in a seeded order that resumes exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import ShapeError
from ..functions.creation import as_tensor
from ..functions.generator import Generator, default_generator
from ..functions.moving import stack
from ..functions.random import randperm
from ..tensor import Tensor, from_array

__all__ = ["DataLoader", "Dataset", "Subset", "TensorDataset", "default_collate", "pad_collate", "random_split"]


class Dataset:
    """Examples by number: a subclass has ``__getitem__`` and ``__len__``, and ``__getitems__(indices)``, a list of examples, where
    it can fetch many at once faster. A list of examples serves as well.
    """

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has no __getitem__; define `def __getitem__(self, index)`")

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} has no __len__; define `def __len__(self)`")


class TensorDataset(Dataset):
    """Tensors of one length: example i is the tuple of their i-th parts. Raises ShapeError where the lengths differ."""

    def __init__(self, *tensors: Tensor) -> None:
        for tensor in tensors:
            if not isinstance(tensor, Tensor):
                raise TypeError(f"TensorDataset: needs Tensors, got {type(tensor).__name__}; make one with tn.tensor(...)")
        if (
            not tensors
            or len({t.shape[0] if t.ndim else None for t in tensors} | {None}) != 2
            or any(not t.ndim for t in tensors)
        ):
            raise ShapeError(
                f"TensorDataset: needs Tensors of one length, got {', '.join(t._type() for t in tensors) or 'none'}"
            )
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(tensor[index] for tensor in self.tensors)

    def batch(self, indices: Sequence[int]) -> tuple[Tensor, ...]:
        """The examples of these numbers, already put together."""
        return self[from_array(np.asarray(indices, np.int64))]

    def __len__(self) -> int:
        return self.tensors[0].shape[0]


class Subset(Dataset):
    """Some examples of a data set."""

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        self.dataset, self.indices = dataset, [int(i) for i in indices]

    def __getitem__(self, index: int) -> Any:
        return self.dataset[self.indices[index]]

    def __getitems__(self, indices: Sequence[int]) -> list[Any]:
        return _fetched(self.dataset, [self.indices[i] for i in indices])

    def __len__(self) -> int:
        return len(self.indices)


def random_split(dataset: Any, lengths: Sequence[float], generator: Generator | None = None) -> list[Subset]:
    """Disjoint random parts, of these lengths, or of these shares if they sum to 1 (what is left over goes to the first parts).

    Raises ValueError where the lengths do not sum to the whole.
    """
    sizes = [int(n) for n in lengths]
    if abs(sum(lengths) - 1) < 1e-6 and min(lengths) >= 0 and max(lengths) <= 1:
        sizes = [int(len(dataset) * share) for share in lengths]
        for i in range(len(dataset) - sum(sizes)):
            sizes[i % len(sizes)] += 1
    if min(sizes, default=-1) < 0 or sum(sizes) != len(dataset):
        raise ValueError(f"random_split: {list(lengths)} do not sum to the {len(dataset)} examples of the data set, nor to 1")
    order, ends = randperm(len(dataset), generator=generator).tolist(), np.cumsum(sizes).tolist()
    return [Subset(dataset, order[end - size : end]) for size, end in zip(sizes, ends, strict=True)]


# ---- batches ----


class DataLoader:
    """Batches of a data set, in a new order every time they are walked through.

    batch_size  examples per batch; None: single examples as they are
    shuffle     a new random order for every walk, from ``generator``
    sampler     the order instead: an iterable of indices
    batch_sampler  the batches instead: an iterable of lists of indices
    collate_fn  makes a batch of a list of examples; default: ``default_collate``
    drop_last   leave out a last batch that is not full
    generator   of the order; default: the global one
    ``state_dict()`` says which batch comes next; after ``load_state_dict`` the next walk goes on from there, in the same order.
    Raises ValueError for options that exclude each other or a batch size that is not positive.
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool = False,
        sampler: Iterable[int] | None = None,
        batch_sampler: Iterable[Sequence[int]] | None = None,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        drop_last: bool = False,
        generator: Generator | None = None,
    ) -> None:
        if batch_size is not None and (not isinstance(batch_size, int) or batch_size <= 0):
            raise ValueError(f"DataLoader: batch_size must be a positive integer, got {batch_size!r}")
        if shuffle and not (sampler is None and batch_sampler is None):
            raise ValueError("DataLoader: a sampler decides on the order; give it or shuffle=True, not both")
        if batch_sampler is not None and not (batch_size == 1 and sampler is None and not drop_last):
            raise ValueError("DataLoader: batch_sampler decides on the batches; batch_size, sampler and drop_last exclude it")
        if batch_size is None and drop_last:
            raise ValueError("DataLoader: without batches (batch_size=None) there is no last one to drop")
        if len(dataset) == 0:
            raise ValueError("DataLoader: the data set is empty")
        self.dataset, self.batch_size, self.shuffle, self.drop_last = dataset, batch_size, shuffle, drop_last
        self.sampler, self.batch_sampler, self.collate_fn = sampler, batch_sampler, collate_fn
        self.generator = generator or default_generator
        self._given, self._resumed = 0, False
        self._start: Tensor | None = None
        if len(self) == 0:
            raise ValueError(f"DataLoader: drop_last leaves nothing of {len(dataset)} examples in batches of {batch_size}")

    def __len__(self) -> int:
        if self.batch_sampler is not None:
            return len(self.batch_sampler)  # type: ignore[arg-type]
        examples = len(self.dataset) if self.sampler is None else len(self.sampler)  # type: ignore[arg-type]
        if self.batch_size is None:
            return examples
        return examples // self.batch_size if self.drop_last else -(-examples // self.batch_size)

    def __iter__(self) -> Iterator[Any]:
        first, self._resumed = self._given if self._resumed else 0, False
        if not first:
            self._start, self._given = self.generator.get_state() if self.shuffle else None, 0
        for number, indices in enumerate(self._batches(again=first > 0)):
            if number >= first:
                self._given = number + 1
                yield self._batch(indices)
        self._given = 0

    def _order(self, again: bool) -> Iterable[int]:
        if self.sampler is not None:
            return self.sampler
        if not self.shuffle:
            return range(len(self.dataset))
        drawing = self.generator
        if again:  # the stream is past this order
            assert self._start is not None
            drawing = Generator()
            drawing.set_state(self._start)
        return randperm(len(self.dataset), generator=drawing).tolist()  # type: ignore[no-any-return]

    def _batches(self, again: bool) -> Iterator[Any]:
        if self.batch_sampler is not None:
            yield from self.batch_sampler
            return
        if self.batch_size is None:
            yield from self._order(again)
            return
        batch: list[int] = []
        for index in self._order(again):
            batch.append(index)
            if len(batch) == self.batch_size:
                yield batch
                batch = []
        if batch and not self.drop_last:
            yield batch

    def _batch(self, indices: Any) -> Any:
        if isinstance(indices, int):
            example = self.dataset[indices]
            return example if self.collate_fn is None else self.collate_fn(example)
        if self.collate_fn is None:
            dataset, chosen = self.dataset, indices
            while isinstance(dataset, Subset):
                dataset, chosen = dataset.dataset, [dataset.indices[i] for i in chosen]
            if isinstance(dataset, TensorDataset):
                return dataset.batch(chosen)
        return (self.collate_fn or default_collate)(_fetched(self.dataset, indices))

    def state_dict(self) -> dict[str, Any]:
        """Where the walk stands: the random state its order was drawn from, that of now, and how many batches it gave."""
        state = {"start": self._start if self._given else None, "given": self._given, "generator": self.generator.get_state()}
        if hasattr(self.collate_fn, "state_dict"):
            state["collate_fn"] = self.collate_fn.state_dict()  # type: ignore[union-attr]
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Let the next walk continue the one that ``state_dict`` was asked in."""
        self._start, self._given = state["start"], int(state["given"])
        self._resumed = self._given > 0
        self.generator.set_state(state["generator"])
        if "collate_fn" in state:
            self.collate_fn.load_state_dict(state["collate_fn"])  # type: ignore[union-attr]


def _fetched(dataset: Any, indices: Sequence[int]) -> list[Any]:
    if hasattr(dataset, "__getitems__"):
        found: list[Any] = dataset.__getitems__(indices)
        return found
    return [dataset[i] for i in indices]


def default_collate(batch: Sequence[Any]) -> Any:
    """One batch of a list of examples: arrays, Tensors and numbers are stacked, tuples and dicts part by part, text stays a list.

    Raises ShapeError where parts differ in shape (``pad_collate`` pads them), TypeError for what cannot be stacked.
    """
    first = batch[0]
    if isinstance(first, Tensor | np.ndarray | np.generic):
        parts = [as_tensor(part) for part in batch]
        if len({part.shape for part in parts}) > 1:
            shapes = ", ".join(dict.fromkeys(part._type() for part in parts))
            raise ShapeError(
                f"default_collate: the examples of a batch differ in shape ({shapes}); collate_fn=pad_collate pads them"
            )
        return stack(parts)
    if isinstance(first, bool | int | float):
        return from_array(np.array(batch))
    if isinstance(first, str | bytes):
        return list(batch)
    if isinstance(first, Mapping):
        return {key: default_collate([example[key] for example in batch]) for key in first}
    if isinstance(first, Sequence):
        if len({len(example) for example in batch}) > 1:
            raise ShapeError("default_collate: the examples of a batch have different numbers of parts")
        return tuple(default_collate(list(parts)) for parts in zip(*batch, strict=True))
    raise TypeError(f"default_collate: cannot stack examples of {type(first).__name__}; give the DataLoader a collate_fn")


def pad_collate(batch: Sequence[tuple[Any, Any]], padding_value: float = 0, target_padding: int = -100) -> tuple[Tensor, ...]:
    """A batch of pairs (sequence ``(T_i, ...)``, target), the sequences padded at their ends to the longest, T.

    Returns sequences ``(N, T, ...)``, the mask ``(N, T)`` that is True where there is padding (``key_padding_mask`` of
    attention), and targets; targets that are sequences themselves are padded with ``target_padding``, which the losses ignore.
    """
    sequences = [np.asarray(as_tensor(sequence).detach()) for sequence, _ in batch]
    targets = [np.asarray(as_tensor(target).detach()) for _, target in batch]
    if any(s.ndim == 0 for s in sequences) or len({(s.shape[1:], s.dtype) for s in sequences}) > 1:
        raise ShapeError("pad_collate: sequences must be (T, ...), alike in all but their length")
    lengths = np.array([len(s) for s in sequences])
    mask = np.arange(lengths.max()) >= lengths[:, None]
    aims = _padded(targets, target_padding) if targets[0].ndim else np.array(targets)
    return from_array(_padded(sequences, padding_value)), from_array(mask), from_array(aims)


def _padded(arrays: list[np.ndarray[Any, Any]], value: float) -> np.ndarray[Any, Any]:
    out = np.full((len(arrays), max(map(len, arrays)), *arrays[0].shape[1:]), value, arrays[0].dtype)
    for row, array in zip(out, arrays, strict=True):
        row[: len(array)] = array
    return out
