"""A graphics card that isn't there: tensors that say they are on another device, and compute on the processor.

What mixes them with the processor's own fails, as it does on a real card; what is right gives the processor's numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

PLACE = torch.device("meta")
"""The name of the card: of all that PyTorch knows, the one that needs no driver."""


class OnCard(Tensor):
    """A tensor on the card; its numbers are `inside`."""

    inside: Tensor

    @staticmethod
    def __new__(cls, inside: Tensor) -> OnCard:
        layout = inside.shape, inside.stride(), inside.storage_offset()
        made: OnCard = Tensor._make_wrapper_subclass(cls, *layout, dtype=inside.dtype, device=PLACE)  # type: ignore[attr-defined]
        made.inside = inside
        return made

    def tolist(self) -> Any:
        """PyTorch has none for such classes."""
        return self.inside.tolist()

    @classmethod
    def __torch_dispatch__(cls, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Compute on the card what has tensors there."""
        return computed(operation, args, kwargs or {})


class _Operations(TorchDispatchMode):
    """Also those that have no tensor yet, and those of the processor's tensors."""

    def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return computed(operation, args, kwargs or {})


class _Numbers(TorchFunctionMode):
    """Tensors of plain numbers, which PyTorch puts onto a device without asking."""

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if function is torch.tensor and "device" in kwargs:
            place = kwargs.pop("device")
            return function(*args, **kwargs).to(place)
        if function is Tensor.new_tensor:
            return torch.tensor(args[1], dtype=args[0].dtype).to(args[0].device)
        return function(*args, **kwargs)


@contextmanager
def there() -> Iterator[None]:
    """While there is a card."""
    with _Operations(), _Numbers():
        yield


def computed(operation: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """What an operation gives: on the card if its tensors are there, or if it is asked for there. Raises `RuntimeError` for
    tensors of both places, of which only single numbers go together."""
    tensors = [one for one in tree_leaves((args, kwargs)) if isinstance(one, Tensor)]
    here = {id(one.inside): one for one in tensors if isinstance(one, OnCard)}
    aten = torch.ops.aten
    moves = operation in (aten.copy_.default, aten._to_copy.default, aten.index.Tensor)  # indices may be the processor's
    elsewhere = [one for one in tensors if not isinstance(one, OnCard) and one.ndim]
    if here and elsewhere and not moves:
        raise RuntimeError(f"{operation}: {len(here)} tensors are on the card, one of {tuple(elsewhere[0].shape)} is not.")
    on_card = bool(here) if (asked := kwargs.get("device")) is None else torch.device(asked) == PLACE
    if asked is not None:
        kwargs = kwargs | {"device": torch.device("cpu")}
    args, kwargs = tree_map_only(OnCard, lambda one: one.inside, (args, kwargs))
    found = operation(*args, **kwargs)
    if not on_card:
        return found
    return tree_map_only(Tensor, lambda one: here[id(one)] if id(one) in here else OnCard(one), found)
