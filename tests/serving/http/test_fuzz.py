"""Requests made up by hypothesis: whatever the body, an answer of the described form and never a 5xx."""

import asyncio
import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from serving.settings import Settings
from tests.data.images.test_decoding import encode
from tests.serving.http.test_app import in_process
from tests.serving.running import make_images

# Pillow warns of odd metadata; the service is deaf to that.
pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning:PIL"),
    # Starlette leaves the file of a part that breaks off to the garbage collector.
    pytest.mark.filterwarnings("ignore:Unclosed file <tempfile:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:.*SpooledTemporaryFile:pytest.PytestUnraisableExceptionWarning"),
]
GOOD = encode(Image.fromarray(make_images(1)[0]), "PNG")

# That Python has and that fail or give halves of surrogate pairs, each in its own way.
CHARSETS = ["", "idna", "punycode", "utf-7", "unicode_escape", "undefined", "utf-16", "rot13", "nonsense"]

Ask = Callable[[bytes, dict[str, str]], httpx.Response]
PARTS = st.one_of(st.binary(max_size=200), st.just(GOOD), st.integers(0, len(GOOD)).map(lambda end: GOOD[:end]))
TEXT = st.text(max_size=30) | st.just("a\ud800")  # half a surrogate pair, which JSON can carry
NAMES = st.sampled_from([b"a.png", b"+2AA-", rb"\ud800", b"xn--", b"a-!"]) | st.binary(max_size=20)
HEADS = st.sampled_from([b'name="f"', b'filename="a"', b'name="f"; filename="a.png"', b""]) | st.builds(
    b'name="%b"; filename="%b"'.__mod__, st.tuples(NAMES, NAMES)
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["images", "name", "data", "url"]), inner, max_size=4)
    ),
    max_leaves=12,
)
ENTRIES = st.one_of(
    JSON,
    st.fixed_dictionaries({"name": TEXT, "data": TEXT | st.just("")}),
    PARTS.map(lambda part: base64.b64encode(part).decode()),
)
KINDS = st.sampled_from(
    ["image/png", "application/json", "multipart/form-data", "multipart/form-data; boundary=x", "text/plain", ""]
) | st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40)


@pytest.fixture(scope="module")
def ask(model_path: Path) -> Iterator[Ask]:
    """Posts to the application in this process; what it raises is raised here."""
    with asyncio.Runner() as runner:
        opened = in_process(Settings(model_path, max_images=5))
        client = runner.run(opened.__aenter__())
        yield lambda body, headers: runner.run(client.post("/predict", content=body, headers=headers))
        runner.run(opened.__aexit__(None, None, None))


def post(ask: Ask, body: bytes, kind: str) -> None:
    """Sends a body, and checks status and form of the answer."""
    response = ask(body, {"content-type": kind} if kind.strip() else {})
    assert response.status_code in (200, 400, 413, 415, 422), response.text
    document = response.json()
    assert set(document) == {"model_version", "answers", "error"}
    assert (response.status_code == 200) == any(entry["error"] is None for entry in document["answers"])
    assert document["answers"] or document["error"]["status"] == response.status_code


@given(body=st.binary(max_size=2000), kind=KINDS)
@settings(max_examples=150, deadline=None)
def test_any_bytes_of_any_declared_type(ask: Ask, body: bytes, kind: str) -> None:
    post(ask, body, kind)


@given(document=JSON | st.fixed_dictionaries({"images": st.lists(ENTRIES, max_size=7) | ENTRIES}))
@settings(max_examples=150, deadline=None)
def test_any_json(ask: Ask, document: object) -> None:
    post(ask, json.dumps(document).encode(), "application/json")


# from the codec unicode-escape, which a form may declare
@pytest.mark.filterwarnings("ignore:.*invalid escape sequence:DeprecationWarning")
@given(
    parts=st.lists(st.tuples(HEADS, PARTS), max_size=7),
    line=st.sampled_from([b"\r\n", b"\r\n", b"\n", b""]),
    end=st.sampled_from([b"--x--\r\n", b"--x--\r\n", b"--x", b"", b"--x--x--"]),
    charset=st.sampled_from(CHARSETS),
)
@settings(max_examples=150, deadline=None)
def test_any_multipart_form(ask: Ask, parts: list[tuple[bytes, bytes]], line: bytes, end: bytes, charset: str) -> None:
    lead = b"--x" + line + b"Content-Disposition: form-data; "
    form = [lead + options + line * 2 + data + line for options, data in parts]
    post(ask, b"".join(form) + end, f"multipart/form-data; boundary=x; charset={charset}")
