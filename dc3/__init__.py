"""The command line `dc3 VERB`: parses, calls one function, prints."""

import data  # noqa: F401  # which switches off, before all other imports, what would tell others of a lab
