"""Search for prior and loss weights; the one home of optuna."""

import data  # noqa: F401  # which switches off, before all other imports, what would tell others of a lab
