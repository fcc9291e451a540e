"""What a run can be told, part by part, free of torch: beside their code, `dc3 train --help` would wait 7 s for it."""

from dataclasses import dataclass
from typing import Literal

By = Literal["proposals_right", "d_minus_f1"]
"""What to choose by: the share of right proposals, or the paper's d - F1, which many tiny clusters make low."""
Schedule = Literal["none", "linear", "log", "exp"]
"""Of UDA's training signal annealing."""
Execution = Literal["auto", "eager", "compiled", "graph", "compiled_graph"]


@dataclass(frozen=True)
class SplitOptions:
    """How the images are divided, and what of their votes trains; the defaults here are the paper's."""

    split: str = "paper"
    """paper (drawn anew for each table, classes in proportion), stable (by each image's content: it keeps its part when
    others are added or answered), or a table image, part of your own."""
    validation: float = 0.2
    """Share of all images that measures the model."""
    test: float = 0.0
    """Share of all images kept away from tuning; the paper has none."""
    labelled: float = 0.2
    """Share of the remaining images with votes that trains with a label; the others train without."""
    labels: Literal["drawn", "majority", "soft"] = "drawn"
    """Training label: one class drawn from the votes (paper), the majority, or soft: the shares of all votes."""
    reuse_labelled: bool = False
    """Labelled images train without their label, too, among the unlabelled ones; the paper keeps them apart."""
    groups: str = ""
    """Images that must not be parted (of a patient, a specimen, a burst): a column of the vote table, or a table image,
    group. Not with the paper's split."""
    near_duplicates: bool = True
    """Near duplicates, by perceptual hash, stay in one part; not with the paper's split."""


@dataclass(frozen=True)
class NetworkOptions:
    """Which network to train."""

    network: str = "wide_resnet_28_2"
    """wide_resnet_28_2 (paper), small, or any model of timm (`dc3 networks` lists them)."""
    pretrained: str = ""
    """default (those that come with the network; embedded for tf_efficientnet_lite0 to 2, else from timm's hub), a path
    to a .safetensors or .pth file, or empty, to start at random."""
    input_size: int = 0
    """Side in pixels to which the network enlarges the stored images; 0 takes them as they are stored (--size)."""
    freeze: str = "none"
    """Which weights of the backbone stay as they are: none; all, so that its features are computed once and only the
    head is trained; or N, so that its last N stages are trained."""
    hidden: int = 0
    """Width of the head's hidden layer; 0 is none, so that the head is linear."""
    dropout: float = 0.0
    """Share of the head's inputs that are dropped in training, 0 to 1."""
    mirror: bool = False
    """Predict by the mean of the features of each image and of its mirror image, in the exported file, too: more often
    right, at twice the time a prediction."""
    bank_views: int = 4
    """Random views of each image whose features are computed where the whole backbone is frozen."""
    clusters_per_class: int = 5
    """k' / k, the authors' factor; the paper only asks k' > k."""


@dataclass(frozen=True)
class MethodOptions:
    """Changes to the method's own settings; empty keeps its authors' value."""

    ssl_weight: float | None = None
    """Weight of the unlabelled loss."""
    ssl_threshold: float | None = None
    """Confidence from which a pseudo-label counts; pseudo_label, fixmatch, uda and flexmatch."""
    ssl_tsa: Schedule | None = None
    """How uda's threshold on labelled images grows: none, linear, log or exp."""
    unlabelled_ratio: int | None = None
    """Unlabelled images per labelled image."""


@dataclass(frozen=True)
class DC3Options:
    """Prior and weights of the DC3 terms; the defaults are the paper's (section 3.3)."""

    prior: float = 0.6
    """p_A, the share of each batch that is taught to be ambiguous; 0 to 1."""
    inverse_ce_labelled: float = 10.0
    """lambda_CE^-1 on labelled images."""
    inverse_ce_unlabelled: float = 10.0
    """lambda_CE^-1 on unlabelled images."""
    ambiguity_weight: float = 0.1
    """lambda_a."""
    similarity_weight: float = 0.1
    """lambda_s."""


@dataclass(frozen=True)
class SortingOptions:
    """What decides, after the training, which images are certain and which cluster the others belong to."""

    sorting: str = "network"
    """network (p_a and p_o as published) or confidence (1 - max p_n, and k-means inside each predicted class)."""
    ambiguous_share: float | None = None
    """Share of the training images that confidence calls ambiguous, 0 to 1; empty takes the prior p_A."""
    ambiguous_from: float | None = None
    """Value of 1 - max p_n from which confidence calls an image ambiguous, in place of a share; 0 to 1."""


@dataclass(frozen=True)
class BatchOptions:
    """Sizes of a batch."""

    batch_size: int = 64
    """Labelled images a step; the paper uses 64, and 8 for Mice Bone."""


@dataclass(frozen=True)
class OptimiserOptions:
    """SGD with Nesterov momentum; the defaults are the authors'."""

    lr: float = 0.01
    momentum: float = 0.9
    backbone_lr: float | None = None
    """Of a backbone that is trained beside the head; empty takes lr for both."""
    weight_decay: float = 5e-4
    """On the kernels only."""
    ema_decay: float = 0.999
    """Of the averaged weights that evaluate and teach; runs far below 16,384 steps need less."""
    batch_norm_decay: float = 0.999
    """Of the running statistics; runs far below 16,384 steps need less."""


@dataclass(frozen=True)
class LoopOptions:
    """Length of the training and how often it reports."""

    steps: int = 16_384
    """Batches; the paper sees 1024 * 1024 labelled images."""
    evaluate_every: int = 1024
    """Steps between evaluations on the validation part, each with a checkpoint."""
    log_every: int = 20
    """Steps between two records of the losses; NaN and infinity are found then."""


@dataclass(frozen=True)
class RuntimeOptions:
    """Where and how exactly to compute."""

    device: Literal["auto", "cuda", "mps", "cpu"] = "auto"
    precision: Literal["auto", "float32", "bf16"] = "auto"
    """auto: bf16 and channels_last where the hardware has bf16 units, else float32."""
    execution: Execution = "auto"
    """How a step is launched. auto: as one CUDA graph on CUDA, else eager, kernel by kernel; compiled: networks by
    torch.compile, which takes minutes before the first step and a C++ compiler."""
    seed: int = 0
    """Of split, drawn labels, start weights, batches and augmentation."""


@dataclass(frozen=True)
class CompareOptions:
    """What to train; every combination is one run."""

    methods: str = "all"
    """Names with commas between, or all."""
    variants: str = "vanilla,dc3"
    """Names with commas between, or all."""
    seeds: int = 3
    """Runs of each combination, the seeds from --seed on."""
    sortings: str = ""
    """Sortings under which each training is measured, with commas between, or all; empty takes --sorting. Each
    further one is a run of its own, without another training."""
    report: Literal["best", "all", "none"] = "best"
    """Which runs get a page with pictures: that of the best run, all, which takes longer than a short training, or
    none."""
    by: By = "proposals_right"
    """What the best is chosen by: right proposals, or the paper's d - F1, which many tiny clusters make low."""
