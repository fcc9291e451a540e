"""What a client sent: the images of one request, whatever way an ordinary client packs them."""

import base64
import binascii
import json
from urllib.parse import unquote

from python_multipart.multipart import parse_options_header
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive, Scope

from data.images.decoding import BadImage
from serving.live.uploaded import Upload
from web.refused import Refused

EXPECTED = (
    "send multipart/form-data with one or more file parts (any field name), or the bytes of one image as the body, "
    'or JSON {"images": [{"name": "a.png", "data": "<base64>"}]}; a URL is never fetched'
)
_MAX_NAME = 255
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_SPACE = b" \t\r\n\v\f"


async def read_uploads(scope: Scope, receive: Receive, max_images: int) -> list[Upload]:
    """The images of a request in order, at least one.

    The declared type of a part or body plays no role, only whether the body is multipart or JSON. Raises Refused
    when nothing in the body can be an image, starlette.requests.ClientDisconnect when the client leaves before its end.
    """
    kind, options = parse_options_header(dict(scope["headers"]).get(b"content-type"))
    body = await _read_body(receive)
    if not body:
        raise Refused(400, "empty", f"the request has no body; {EXPECTED}")
    if kind == b"multipart/form-data":
        # The parser drops a part that breaks off without a word; its image would have no answer.
        if b"--" + options.get(b"boundary", b"") + b"--" not in body:
            raise Refused(400, "bad_form", f"the multipart body breaks off before its closing boundary; {EXPECTED}")
        return await _read_form(scope, body, max_images)
    if kind == b"application/json" or body.lstrip()[:1] == b"{":
        return _read_json(body, max_images)
    if kind == b"application/x-www-form-urlencoded" and body.isascii():
        raise Refused(415, "no_file", f"a form of this kind carries no file; {EXPECTED}")
    if body.startswith(b"--") and b"content-disposition" in body[:1000].lower():
        raise Refused(415, "no_boundary", f"a multipart body must be declared as such; {EXPECTED}")
    return [Upload("body", body)]


async def _read_body(receive: Receive) -> bytes:
    parts = []
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


async def _read_form(scope: Scope, body: bytes, max_images: int) -> list[Upload]:
    async def receive() -> Message:
        return {"type": "http.request", "body": body}

    request = Request(scope, receive)
    try:
        # One part more than allowed is let in, so that 'too many' is told from other faults of the form.
        async with request.form(max_files=max_images + 1, max_fields=max_images + 1) as form:
            parts = [part for _, part in form.multi_items() if isinstance(part, UploadFile)]
            if not parts:
                fields = ", ".join(repr(name[:40]) for name in list(form)[:5]) or "none"
                raise Refused(400, "no_file", f"no part of the form is a file (fields: {fields}); {EXPECTED}")
            if len(parts) > max_images:
                raise _too_many(max_images)
            return [Upload(_name(part.filename, place), await part.read()) for place, part in enumerate(parts)]
    except MultiPartException as error:
        if error.message.startswith("Too many"):
            raise _too_many(max_images) from error
        raise Refused(400, "bad_form", f"the multipart body cannot be read ({error.message}); {EXPECTED}") from error
    except ValueError as error:  # of the character set that the client names, for which Python has odd ones too
        raise Refused(400, "bad_form", f"the multipart body's names cannot be read ({error}); {EXPECTED}") from error


def _read_json(body: bytes, max_images: int) -> list[Upload]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refused(400, "bad_json", f"the JSON cannot be read ({error}); {EXPECTED}") from error
    images = document.get("images") if isinstance(document, dict) else None
    if not isinstance(images, list) or not images:
        raise Refused(400, "no_file", f"the JSON has no list of images; {EXPECTED}")
    if len(images) > max_images:
        raise _too_many(max_images)
    return [_read_entry(entry, place) for place, entry in enumerate(images)]


def _read_entry(entry: object, place: int) -> Upload:
    name, data = (entry.get("name"), entry.get("data")) if isinstance(entry, dict) else (None, entry)
    name = _name(name if isinstance(name, str) else None, place)
    if not isinstance(data, str):
        return Upload(name, BadImage(name, "no_file", f"it has no text in data; {EXPECTED}"))
    if data.lstrip()[:5].lower() == "data:":
        data = unquote(data.partition(",")[2])
    try:
        return Upload(name, _read_base64(data))
    except (binascii.Error, ValueError):
        return Upload(name, BadImage(name, "not_base64", f"its data must be base64, it begins {data[:40]!r}"))


def _read_base64(text: str) -> bytes:
    """The bytes of base64 in any of its usual forms: in lines, URL-safe (RFC 4648, section 5), without its padding.

    Raises ValueError for any other text.
    """
    digits = text.encode("ascii").translate(_URL_SAFE, _SPACE).rstrip(b"=")
    return base64.b64decode(digits + b"=" * (-len(digits) % 4), validate=True)


def _name(given: str | None, place: int) -> str:
    # Half a surrogate pair is text to Python and JSON, but to no encoding in which an answer could carry it.
    return (given or f"image {place + 1}")[:_MAX_NAME].encode(errors="replace").decode()


def _too_many(max_images: int) -> Refused:
    return Refused(413, "too_many_images", f"a request may carry {max_images} images; send the rest in others")
