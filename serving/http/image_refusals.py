"""Why an image of a request gets no prediction, as an HTTP status."""

from data.images.decoding import BadImage
from web.refused import Refused

STATUS_OF_REASON = {
    "empty": 400,
    "not_base64": 400,
    "no_file": 400,
    "too_large": 413,
    "not_an_image": 415,
    "unsupported": 415,
    "damaged": 422,
}
"""HTTP status of an image that cannot be read, by its reason."""


def refuse_image(error: BadImage) -> Refused:
    """The error entry of one unreadable image; its message names the file."""
    return Refused(STATUS_OF_REASON[error.reason], error.reason, str(error))


def status_of_all(statuses: list[int]) -> int:
    """Status of a request none of whose images was read: the one that they share, else 400 for a mixture."""
    return statuses[0] if len(set(statuses)) == 1 else 400
