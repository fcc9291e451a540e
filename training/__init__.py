"""Training of DC3 over semi-supervised methods (Schmarje et al., ECCV 2022)."""

import data  # noqa: F401  # which switches off, before all other imports, what would tell others of a lab
