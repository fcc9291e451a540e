"""Whatever a client sends is answered, and a good request right after it too."""

import base64
import contextlib
import gzip
import io
import json
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import numpy as np
import pytest
from PIL import Image

from tests.data.images.files import grey_tiff, one, png_16, tiff
from tests.data.images.test_decoding import encode, png_header
from tests.serving.running import CARD, Server, make_images

pytestmark = pytest.mark.slow
PICTURE = Image.fromarray(make_images(1, 64)[0])
GOOD = encode(PICTURE, "PNG")
NOISY = encode(Image.fromarray(np.random.default_rng(2).integers(0, 256, (15, 16, 3), dtype=np.uint8)), "PNG")
CUT = GOOD[: len(GOOD) * 3 // 4]
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
EXIF = Image.Exif()
EXIF[0x0112] = 6


@pytest.fixture(autouse=True)
def _still_answers(client: httpx.Client) -> Iterator[None]:
    """After each test the service answers a good request, and its log shows no fault."""
    yield
    response = client.post("/predict", files={"image": ("good.png", GOOD, "image/png")})
    assert response.status_code == 200
    assert response.json()["answers"][0]["decision"] in ("class", "cluster")


@pytest.fixture(autouse=True, scope="module")
def _no_fault_in_the_log(server: Server) -> Iterator[None]:
    yield
    log = server.log.read_text()
    assert "Traceback" not in log
    assert "Exception" not in log


def post(client: httpx.Client, data: bytes, name: str = "a.png", kind: str = "image/png") -> httpx.Response:
    """One image as a browser or curl sends it."""
    return client.post("/predict", files={"image": (name, data, kind)})


def check(response: httpx.Response, status: int, reason: str) -> dict[str, Any]:
    """The refusal's error entry: that of the request, or that of its only image."""
    assert response.status_code == status, response.text
    document = response.json()
    error = document["error"] or document["answers"][0]["error"]
    assert (error["status"], error["reason"]) == (status, reason)
    assert error["message"]
    return dict(error)


UNREADABLE = {
    "empty": (b"", 400, "empty"),
    "text": (b"hello", 415, "not_an_image"),
    "svg": (SVG, 415, "not_an_image"),
    "no pixels": (png_header(0, 0), 415, "not_an_image"),
    "50,000 x 50,000 header": (png_header(50_000, 50_000), 413, "too_large"),
    "cut off": (CUT, 422, "damaged"),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_an_unreadable_image_is_a_4xx_that_names_it(client: httpx.Client, case: str) -> None:
    data, status, reason = UNREADABLE[case]
    response = post(client, data, f"{case}.png")
    assert f"{case}.png" in check(response, status, reason)["message"]
    entry = response.json()["answers"][0]
    assert entry["name"] == f"{case}.png"
    assert entry["class"] is entry["decision"] is entry["ambiguity"] is None


DEEP = (np.asarray(PICTURE.convert("L")) / 255 * 4095).round().astype(np.uint16)
UNSUPPORTED = {
    "stack.tif": (tiff(one(DEEP), one(DEEP)), "a stack of several pages"),
    "five channels.tif": (grey_tiff(np.zeros((8, 8, 5), np.uint8), t262=2), "it has 5 channels"),
    "depth.tif": (grey_tiff(DEEP.astype(np.float32)), "float grey values, which the images that the model learnt from"),
    "phone.heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 60, "HEIC is not read; save it as PNG"),
    "scan.jp2": (encode(PICTURE, "JPEG2000"), "JPEG 2000 is not read; save it as PNG"),
}


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_a_sound_file_that_is_not_read_is_told_why(client: httpx.Client, name: str) -> None:
    data, text = UNSUPPORTED[name]
    message = check(post(client, data, name), 415, "unsupported")["message"]
    assert message.startswith(f"{name}: ")
    assert text in message


def test_12_bits_get_the_answer_of_the_same_picture_in_8(client: httpx.Client) -> None:
    plain = encode(PICTURE.convert("L"), "PNG")
    answers = [post(client, data).json()["answers"][0] for data in (plain, png_16(DEEP), grey_tiff(DEEP, ">"))]
    assert answers[0] == answers[1] == answers[2]


READABLE = {
    "1 x 1": encode(PICTURE.resize((1, 1)), "PNG"),
    "animated GIF": encode(PICTURE, "GIF", save_all=True, append_images=[PICTURE.rotate(90)]),
    "16 bit": encode(Image.fromarray(np.arange(4096, dtype=np.uint16).reshape(64, 64)), "PNG"),
    "CMYK": encode(PICTURE.convert("CMYK"), "JPEG"),
    "RGBA": encode(PICTURE.convert("RGBA"), "PNG"),
    "palette": encode(PICTURE.convert("P"), "PNG"),
    "grey": encode(PICTURE.convert("L"), "JPEG"),
    "WebP": encode(PICTURE, "WEBP"),
    "TIFF": encode(PICTURE, "TIFF"),
    "BMP": encode(PICTURE, "BMP"),
    "AVIF": encode(PICTURE, "AVIF"),
    "EXIF turned": encode(PICTURE, "JPEG", exif=EXIF),
    "JPEG named .png": encode(PICTURE, "JPEG"),
}


@pytest.mark.parametrize("case", READABLE)
def test_every_ordinary_image_gets_an_answer(client: httpx.Client, case: str) -> None:
    response = post(client, READABLE[case], "a.png")
    assert response.status_code == 200, response.text
    (entry,) = response.json()["answers"]
    assert entry["error"] is None
    assert list(entry["class_probabilities"]) == list(CARD.classes)
    assert sum(entry["class_probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert entry["class_probability"] == max(entry["class_probabilities"].values())
    assert entry["cluster_caption"] == CARD.captions[entry["cluster"]]
    assert entry["decision"] == ("class" if entry["ambiguity"] < 0.5 else "cluster")


def test_an_image_is_turned_upright_before_it_is_scored(client: httpx.Client) -> None:
    upright = encode(PICTURE.rotate(-90), "PNG")
    turned = encode(PICTURE, "PNG", exif=EXIF)
    answers = [post(client, data).json()["answers"][0] for data in (upright, turned, GOOD)]
    assert answers[0] == answers[1] != answers[2]


def test_a_large_real_image_is_refused_by_its_header(client: httpx.Client) -> None:
    data = encode(Image.new("1", (12_000, 12_000)), "PNG")
    start = time.perf_counter()
    check(post(client, data), 413, "too_large")
    assert time.perf_counter() - start < 1


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_file_cut_at_every_tenth_byte_never_is_a_5xx(client: httpx.Client, kind: str) -> None:
    data = encode(PICTURE, kind)
    ends = range(0, len(data), 10)
    files = [("image", (f"{end}", data[:end])) for end in ends]
    for first in range(0, len(files), 200):
        response = client.post("/predict", files=files[first : first + 200])
        assert response.status_code < 500
        for entry in response.json()["answers"]:
            assert entry["error"] is None or entry["error"]["status"] in (400, 415, 422)
    for end in list(ends)[:: max(1, len(ends) // 12)]:
        assert post(client, data[:end]).status_code in (200, 400, 415, 422)


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


@pytest.mark.parametrize("path", ["/predict", "/model", "/metrics", "/openapi.json"])
def test_a_slash_at_the_end_leads_nowhere_else(client: httpx.Client, path: str) -> None:
    """A redirect would lose the prefix, and the TLS, of a proxy before the service."""
    ask = {"url": path, "method": "GET"} | ({"method": "POST", "content": GOOD} if path == "/predict" else {})
    plain, slashed = client.request(**ask), client.request(**ask | {"url": f"{path}/"})
    assert (plain.status_code, slashed.status_code) == (200, 200)
    assert path == "/metrics" or slashed.json() == plain.json()


@pytest.mark.parametrize("path", ["/page", "/page/", "/no/", "/predict//no/"])
def test_no_path_is_answered_by_a_redirect(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 404


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


@pytest.mark.parametrize("filler", [b"-" * 3_000_000, b"\r\n--x" * 600_000, b"\r\n--" * 700_000])
def test_an_endless_boundary_costs_little(client: httpx.Client, filler: bytes) -> None:
    """The way of CVE-2024-9056, which holds up a parser for minutes."""
    form = b"--x" + filler + b'\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\nabc\r\n--x--\r\n'
    start = time.perf_counter()
    response = client.post("/predict", content=form, headers={"content-type": "multipart/form-data; boundary=x"})
    assert response.status_code in (400, 413, 415)
    assert time.perf_counter() - start < 5


def test_a_thousand_parts_are_refused(client: httpx.Client) -> None:
    files = [("f", (f"{place}.png", GOOD)) for place in range(1000)]
    assert "256" in check(client.post("/predict", files=files), 413, "too_many_images")["message"]
    assert len(client.post("/predict", files=files[:256]).json()["answers"]) == 256
    fields = {f"f{place}": "x" for place in range(1000)}
    check(client.post("/predict", files=files[:1], data=fields), 413, "too_many_images")
    check(client.post("/predict", json={"images": ["aa"] * 1000}), 413, "too_many_images")


def chunks(megabytes: int) -> Iterator[bytes]:
    """A body of unknown length."""
    for _ in range(megabytes):
        yield b"\0" * 1_000_000


def test_100_megabytes_are_refused_with_bounded_memory(client: httpx.Client, server: Server) -> None:
    before = max(memory(pid) for pid in processes(server.pid))
    start = time.perf_counter()
    check(client.post("/predict", content=b"\0" * 100_000_000), 413, "body_too_large")
    check(client.post("/predict", content=chunks(100)), 413, "body_too_large")
    assert time.perf_counter() - start < 10
    assert max(memory(pid) for pid in processes(server.pid)) - before < 200_000_000


def test_a_declared_length_is_refused_before_the_body_comes(server: Server) -> None:
    with connect(server) as connection:
        connection.sendall(b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n")
        start = time.perf_counter()
        assert b" 413 " in connection.recv(4096)
        assert time.perf_counter() - start < 1


def processes(parent: int) -> list[int]:
    """A process and all below it."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [parent, *(pid for child in children for pid in processes(int(child)))]


def memory(pid: int) -> int:
    """The most memory that a process ever held, in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def connect(server: Server) -> socket.socket:
    """A bare connection."""
    host, port = server.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=10)


def test_a_client_that_leaves_in_the_middle_disturbs_no_one(server: Server) -> None:
    head = b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\nContent-Length: %d\r\n\r\n"
    for sent in (head[:20], head % 5000, head % 5000 + GOOD[:100], head % len(GOOD) + GOOD):
        for _ in range(5):
            with connect(server) as connection:
                connection.sendall(sent)


def test_what_a_client_that_left_had_sent_is_not_worked_off(server: Server, client: httpx.Client) -> None:
    large = encode(Image.new("RGB", (4000, 3000), "red"), "JPEG")  # some 50 ms of decoding each, 5 s in all
    files = [("image", (f"{number}.jpg", large)) for number in range(100)]
    request = client.build_request("POST", "/predict", files=files)
    head = f"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: {request.headers['content-type']}\r\n"
    body = request.read()
    before = n_gone(client)
    with connect(server) as connection:
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        time.sleep(0.5)
    start = time.perf_counter()
    while n_gone(client) == before:
        assert time.perf_counter() - start < 2
    assert post(client, large).status_code == 200
    assert time.perf_counter() - start < 2


def n_gone(client: httpx.Client) -> float:
    """Requests whose client left."""
    lines = client.get("/metrics").text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith('dc3_refused_total{reason="client_gone"}'))


def test_two_hundred_slow_clients_do_not_hold_up_a_quick_one(server: Server, client: httpx.Client) -> None:
    slow = [connect(server) for _ in range(200)]
    try:
        for connection in slow:
            connection.sendall(b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nab")
        start = time.perf_counter()
        assert post(client, GOOD).status_code == 200
        assert time.perf_counter() - start < 2
    finally:
        for connection in slow:
            connection.close()


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/1.1\r\nHost: a\r\n" + b"x: " + b"y" * 200_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n" + b"x: y\r\n" * 20_000 + b"\r\n",
        b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n",
        b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_a_broken_or_endless_header_is_no_5xx(server: Server, sent: bytes) -> None:
    with connect(server) as connection:
        answer = b""
        try:
            connection.sendall(sent)
            answer = connection.recv(4096)
        except OSError:
            pass  # reset in the middle of the flood
        assert not answer or answer.split()[1] < b"500"


def test_nothing_malformed_lengthens_the_log(server: Server, client: httpx.Client) -> None:
    before = server.log.read_text()
    for sent in (b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"):
        with connect(server) as connection:
            connection.sendall(sent)
            assert connection.recv(4096)
    upgrade = b"Host: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    with connect(server) as connection:
        connection.sendall(
            b"GET /predict HTTP/1.1\r\n" + upgrade + b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
        )
        assert connection.recv(4096).split()[1] == b"403"
    form = {"Content-Type": "multipart/form-data; boundary=B"}
    for body in (b"--B\r\nContent-\xff: a\r\n\r\nb\r\n--B--\r\n", b"-xB\r\n--B--\r\n", b"--B\r\nfoo\r\n\r\n\r\n--B--"):
        assert client.post("/predict", content=body, headers=form).json()["error"]["reason"] == "bad_form"
    assert server.log.read_text() == before


def test_a_header_without_end_is_cut_off_with_bounded_memory(server: Server) -> None:
    before = max(memory(pid) for pid in processes(server.pid))
    line = b"x: " + b"y" * 1_000_000
    with connect(server) as connection, contextlib.suppress(ConnectionError):
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n")
        for _ in range(20):
            connection.sendall(line)
        assert connection.recv(4096).split()[1] < b"500"
    assert max(memory(pid) for pid in processes(server.pid)) - before < 10_000_000


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


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/predict", 405), ("PUT", "/predict", 405), ("GET", "/no", 404)]
)
def test_other_methods_and_paths_are_4xx(client: httpx.Client, method: str, path: str, status: int) -> None:
    assert client.request(method, path).status_code == status


def test_an_upload_by_a_stream_is_an_ordinary_upload(client: httpx.Client) -> None:
    upload = httpx.Request("POST", "http://a", files={"f": ("a.png", io.BytesIO(GOOD))})
    body = upload.read()
    parts = (body[start : start + 100] for start in range(0, len(body), 100))
    response = client.post("/predict", content=parts, headers={"Content-Type": upload.headers["Content-Type"]})
    assert response.request.headers["Transfer-Encoding"] == "chunked"
    assert response.status_code == 200
