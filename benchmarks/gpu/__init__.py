"""Checks, measures and trains on a GPU within minutes, started by one command (docs/gpu.md)."""
