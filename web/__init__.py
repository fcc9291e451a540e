"""What both web services share: keys, limits, listening, refusals, a bounded protocol; and pages in one file."""

import data  # noqa: F401  # which switches off, before all other imports, what would tell others of a lab
