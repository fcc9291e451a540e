"""Relabelling: from a run's proposals by way of people to the next round's votes."""

import data  # noqa: F401  # which switches off, before all other imports, what would tell others of a lab
