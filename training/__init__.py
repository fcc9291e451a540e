"""Training of DC3 over semi-supervised methods (Schmarje et al., ECCV 2022)."""
