"""Proposals out: from a run's predictions to the folder that annotators work from."""
