"""The service, and the way of a run to it: export, model, HTTP, page."""

import data  # noqa: F401  # which switches off, before all other imports, what would tell others of a lab
