"""Finds operations that make the host wait for a GPU, also where there is none."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

READS = ("_local_scalar_dense", "nonzero", "masked_select", "equal", "is_nonzero", "_unique2")
"""Operations whose result, or its shape, the host must read."""


class _Watch(TorchDispatchMode):
    """Raises where an operation would wait on a GPU: a value read, a mask as index, a constant made on the host."""

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        if name in READS:
            raise RuntimeError(f"{name} makes the host wait for the device")
        if name == "lift_fresh":
            raise RuntimeError("torch.tensor(values) copies from the host and waits")
        if name in ("index", "index_put", "index_put_"):
            indices = [index for index in args[1] if isinstance(index, Tensor)]
            if any(index.dtype in (torch.bool, torch.uint8) for index in indices):
                raise RuntimeError("a mask as index is a nonzero and makes the host wait for the device")
        return func(*args, **(kwargs or {}))


@contextmanager
def no_waits(device: torch.device) -> Iterator[None]:
    """Raises RuntimeError where the host would wait; on CUDA by torch's own watch."""
    if device.type != "cuda":
        with _Watch():
            yield
        return
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


@contextmanager
def numbers_from_the_cpu(monkeypatch: Any) -> Iterator[None]:
    """Random numbers of one CPU generator on whatever device: each device's own generator draws others."""
    generator = torch.Generator().manual_seed(0)

    def draw_there(draw: Callable[..., Tensor]) -> Callable[..., Tensor]:
        def drawn(*sizes: Any, **options: Any) -> Tensor:
            place = options.pop("device", None) or options["generator"].device
            return draw(*sizes, **options | {"generator": generator}).to(place)

        return drawn

    with monkeypatch.context() as patch:
        for name in ("rand", "randint"):
            patch.setattr(torch, name, draw_there(getattr(torch, name)))
        yield
