"""What every sorting must keep, whatever it decides by; each check raises AssertionError for one that does not."""

import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch

from data.certain import is_certain
from training.options import SortingOptions
from training.sorting.sorting import Seen, Sorting
from training.sorting.stored import read_sorting, write_sorting

K, N_CLUSTERS, WIDTH = 3, 9, 7
Kind = type[Sorting]


def draw(n: int, seed: int = 0) -> Seen:
    """What a network might say of n images: some nearly sure, in groups of like features."""
    random = np.random.default_rng(seed)
    return Seen(
        random.dirichlet(np.full(K, 0.5), n).astype(np.float32),
        random.dirichlet(np.full(N_CLUSTERS, 0.5), n).astype(np.float32),
        random.random(n).astype(np.float32),
        (random.normal(size=(n, WIDTH)) + random.integers(0, 4, (n, 1))).astype(np.float32),
    )


def fit(kind: Kind, seen: Seen, seed: int = 0, **options: Any) -> Sorting:
    return kind.fit(seen, SortingOptions(**options), prior=0.6, seed=seed).eval()


def sort(sorting: Sorting, seen: Seen) -> tuple[np.ndarray, np.ndarray]:
    with torch.inference_mode():
        clusters, ambiguity = sorting(*(torch.from_numpy(values.copy()) for values in seen))
    return clusters.numpy(), ambiguity.numpy()


def holds_buffers_alone(kind: Kind) -> None:
    """Nothing of it is trained."""
    assert not list(fit(kind, draw(60)).parameters())


def gives_probabilities_and_an_ambiguity(kind: Kind) -> None:
    """On seen and on unseen images, the sure ones as well."""
    sorting, unseen = fit(kind, draw(60)), draw(40, seed=1)
    sure = unseen._replace(classes=np.eye(K, dtype=np.float32)[np.arange(40) % K])
    for images in (draw(60), unseen, sure):
        clusters, ambiguity = sort(sorting, images)
        assert clusters.shape == (len(images.classes), N_CLUSTERS)
        assert ambiguity.shape == (len(images.classes),)
        assert clusters.dtype == ambiguity.dtype == np.float32
        assert (clusters >= 0).all()
        assert np.allclose(clusters.sum(1), 1, atol=1e-5)
        assert ((ambiguity >= 0) & (ambiguity <= 1)).all()


def sorts_each_image_by_itself(kind: Kind) -> None:
    """Whoever else is in the batch."""
    sorting, unseen = fit(kind, draw(60)), draw(40, seed=1)
    together = sort(sorting, unseen)
    for row in range(5):
        alone = sort(sorting, Seen(*(values[row : row + 1] for values in unseen)))
        for one, all_ in zip(alone, together, strict=True):
            assert np.allclose(one[0], all_[row], atol=1e-5)


def leaves_what_it_is_given(kind: Kind) -> None:
    """No value is changed in place."""
    given = [torch.from_numpy(values.copy()) for values in draw(30)]
    before = [values.clone() for values in given]
    fit(kind, draw(60))(*given)
    assert all(torch.equal(one, other) for one, other in zip(given, before, strict=True))


def is_the_same_for_the_same_seed(kind: Kind) -> None:
    """And draws from nothing but the seed."""
    torch.manual_seed(0)
    np.random.seed(0)
    first = fit(kind, draw(60), seed=3).state_dict()
    torch.manual_seed(1)
    np.random.seed(1)
    second = fit(kind, draw(60), seed=3).state_dict()
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


def is_stored_whole(kind: Kind) -> None:
    """Read from its file it sorts as before."""
    from training.sorting import SORTINGS

    sorting = fit(kind, draw(60))
    known = dict(SORTINGS)
    SORTINGS["checked"] = kind
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "sorting.pt"
            write_sorting(sorting, SortingOptions("checked"), path)
            again = read_sorting(path)
    finally:
        SORTINGS.clear()
        SORTINGS.update(known)
    for one, other in zip(sort(sorting, draw(20, 1)), sort(again, draw(20, 1)), strict=True):
        assert np.array_equal(one, other)


def travels_in_the_graph(kind: Kind) -> None:
    """An ONNX file answers as it does, at other batch sizes than that of the export."""
    sorting = fit(kind, draw(60))
    names = ["classes", "clusters", "ambiguity", "features"]
    outputs = ["sorted_clusters", "sorted_ambiguity"]
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        path = str(Path(folder) / "sorting.onnx")
        torch.onnx.export(
            _Copied(sorting),
            tuple(torch.from_numpy(values) for values in draw(2, 1)),
            path,
            input_names=names,
            output_names=outputs,
            dynamic_axes={name: {0: "batch"} for name in [*names, *outputs]},
            opset_version=20,
            dynamo=False,
        )
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    assert not [one for one in told if issubclass(one.category, torch.jit.TracerWarning)], "looks at a value"
    for n in (1, 3, 64):
        images = draw(n, seed=n)
        given = {one.name: getattr(images, one.name) for one in session.get_inputs()}  # of all those that it looks at
        found = session.run(outputs, given)
        for one, other in zip(found, sort(sorting, images), strict=True):
            assert one.shape == other.shape
            assert np.allclose(one, other, atol=1e-4)


class _Copied(torch.nn.Module):
    """Each input as a value of its own: an output that is an input is no graph."""

    def __init__(self, sorting: Sorting) -> None:
        super().__init__()
        self.sorting = sorting

    def forward(self, *given: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return tuple(self.sorting(*(values * 1 for values in given)))


def says_whether_it_gives_an_ambiguity(kind: Kind) -> None:
    """To a network that has none: all stay certain, or some become ambiguous."""
    silent = draw(60)._replace(ambiguity=np.zeros(60, np.float32))
    certain = is_certain(sort(fit(kind, silent), silent)[1])
    assert (0 < certain.sum() < 60) if kind.gives_ambiguity else certain.all()


def can_be_fitted_on_little(kind: Kind) -> None:
    """Fewer images than clusters, equal ones, and classes that are never predicted."""
    few = draw(4)
    equal = Seen(*(np.repeat(values[:1], 20, axis=0) for values in few))
    for seen in (few, equal):
        for share in (0.0, 0.5, 1.0):
            clusters, ambiguity = sort(fit(kind, seen, ambiguous_share=share), draw(30, seed=1))
            assert clusters.shape[1] == N_CLUSTERS
            assert np.isfinite(clusters).all()
            assert np.isfinite(ambiguity).all()
            assert np.allclose(clusters.sum(1), 1, atol=1e-5)


def tells_plain_facts(kind: Kind) -> None:
    """Finite numbers, as they travel in JSON."""
    facts = fit(kind, draw(60)).facts()
    assert all(type(value) is float and np.isfinite(value) for value in facts.values())


CHECKS: list[Callable[[Kind], None]] = [
    holds_buffers_alone,
    gives_probabilities_and_an_ambiguity,
    sorts_each_image_by_itself,
    leaves_what_it_is_given,
    is_the_same_for_the_same_seed,
    is_stored_whole,
    travels_in_the_graph,
    says_whether_it_gives_an_ambiguity,
    can_be_fitted_on_little,
    tells_plain_facts,
]
