"""Answers drawn from known annotators: the truth that the measurement has to find again."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
import pandas as pd

from data.verdicts import check_verdicts

START = datetime(2026, 1, 5, 9, tzinfo=UTC)


class Setting(NamedTuple):
    """N images, k classes, and how annotators answer."""

    shares: np.ndarray
    """(N, k) chance of each answer without a proposal."""
    proposed: np.ndarray
    """(N,) class numbers."""
    is_control: np.ndarray
    """(N,)."""


def make_setting(n_images: int, n_classes: int, seed: int, right: float = 0.8, control: float = 0.2) -> Setting:
    """Images with a favourite class each; proposals that hit it with the chance `right`."""
    generator = np.random.default_rng(seed)
    favourite = generator.integers(n_classes, size=n_images)
    shares = generator.dirichlet(np.full(n_classes, 0.6), n_images) * 0.6
    shares[np.arange(n_images), favourite] += 0.4
    hit = generator.random(n_images) < right
    proposed = np.where(hit, favourite, (favourite + generator.integers(1, n_classes, n_images)) % n_classes)
    return Setting(shares, proposed, generator.random(n_images) < control)


def draw_classes(shares: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """(N,) one class an image."""
    reached = shares.cumsum(1)
    return (generator.random((len(shares), 1)) * reached[:, -1:] > reached).sum(1)


def answer(
    setting: Setting, d: float, annotators: int, rounds: int, seed: int, seconds: tuple[float, float] = (2.0, 5.0)
) -> pd.DataFrame:
    """Verdicts on single images: acceptance A = d + (0.99 - d) p; mean seconds with and without a proposal."""
    generator = np.random.default_rng(seed)
    n = len(setting.shares)
    places = np.arange(n)
    p = setting.shares[places, setting.proposed]
    others = setting.shares.copy()
    others[places, setting.proposed] = 0
    tables = []
    for round_ in range(1, rounds + 1):
        for annotator in range(annotators):
            free = draw_classes(setting.shares, generator)
            accepts = generator.random(n) < d + (0.99 - d) * p
            led = np.where(accepts, setting.proposed, draw_classes(others, generator))
            labels = np.where(setting.is_control, free, led)
            means = np.where(setting.is_control, seconds[1], seconds[0])
            times = means * generator.lognormal(-0.08, 0.4, n)
            start = START + timedelta(days=round_)
            at = [(start + timedelta(seconds=s)).isoformat(timespec="milliseconds") for s in times.cumsum()]
            outcome = np.where(
                setting.is_control, "manual", np.where(labels == setting.proposed, "accepted", "changed")
            )
            tables.append(
                pd.DataFrame(
                    {
                        "image": [f"{place}.png" for place in places],
                        "annotator": f"person {annotator}",
                        "label": [f"class {number}" for number in labels],
                        "seconds": times,
                        "at": at,
                        "round": round_,
                        "tool": "review",
                        "unit": "image",
                        "cluster": "",
                        "arm": np.where(setting.is_control, "control", "proposal"),
                        "proposal": [f"class {number}" for number in setting.proposed],
                        "model_version": "run",
                        "outcome": outcome,
                    }
                )
            )
    return check_verdicts(pd.concat(tables, ignore_index=True), "drawn answers")


def draw_votes(setting: Setting, votes: int, seed: int) -> pd.DataFrame:
    """Raw votes without proposals, as a vote table."""
    generator = np.random.default_rng(seed)
    tables = [draw_classes(setting.shares, generator) for _ in range(votes)]
    images = [f"{place}.png" for place in range(len(setting.shares))]
    return pd.concat(
        [pd.DataFrame({"image": images, "label": [f"class {number}" for number in drawn]}) for drawn in tables],
        ignore_index=True,
    )
