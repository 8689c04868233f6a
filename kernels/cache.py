"""Object files of kernels on disk: private to the user, keyed by all that decides the code, safe for many processes at once.

Where: ``$TINYGRAD_NOTES_CACHE``, else ``$XDG_CACHE_HOME/tinygrad_notes``, else ``~/.cache/tinygrad_notes``, in a folder named by the
key. The folders belong to the user (mode 0700; whose and for whom is checked: they hold native code). A folder that cannot be
written is read all the same; where there is none, kernels are compiled anew in each process.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from stat import S_ISDIR

__all__ = ["Store"]


class Store:
    """Bytes by name, made once. machine: what the code depends on besides the sources and the versions."""

    def __init__(self, machine: str) -> None:
        self.folder = _private(_root() / "kernels" / _key(machine))

    def get(self, name: str, make: Callable[[], bytes]) -> bytes:
        """The bytes kept under the name; made, and kept if that is possible, when there are none or they are damaged."""
        if self.folder is None:
            return make()
        path = self.folder / f"{name}.o"
        found = _read(path)
        if found is not None:
            return found
        with _locked(self.folder / f"{name}.lock"):  # one process compiles, the others wait for what it kept
            found = _read(path)
            if found is None:
                found = make()
                _write(path, found)
            return found


def _root() -> Path:
    chosen = os.environ.get("TINYGRAD_NOTES_CACHE")
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "tinygrad_notes"


def _key(machine: str) -> str:
    """A digest of every kernel's source (a helper's edit counts for all), of the compilers' versions and of the machine."""
    digest = hashlib.sha256(machine.encode())
    here = Path(__file__).parent
    for path in sorted(here.rglob("*.py")):
        digest.update(path.relative_to(here).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    for package in ("numba", "llvmlite"):
        spec = find_spec(package)  # read, not imported: Numba alone would take 0.3 s
        if spec is not None and spec.origin is not None:
            digest.update(Path(spec.origin).with_name("_version.py").read_bytes())
    digest.update(sys.version.encode())
    return digest.hexdigest()[:32]


def _private(folder: Path) -> Path | None:
    """The folder, made for the user alone; None if there can be none, or others could write code into it."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for level in (folder, folder.parent):
            status = level.lstat()
            if status.st_uid not in (os.getuid(), 0) or status.st_mode & 0o022 or not S_ISDIR(status.st_mode):
                return None
        return folder
    except OSError:
        return None


def _read(path: Path) -> bytes | None:
    """The bytes after their digest; None if there are none or they are not what was written."""
    try:
        kept = path.read_bytes()
    except OSError:
        return None
    digest, body = kept[:32], kept[32:]
    return body if hashlib.sha256(body).digest() == digest else None


def _write(path: Path, body: bytes) -> None:
    """Write aside and rename: a reader sees all or nothing. A full disk only means that the next process compiles too."""
    with contextlib.suppress(OSError):
        handle, name = tempfile.mkstemp(dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(hashlib.sha256(body).digest() + body)
            Path(name).replace(path)
        except OSError:
            Path(name).unlink()
            raise


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the file's lock, where the file system has locks; freed by the system if the process dies."""
    import fcntl

    try:
        file = path.open("w")
    except OSError:
        yield
        return
    with file:
        with contextlib.suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
