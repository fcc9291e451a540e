"""Search for prior and loss weights; the one home of optuna."""
