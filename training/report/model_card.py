"""The model card: data, training, metrics, limits and the warning on confirmation bias, as Markdown."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from data.errors import name_some
from data.quality import describe_quality
from training.report.metric_texts import describe_metric, format_metric, split_metrics


class CardFacts(NamedTuple):
    """What the card states of one run."""

    name: str
    run_id: str
    source: str
    """Kind of source and where it lies."""
    fingerprint: str
    class_sizes: Mapping[str, int]
    """Images of each class by majority vote."""
    n_votes: int
    ambiguous_share: float
    """Share of the voted images whose annotators disagree, 0 to 1."""
    part_sizes: Mapping[str, int]
    """Images of each part: labelled, unlabelled, validation, test."""
    method: str
    variant: str
    options: Mapping[str, object]
    """The options worth knowing, by name."""
    metrics: Mapping[str, float]
    """Of the validation part; with the prefix test_ of the test part."""
    notices: tuple[str, ...] = ()
    """What the data call for: votes united, repeated, tied."""


BIAS = """\
Proposals change answers. An annotator who is shown a class or a cluster tends to agree with it, and that tendency
(confirmation bias) is part of why labels become more consistent and faster to make. Consistent is not the same as
right: a mistake that the network makes everywhere becomes a mistake of the labels, and training on these labels teaches
it again.

- Keep a control arm: some images, drawn at random, that are annotated without any proposal, in every round. Compare the
  answers with those of the other arm; where they differ more than annotators among themselves, trust the control.
- A person decides on every label; no proposal becomes a label unseen.
- Where people are judged or graded by the outcome, a bias may hit some groups more than others. Rather spend on more
  independent annotators and their consensus than on proposals."""

LIMITS = """\
- The class counts for images that are predicted certain, the cluster for the others; the class of an ambiguous image
  is no proposal.
- The share of images called ambiguous follows the prior or the border that was chosen, not only the images.
- Metrics hold for images like those of the data named above, and take the annotators' votes for the truth. Few votes an
  image make both the soft labels and these metrics coarse.
- The validation part chose among runs wherever runs were compared or tuned: then only the test part is unspent."""


def write_model_card(facts: CardFacts) -> str:
    """The whole card."""
    n_images = sum(facts.part_sizes.values())
    options = [f"- {name}: {_code(str(value))}" for name, value in facts.options.items()]
    sections = [
        f"# {_code(facts.name)}",
        "A network that classifies the clear images, puts the doubtful ones into clusters of like images and says "
        f"which is which (DC3, ECCV 2022). Run {_code(facts.run_id)}.",
        "## Data",
        "\n".join(
            [
                f"- Source: {_code(facts.source)}",
                f"- {n_images} images, {facts.n_votes} votes, fingerprint {_code(facts.fingerprint)}",
                f"- Classes by majority vote: {_list_sizes(facts.class_sizes)}",
                f"- Annotators disagree on {facts.ambiguous_share:.1%} of the images with votes",
                f"- Split: {_list_sizes(facts.part_sizes)}",
                *(f"- {_code(notice)}" for notice in facts.notices),
            ]
        ),
        "## Training",
        "\n".join([f"- Method: {_code(facts.method)}, variant {_code(facts.variant)}", *options]),
        "## How good it is",
        "\n".join(f"- {sentence}" for sentence in describe_quality(facts.metrics).words),
        *(
            text
            for part, values in split_metrics(facts.metrics.items())
            for text in (f"## Metrics on {part}", _list_metrics(values))
        ),
        "## Limits",
        LIMITS,
        "## Confirmation bias",
        BIAS,
    ]
    return "\n\n".join(sections) + "\n"


def _list_sizes(sizes: Mapping[str, int]) -> str:
    return name_some([f"{_code(name)} {size}" for name, size in sizes.items()], limit=50)


def _list_metrics(metrics: Iterable[tuple[str, float]]) -> str:
    return "\n".join(f"- {describe_metric(name)}: {format_metric(name, value)}" for name, value in metrics)


def _code(text: str) -> str:
    """A name of the user's as code: Markdown reads nothing in it, be it `<b>` or `a_b_c`."""
    return "`" + " ".join(text.replace("`", "'").split()) + "`"
