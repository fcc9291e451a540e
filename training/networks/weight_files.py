"""Weights out of a file of the user's, for a model of timm: its own format, torchvision's, or the authors'."""

import importlib
import pickle
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

from torch import Tensor, nn

from data.errors import InputError, name_some

_Convert = Callable[[dict[str, Tensor], nn.Module], Mapping[str, Tensor]]


def read_weight_file(path: Path, network: str, net: nn.Module) -> dict[str, Tensor]:
    """Those weights of the file that `net`, timm's model of that name without its classifier, has.

    The file is .safetensors, or what torch.save wrote; wrapped as `state_dict`, `model` and the like, or bare; with or
    without classifier. Raises InputError where it is not there, is none, or is of another network.
    """
    if not path.is_file():
        raise InputError(
            f"No pretrained weights at {path}: give the .safetensors or .pth file of {network}, or `default`."
        )
    held = _read(path, network)
    wanted = net.state_dict()
    # a file that fits is taken as it is: converters of other formats may trip over their own
    fits = not _find_wrong(held, wanted)
    converted = held if fits else _convert(held, path, network, net)
    wrong = _find_wrong(converted, wanted)
    if wrong:
        raise InputError(
            f"{path} holds weights of another network than {network}: {name_some(wrong, 5)} missing or of another"
            " shape. `dc3 networks WORD` lists the names."
        )
    _refuse_more(converted, wanted, path, network)
    return {key: converted[key] for key in wanted if key in converted}


def _read(path: Path, network: str) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from timm.models import load_state_dict

    faults = (SafetensorError, pickle.UnpicklingError, RuntimeError, OSError, ValueError, EOFError, KeyError)
    try:
        held = load_state_dict(str(path))
    except (*faults, AttributeError, TypeError) as error:  # the latter of a file that holds no table of tensors
        raise InputError(
            f"{path} holds no weights that torch or safetensors can read safely ({_first_line(error)}): give the"
            f" .safetensors or .pth file of {network}."
        ) from error
    tensors = {str(key): value for key, value in held.items() if isinstance(value, Tensor)}
    if not tensors:
        raise InputError(f"{path} holds no tensors: give the .safetensors or .pth file of {network}.")
    return tensors


def _convert(held: dict[str, Tensor], path: Path, network: str, net: nn.Module) -> Mapping[str, Tensor]:
    """From the authors' names to timm's, and place embeddings to the size of the input, where timm knows how."""
    from timm.models import model_entrypoint

    module = importlib.import_module(model_entrypoint(network).__module__)
    convert = cast(_Convert | None, getattr(module, "checkpoint_filter_fn", None))
    if convert is None:
        return held
    try:
        return convert(dict(held), net)
    except (KeyError, IndexError, RuntimeError, ValueError, AssertionError, AttributeError, TypeError) as error:
        raise InputError(
            f"{path} holds weights of another network than {network}: timm cannot convert them"
            f" ({type(error).__name__}: {_first_line(error)})."
        ) from error


def _find_wrong(held: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> list[str]:
    """Names that are missing or of another shape; the counters of batches are no weights, older files lack them."""
    return [
        key
        for key, value in wanted.items()
        if not key.endswith("num_batches_tracked") and (key not in held or held[key].shape != value.shape)
    ]


def _refuse_more(held: Mapping[str, Tensor], wanted: Mapping[str, Tensor], path: Path, network: str) -> None:
    """Raises InputError where the file has further layers of the same kind: so ResNet-34 would pass for ResNet-18."""
    kinds = {re.sub(r"\d+", "#", key) for key in wanted}
    more = [key for key in held if key not in wanted and re.sub(r"\d+", "#", key) in kinds]
    if more:
        raise InputError(f"{path} holds weights of a deeper network than {network}: it has {name_some(more, 5)}, too.")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
