"""Checkpoints: nested dicts and lists of Tensors and plain values, in one safetensors file.

Loading reads numbers and JSON and runs no code, unlike pickle. Saving is atomic: a temporary file is written, synced and
renamed over the old one, so that a crash or Ctrl-C leaves the old checkpoint or the new one, never half of either.
"""

from __future__ import annotations

import json
import os
import struct
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from safetensors import SafetensorError

from .dtypes import DTYPES
from .tensor import Tensor, from_array

__all__ = ["load", "save", "write_atomically"]

_KEY = "tinygrad_notes"


def save(obj: Any, path: str | os.PathLike[str]) -> None:
    """Write ``obj`` to ``path``: Tensors and numpy arrays in dicts (keys: text or integers), lists and tuples, with numbers,
    text, bools and None between them. A flat ``state_dict`` becomes an ordinary safetensors file that PyTorch can load.

    Raises TypeError, naming the place, for anything else; then no file is touched.
    """
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    structure = _flatten(obj, "", arrays)
    data = safetensors.numpy.save(arrays, {_KEY: json.dumps(structure)})
    write_atomically(Path(path), data)


def load(path: str | os.PathLike[str]) -> Any:
    """What ``save`` wrote; a safetensors file from elsewhere gives a dict of Tensors.

    Raises FileNotFoundError, or ValueError for a file that is damaged or no safetensors file.
    """
    data = Path(path).read_bytes()
    try:
        arrays = safetensors.numpy.load(data)
        (length,) = struct.unpack("<Q", data[:8])
        header = json.loads(data[8 : 8 + length])
        tensors = {name: from_array(np.array(array)) for name, array in arrays.items()}
        text = header.get("__metadata__", {}).get(_KEY)
        return tensors if text is None else _rebuild(json.loads(text), tensors)
    except (SafetensorError, json.JSONDecodeError, KeyError, IndexError, TypeError, struct.error) as error:
        raise ValueError(f"load: {path} is no checkpoint, or a damaged one ({error})") from None


def write_atomically(path: Path, data: bytes) -> None:
    """The whole file or none of it: temporary file in the same directory, sync, rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    if hasattr(os, "O_DIRECTORY"):
        directory = os.open(path.parent, os.O_DIRECTORY)
        try:
            os.fsync(directory)  # the rename itself must reach the disk
        finally:
            os.close(directory)


# ---- structure: each place is ["kind", content], so that keys keep their types ----


def _flatten(value: Any, place: str, arrays: dict[str, np.ndarray[Any, Any]]) -> Any:
    if isinstance(value, Tensor | np.ndarray):
        array = value._array if isinstance(value, Tensor) else value
        if array.dtype not in DTYPES:
            raise TypeError(f"save: {place or 'the object'} is an array of dtype {array.dtype}, which a checkpoint cannot hold")
        name = place or "tensor"
        while name in arrays or name == "__metadata__":  # {"a": {"b": ...}, "a.b": ...}: the structure tells them apart
            name += "'"
        arrays[name] = np.array(array, order="C")  # own memory: safetensors wants neither views nor byte-swapped data
        return ["tensor", name]
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str | int):
                raise TypeError(f"save: a key in {place or 'the object'} is a {type(key).__name__}; use text or integers")
        return ["dict", [[key, _flatten(item, f"{place}.{key}" if place else str(key), arrays)] for key, item in value.items()]]
    if isinstance(value, list | tuple):
        kind = "list" if isinstance(value, list) else "tuple"
        return [kind, [_flatten(item, f"{place}.{i}" if place else str(i), arrays) for i, item in enumerate(value)]]
    if value is None or isinstance(value, bool | int | float | str):
        return ["value", value]
    raise TypeError(f"save: {place or 'the object'} is a {type(value).__name__}; a checkpoint holds Tensors and plain values")


def _rebuild(structure: Any, tensors: dict[str, Tensor]) -> Any:
    kind, content = structure
    if kind == "tensor":
        return tensors[content]
    if kind == "dict":
        return {key: _rebuild(item, tensors) for key, item in content}
    if kind in ("list", "tuple"):
        items = [_rebuild(item, tensors) for item in content]
        return items if kind == "list" else tuple(items)
    if kind == "value":
        return content
    raise KeyError(kind)
