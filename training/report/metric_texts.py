"""What each metric of `evaluate` is called where people read it, and what its values mean."""

from collections.abc import Iterable

METRIC_TEXTS = {
    "proposals_right": "proposals that are right, share of all images (an ambiguous one by the others of its cluster)",
    "proposals_right_shuffled": "... with the clusters shuffled (chance)",
    "proposals_right_commonest": "... if the commonest class were proposed for every image",
    "f1": "F1 on images predicted certain (weighted by class; 1 is best)",
    "d": "d, inner distance on images predicted ambiguous (0 is best: the votes in each cluster are alike)",
    "d_weighted": "d weighted by images: a cluster counts by its size (0 is best; tiny clusters hardly help)",
    "d_minus_f1": "d - F1 (lower is better; many tiny clusters make it low)",
    "purity_left_out": "images whose class is that of most others in their cluster (1 is best; one alone is wrong)",
    "d_left_out": "d with each image left out of its cluster's mean, by images (0 is best; tiny clusters do not help)",
    "d_left_out_shuffled": "... with the clusters shuffled (chance)",
    "d_left_out_commonest": "... with all of these images in one group",
    "ambiguous_share": "share of images predicted ambiguous",
    "degenerate": "degenerate (1: no more than 10 % are certain, or ambiguous)",
    "ambiguity_auroc": "AUROC of the ambiguity against 'annotators disagree' (0.5 is guessing)",
    "disputed_images": "images whose annotators disagree",
    "ambiguity_auroc_clear": "AUROC of the ambiguity against 'the top class has below 80 % of the votes'",
    "clearly_disputed_images": "images whose top class has below 80 % of the votes",
    "ambiguity_rank": "rank correlation of the ambiguity with the entropy of the votes (-1 to 1)",
    "accuracy": "accuracy of the class, all images",
    "macro_f1": "macro F1 of the class, all images",
    "measured_images": "images measured",
    "seconds": "training time in seconds",
}
TEST_PREFIX = "test_"
_WHOLE = ("seconds", "degenerate", "measured_images", "disputed_images", "clearly_disputed_images")


def describe_metric(name: str) -> str:
    """The metric in words, with the part it was measured on where that is the test part; one without words stays."""
    text = METRIC_TEXTS.get(name.removeprefix(TEST_PREFIX), name.removeprefix(TEST_PREFIX))
    return f"test part: {text}" if name.startswith(TEST_PREFIX) else text


def format_metric(name: str, value: float) -> str:
    """Three decimals; whole numbers for what is counted or is a yes or no."""
    return f"{value:.0f}" if name.removeprefix(TEST_PREFIX) in _WHOLE else f"{value:.3f}"


def split_metrics(metrics: Iterable[tuple[str, float]]) -> list[tuple[str, list[tuple[str, float]]]]:
    """The metrics by the part they were measured on: validation, and test where there are any."""
    parts: dict[str, list[tuple[str, float]]] = {"validation": [], "test": []}
    for name, value in metrics:
        parts["test" if name.startswith(TEST_PREFIX) else "validation"].append((name, value))
    return [(part, values) for part, values in parts.items() if values]
