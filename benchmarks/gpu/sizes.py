"""How large everything is: as in the paper on a GPU, tiny in a dry run."""

from dataclasses import dataclass

MODES = {"cuda": ("graph", "compiled_graph", "eager", "compiled"), "cpu": ("eager", "compiled")}
"""What is measured on each device; the first is what `fit` takes by itself."""


@dataclass(frozen=True)
class Sizes:
    """Defaults: the paper's setting on CIFAR-10H."""

    network: str = "wide_resnet_28_2"
    batch: int = 64
    """Labelled images a step."""
    steps: int = 16_384
    evaluate_every: int = 512
    """Steps between two checkpoints of a training: what a cut loses at most."""
    metrics_every: int = 2048
    """Steps between two evaluations of a training that become a line; a multiple of `evaluate_every`."""
    log_every: int = 20
    """Steps between two reads of the losses, the only waits for the GPU; the interval that is timed."""
    warm_intervals: int = 2
    """Intervals of `log_every` steps before the timed ones; more where a mode is set up later."""
    timed_intervals: int = 10
    backbones: tuple[str, ...] = ("resnet18", "resnet50")
    side: int = 224
    """Pixels, for the features of a backbone."""
    feature_batch: int = 256
    probe_s: float = 6.0
    """Time over which the speed of several trainings at once is read."""


FULL = Sizes()
TINY = Sizes(
    network="small",
    batch=8,
    steps=24,
    evaluate_every=4,
    metrics_every=4,
    log_every=2,
    warm_intervals=1,
    timed_intervals=2,
    backbones=("resnet18",),
    side=32,
    feature_batch=2,
    probe_s=0.2,
)


def sizes(tiny: bool) -> Sizes:
    """The sizes of a call."""
    return TINY if tiny else FULL
