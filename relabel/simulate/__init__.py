"""Simulated annotators that draw from real votes: what they show is how a model behaves, not how people do."""
