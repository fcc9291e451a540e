"""Votes: one reader for all forms, and what is counted from them."""
