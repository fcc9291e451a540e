"""By which figure one run is taken before another: in the store, the registry, a comparison and a study alike."""

from collections.abc import Mapping

from training.options import By


def is_choosable(metrics: Mapping[str, float], by: By) -> bool:
    """Whether a run can be chosen by this figure.

    By d - F1 a degenerate run never is (paper, section 3.2). By right proposals it is like any other: being right is no
    fault, and a run that calls nothing ambiguous, or everything, is not more often right for that.
    """
    return by in metrics and not (by == "d_minus_f1" and metrics.get("degenerate"))


def merit(metrics: Mapping[str, float], by: By) -> float:
    """The figure, as the higher the better; of a run that can be chosen by it."""
    return metrics[by] if by == "proposals_right" else -metrics[by]
