"""Every form of a request's body is answered: forms, raw bytes, JSON, packed bodies, strange names."""

import base64
import gzip
import io
import json
import socket
import time
from collections.abc import Callable
from urllib.parse import quote

import httpx
import numpy as np
import pytest
from PIL import Image

from tests.data.images.test_decoding import encode
from tests.serving.http.sending import CUT, GOOD, PICTURE, SVG, check, post

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("still_answers", "nothing_in_the_log")]
NOISY = encode(Image.fromarray(np.random.default_rng(2).integers(0, 256, (15, 16, 3), dtype=np.uint8)), "PNG")


@pytest.mark.parametrize("kind", ["image/jpeg", "image/jpg", "text/plain", "application/json", "no type; =", ""])
def test_the_declared_type_of_a_part_plays_no_role(client: httpx.Client, kind: str) -> None:
    assert post(client, GOOD, "a", kind).status_code == 200


@pytest.mark.parametrize("kind", ["image/png", "image/jpeg", "application/octet-stream", "text/html", None])
def test_a_raw_body_is_one_image_whatever_its_declared_type(client: httpx.Client, kind: str | None) -> None:
    response = client.post("/predict", content=GOOD, headers={"content-type": kind} if kind else {})
    assert response.status_code == 200
    assert response.json()["answers"][0]["name"] == "body"


def test_any_field_name_carries_images(client: httpx.Client) -> None:
    files = [("upload", ("a.png", GOOD)), ("x[]", ("b.png", GOOD)), ("upload", ("c.png", GOOD))]
    response = client.post("/predict", files=files, data={"comment": "three"})
    assert [entry["name"] for entry in response.json()["answers"]] == ["a.png", "b.png", "c.png"]


def test_a_bad_image_takes_no_other_down_and_order_is_kept(client: httpx.Client) -> None:
    bodies = [GOOD, b"", CUT, encode(PICTURE, "JPEG"), b"text"]
    response = client.post("/predict", files=[("f", (f"{place}.png", body)) for place, body in enumerate(bodies)])
    assert response.status_code == 200
    answers = response.json()["answers"]
    assert [entry["name"] for entry in answers] == [f"{place}.png" for place in range(5)]
    assert [entry["error"] and entry["error"]["reason"] for entry in answers] == [
        None,
        "empty",
        "damaged",
        None,
        "not_an_image",
    ]
    assert answers[0]["class_probabilities"] == post(client, GOOD).json()["answers"][0]["class_probabilities"]


def test_a_request_with_bad_images_only_has_their_common_status(client: httpx.Client) -> None:
    assert client.post("/predict", files=[("f", ("a", b"text")), ("f", ("b", SVG))]).status_code == 415
    mixed = client.post("/predict", files=[("f", ("a", b"text")), ("f", ("b", b""))])
    assert mixed.status_code == 400
    assert [entry["error"]["status"] for entry in mixed.json()["answers"]] == [415, 400]


def test_a_form_without_a_file_says_what_is_expected(client: httpx.Client) -> None:
    form = b'--x\r\nContent-Disposition: form-data; name="image"\r\n\r\nhttp://127.0.0.1/a.png\r\n--x--\r\n'
    response = client.post("/predict", content=form, headers={"content-type": "multipart/form-data; boundary=x"})
    message = check(response, 400, "no_file")["message"]
    assert "'image'" in message
    assert "a URL is never fetched" in message


@pytest.mark.parametrize(
    ("body", "kind", "status", "reason"),
    [
        (b"", "multipart/form-data; boundary=x", 400, "empty"),
        (b"--x--", "multipart/form-data; boundary=x", 400, "no_file"),
        (
            b'--x\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\nabc\r\n'
            b'--x\r\nContent-Disposition: form-data; name="f"; filename="b"\r\n\r\nab',
            "multipart/form-data; boundary=x",
            400,
            "bad_form",
        ),
        (b"--x--", "multipart/form-data", 400, "bad_form"),
        (b"--y\r\n\r\n\r\n", "multipart/form-data; boundary=x", 400, "bad_form"),
        (
            b"--x\r\nContent-Disposition: form-data\r\n\r\nabc\r\n--x--",
            "multipart/form-data; boundary=x",
            400,
            "bad_form",
        ),
        (b'--x\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\nabc', "text/plain", 415, "no_boundary"),
        (b"", "image/png", 400, "empty"),
        (b"image=http%3A%2F%2F127.0.0.1", "application/x-www-form-urlencoded", 415, "no_file"),
        (b"{", "application/json", 400, "bad_json"),
        (b"[" * 100_000, "application/json", 400, "bad_json"),
        (b'{"images": "http://127.0.0.1/a.png"}', "application/json", 400, "no_file"),
        (b'{"url": "http://127.0.0.1/a.png"}', "application/json", 400, "no_file"),
        (b'{"images": []}', "application/json", 400, "no_file"),
        (b'{"images": [5]}', "application/json", 400, "no_file"),
        (b'{"images": ["http://127.0.0.1/a.png"]}', "application/json", 400, "not_base64"),
        (b'{"images": [{"name": "a", "data": "\xff"}]}', "application/json", 400, "bad_json"),
        (b"\x00" * 1000, "application/json", 400, "bad_json"),
    ],
)
def test_a_body_without_an_image_is_refused(
    client: httpx.Client, body: bytes, kind: str, status: int, reason: str
) -> None:
    check(client.post("/predict", content=body, headers={"content-type": kind}), status, reason)


def test_json_carries_images_as_base64(client: httpx.Client) -> None:
    text = base64.b64encode(GOOD).decode()
    uri = f" DATA:image/png;BASE64,{text}"
    images = [text, {"name": "b.png", "data": text}, {"data": uri}, "%%%", {"name": "e.png", "data": None}]
    for kind in ("application/json", "text/plain"):
        response = client.post("/predict", content=json.dumps({"images": images}), headers={"content-type": kind})
        assert response.status_code == 200
        answers = response.json()["answers"]
        assert [entry["name"] for entry in answers] == ["image 1", "b.png", "image 3", "image 4", "e.png"]
        assert [entry["error"] and entry["error"]["reason"] for entry in answers] == [
            None, None, None, "not_base64", "no_file",
        ]  # fmt: skip


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(lambda data: base64.encodebytes(data).decode(), id="in lines of 76"),
        pytest.param(lambda data: base64.encodebytes(data).decode().replace("\n", "\r\n"), id="in lines as of e-mail"),
        pytest.param(lambda data: base64.urlsafe_b64encode(data).decode(), id="URL-safe"),
        pytest.param(lambda data: base64.b64encode(data).decode().rstrip("="), id="without padding"),
        pytest.param(lambda data: base64.urlsafe_b64encode(data).decode().rstrip("="), id="as in a web token"),
        pytest.param(lambda data: f"data:image/png;base64,{quote(base64.b64encode(data))}", id="in a quoted data URI"),
    ],
)
def test_base64_is_read_in_all_its_usual_forms(client: httpx.Client, form: Callable[[bytes], str]) -> None:
    plain = base64.b64encode(NOISY).decode()
    assert {"+", "/", "="} <= set(plain), "or the forms would not differ"
    expected, found = client.post("/predict", json={"images": [plain, form(NOISY)]}).json()["answers"]
    assert expected["error"] is found["error"] is None
    assert found["class_probabilities"] == expected["class_probabilities"]


@pytest.mark.parametrize("text", ["abcde", "ab=c", "ab$d", "äbcd", "http://127.0.0.1/a"])
def test_what_is_no_base64_is_named(client: httpx.Client, text: str) -> None:
    assert text in check(client.post("/predict", json={"images": [text]}), 400, "not_base64")["message"]


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "deflate", "br", "zstd", "gzip, br"])
@pytest.mark.parametrize("kind", ["image/png", "application/json", "multipart/form-data; boundary=x"])
def test_a_packed_body_is_refused_by_the_name_of_its_coding(client: httpx.Client, coding: str, kind: str) -> None:
    headers = {"Content-Encoding": coding, "Content-Type": kind}
    response = client.post("/predict", content=gzip.compress(GOOD), headers=headers)
    assert f"Content-Encoding: {coding};" in check(response, 415, "encoded")["message"]
    assert response.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("coding", ["identity", ""])
def test_a_body_that_is_declared_as_not_packed_is_read(client: httpx.Client, coding: str) -> None:
    assert client.post("/predict", content=GOOD, headers={"Content-Encoding": coding}).status_code == 200


def test_a_packed_body_has_no_length_that_a_client_could_make_up(client: httpx.Client) -> None:
    """A bomb: 60 kB that unpack to 60 MB."""
    bomb = gzip.compress(b"\0" * 60_000_000)
    start = time.perf_counter()
    check(client.post("/predict", content=bomb, headers={"Content-Encoding": "gzip"}), 415, "encoded")
    assert time.perf_counter() - start < 1


def test_no_url_in_a_request_is_ever_fetched(client: httpx.Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as trap:
        trap.settimeout(0.3)
        url = f"http://127.0.0.1:{trap.getsockname()[1]}/a.png"
        client.post("/predict", data={"image": url})
        client.post("/predict", json={"images": [url], "url": url})
        client.post("/predict", files={"image": (None, url)})
        client.post("/predict", content=url, params={"url": url})
        with pytest.raises(TimeoutError):
            trap.accept()


def test_a_thousand_parts_are_refused(client: httpx.Client) -> None:
    files = [("f", (f"{place}.png", GOOD)) for place in range(1000)]
    assert "256" in check(client.post("/predict", files=files), 413, "too_many_images")["message"]
    assert len(client.post("/predict", files=files[:256]).json()["answers"]) == 256
    fields = {f"f{place}": "x" for place in range(1000)}
    check(client.post("/predict", files=files[:1], data=fields), 413, "too_many_images")
    check(client.post("/predict", json={"images": ["aa"] * 1000}), 413, "too_many_images")


def test_strange_file_names_come_back(client: httpx.Client) -> None:
    names = ["../../etc/passwd", "ä ö.png", 'a"b.png', "<script>.png", "x" * 1000]
    response = client.post("/predict", files=[("f", (name, GOOD)) for name in names])
    found = [entry["name"] for entry in response.json()["answers"]]
    assert len(found) == 5
    assert found[0] == names[0]
    assert found[3] == names[3]
    assert len(found[4]) == 255


def test_half_a_surrogate_pair_in_a_name_is_no_5xx(client: httpx.Client) -> None:
    entry = {"name": "a\ud800.png", "data": base64.b64encode(GOOD).decode()}
    body = json.dumps({"images": [entry]})  # as \ud800, which is valid JSON
    response = client.post("/predict", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 200
    assert response.json()["answers"][0]["name"] == "a?.png"


@pytest.mark.parametrize(
    ("charset", "name", "status"),
    [("utf-7", "+2AA-", 200), ("unicode_escape", r"\ud800", 200), ("idna", "xn--", 400), ("undefined", "a", 400)],
)
def test_no_character_set_that_a_form_names_is_a_5xx(
    client: httpx.Client, charset: str, name: str, status: int
) -> None:
    head = f'--x\r\nContent-Disposition: form-data; name="f"; filename="{name}"\r\n\r\n'.encode()
    kind = f"multipart/form-data; boundary=x; charset={charset}"
    response = client.post("/predict", content=head + GOOD + b"\r\n--x--\r\n", headers={"Content-Type": kind})
    assert response.status_code == status, response.text
    if status == 400:
        check(response, 400, "bad_form")


def test_an_upload_by_a_stream_is_an_ordinary_upload(client: httpx.Client) -> None:
    upload = httpx.Request("POST", "http://a", files={"f": ("a.png", io.BytesIO(GOOD))})
    body = upload.read()
    parts = (body[start : start + 100] for start in range(0, len(body), 100))
    response = client.post("/predict", content=parts, headers={"Content-Type": upload.headers["Content-Type"]})
    assert response.request.headers["Transfer-Encoding"] == "chunked"
    assert response.status_code == 200
