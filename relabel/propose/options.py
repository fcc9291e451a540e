"""What is proposed, and to whom."""

from dataclasses import dataclass, field
from typing import Literal

from data.errors import InputError
from relabel.cost import Cost, list_cost_faults

PARTS = ("labelled", "unlabelled", "validation", "test", "waiting")
UNLEARNED = ("unlabelled", "waiting")
LEAST_CONTROL = 0.1
"""Below, the control arm is too small to tell what the proposals do (10,000 images, 10 %: 1,000 images)."""


@dataclass(frozen=True)
class ProposeOptions:
    """How proposals are made of predictions."""

    parts: str = ""
    """Parts of the split to propose, with commas between, or all: labelled, unlabelled, validation, test, waiting.
    Unless given, the images that no label was learned of (unlabelled and waiting), or, where a run has none of these,
    the labelled ones."""
    control: float = 0.1
    """Share of the images that get no proposal, so that the proposals' effect can be measured; 0.1 or more."""
    seed: int = 0
    """Of the control arm, and of t-SNE."""
    limit: int = 0
    """Propose only so many images, those with most expected gain per minute; 0 for all."""
    max_cluster: int = 60
    """Larger clusters are split by similarity."""
    map: Literal["pca", "tsne"] = "pca"
    """Places of the images on the map; t-SNE pulls look-alikes together and takes a minute for 10,000 images."""
    mixed_below: float = 0.5
    """A cluster in which no class has this share is proposed as mixed: its images are judged one by one."""
    known_votes: Literal["all", "labelled", "none"] = "all"
    """Votes that captions, classes of clusters and ranking use. Take `labelled` where the other votes are kept back to
    measure with: proposals must not know them."""
    prior_votes: float = 0.0
    """Votes that the network's class probabilities count as, beside those of annotators; 0 fits them to the votes of
    the validation part."""
    cost: Cost = field(default_factory=Cost)
    """The ranking alone uses it."""


def check_options(options: ProposeOptions) -> tuple[str, ...]:
    """The parts, as names; raises InputError with every value out of range."""
    given = options.parts or ",".join(UNLEARNED)
    parts = PARTS if given == "all" else tuple(part.strip() for part in given.split(","))
    strange = [part for part in parts if part not in PARTS]
    checks = {
        f"parts must be among {', '.join(PARTS)}, or all; it names {', '.join(map(repr, strange))}": not strange,
        f"control must lie in {LEAST_CONTROL} to 1, it is {options.control}": LEAST_CONTROL <= options.control <= 1,
        f"seed must be 0 or more, it is {options.seed}": options.seed >= 0,
        f"limit must be 0 or more, it is {options.limit}": options.limit >= 0,
        f"max-cluster must be 2 or more, it is {options.max_cluster}": options.max_cluster >= 2,
        f"mixed-below must lie in 0 to 1, it is {options.mixed_below}": 0 <= options.mixed_below <= 1,
        f"prior-votes must be 0 or more, it is {options.prior_votes}": options.prior_votes >= 0,
    }
    faults = [text for text, holds in checks.items() if not holds] + list_cost_faults(options.cost)
    if faults:
        raise InputError("The proposals cannot be made:\n- " + "\n- ".join(faults))
    return parts
