"""Soft labels from few votes; a new estimator is one file and one line here."""

from collections.abc import Callable

import numpy as np

from relabel.options import EstimateOptions
from relabel.soft_labels.ballots import Ballots
from relabel.soft_labels.bias_correction import correct_bias, correct_bias_and_blend
from relabel.soft_labels.class_blending import blend_classes
from relabel.soft_labels.crowdlab import weigh_with_model
from relabel.soft_labels.dawid_skene import estimate_dawid_skene
from relabel.soft_labels.share import share_of_votes

Estimator = Callable[[Ballots, EstimateOptions], np.ndarray]
"""(N, k) soft labels, each row on the simplex, from N images that have at least one vote each; raises InputError where
the ballots lack what it needs."""

ESTIMATORS: dict[str, Estimator] = {
    "share": share_of_votes,
    "blending": blend_classes,
    "bias_correction": correct_bias,
    "bias_correction_blending": correct_bias_and_blend,
    "dawid_skene": estimate_dawid_skene,
    "crowdlab": weigh_with_model,
}
