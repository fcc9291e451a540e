"""A request that gets no predictions: its HTTP status, a stable reason for programs and a text for people."""

from collections.abc import Mapping

from serving.images import BadImage

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


class Refused(Exception):  # noqa: N818
    """Ends a request with `status`; `headers` go with the answer."""

    def __init__(self, status: int, reason: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, reason, message)
        self.status = status
        self.reason = reason
        self.message = message
        self.headers = dict(headers or {})

    def to_json(self) -> dict[str, object]:
        """The answer's `error` entry."""
        return {"status": self.status, "reason": self.reason, "message": self.message}


def refuse_image(error: BadImage) -> Refused:
    """The error entry of one unreadable image; its message names the file."""
    return Refused(STATUS_OF_REASON[error.reason], error.reason, str(error))


def status_of_all(statuses: list[int]) -> int:
    """Status of a request none of whose images was read: the one that they share, else 400 for a mixture."""
    return statuses[0] if len(set(statuses)) == 1 else 400
