"""The model in use: its replacement while the service runs, its batches, its share of the cores."""
