"""A run's figures as `dc3 train` and `dc3 sort` print them."""

from collections.abc import Mapping


def print_figures(metrics: Mapping[str, float]) -> None:
    """Each figure on a line of its own, then in words how good the model is."""
    from data.quality import describe_quality

    for name, value in metrics.items():
        print(f"{name:<24}{value:10.4f}")
    for sentence in describe_quality(metrics).words:
        print(f"quality      {sentence}")
