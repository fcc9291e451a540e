"""What else the running service answers, who gets in, and how it starts and ends."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import httpx
import numpy as np
import pytest
import torch
from PIL import Image

from tests.data.images.test_decoding import encode
from tests.serving.running import CARD, ROOT, Server, TinyPredictor, free_port, make_images, serve
from tests.threads import join_threads, start_thread

pytestmark = pytest.mark.slow
GOOD = encode(Image.fromarray(make_images(1)[0]), "PNG")
COUNTED_AFTER_S = 1.0
"""What one worker tells of the others may be a tenth of a second old (serving.telemetry); ample time for that."""


def test_served_answers_equal_the_network(client: httpx.Client) -> None:
    images = make_images(48, seed=9)
    files = [("images", (f"{place}.png", encode(Image.fromarray(image), "PNG"))) for place, image in enumerate(images)]
    answers = client.post("/predict", files=files).json()["answers"]
    with torch.inference_mode():
        classes, clusters, ambiguity, _ = (
            output.numpy() for output in TinyPredictor().eval()(torch.from_numpy(images))
        )
    found = np.array([[entry["class_probabilities"][name] for name in CARD.classes] for entry in answers])
    assert np.abs(found - classes).max() < 1e-4
    assert np.abs(np.array([entry["ambiguity"] for entry in answers]) - ambiguity).max() < 1e-4
    assert [entry["cluster"] for entry in answers] == clusters.argmax(1).tolist()
    assert [entry["class"] for entry in answers] == [CARD.classes[best] for best in classes.argmax(1)]
    decisions = {entry["decision"] for entry in answers}
    assert decisions == {"class", "cluster"}
    assert [entry["decision"] == "class" for entry in answers] == (ambiguity < 0.5).tolist()


def test_concurrent_requests_share_batches(client: httpx.Client, server: Server) -> None:
    def ask() -> None:
        assert httpx.post(f"{server.url}/predict", files={"f": ("a.png", GOOD)}, timeout=30).status_code == 200

    threads = [start_thread(ask) for _ in range(24)]
    join_threads(*threads, waits_for=server.log.read_text)
    text = client.get("/metrics").text
    runs, images = (read(text, f"dc3_batch_size_{kind}") for kind in ("count", "sum"))
    assert images > runs


def read(text: str, name: str) -> float:
    """One value of Prometheus' text."""
    return next(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.rpartition(" ")[0] == name)


def test_model_tells_what_it_is(client: httpx.Client) -> None:
    document = client.get("/model").json()
    assert document["classes"] == list(CARD.classes)
    assert [entry["caption"] for entry in document["clusters"]] == list(CARD.captions)
    assert (document["run_id"], document["fingerprint"]) == (CARD.run_id, "f00d")
    assert (document["input_size"], document["metrics"]) == (16, {"f1": 0.75})
    assert document["quality"]["words"] == ["How good this model is was not measured."]
    answer = client.post("/predict", content=GOOD).json()
    assert answer["model_version"] == document["model_version"] == answer["answers"][0]["model_version"]


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/healthz", "/metrics", "/openapi.json", "/docs.json", "/"])
def test_the_service_s_own_paths_answer(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 200


def test_metrics_count_classes_ambiguity_refusals_and_latency(client: httpx.Client) -> None:
    def counts() -> list[float]:
        text = client.get("/metrics").text
        names = ["dc3_ambiguity_count", "dc3_request_seconds_count", 'dc3_refused_total{reason="not_an_image"}']
        classes = [line for line in text.splitlines() if line.startswith("dc3_predictions_total{")]
        return [*(read(text, name) for name in names), sum(float(line.rpartition(" ")[2]) for line in classes)]

    client.post("/predict", files=[("f", ("a", GOOD)), ("f", ("b", b"text"))])
    before = counts()
    client.post("/predict", files=[("f", ("a", GOOD)), ("f", ("b", b"text"))])
    assert [after - one for after, one in zip(counts(), before, strict=True)] == [1, 1, 1, 1]


def test_no_client_can_grow_the_metrics(client: httpx.Client) -> None:
    client.get("/metrics")
    size = len(client.get("/metrics").content)
    for number in range(50):
        client.get(f"/path-{number}")
    assert len(client.get("/metrics").content) <= size + 10


def test_openapi_describes_the_answer_that_comes(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    schemas = document["components"]["schemas"]
    answer = client.post("/predict", files=[("f", ("a", GOOD)), ("f", ("b", b"text"))]).json()
    assert set(answer) == set(schemas["Predictions"]["required"])
    for entry in answer["answers"]:
        assert set(entry) == set(schemas["Answer"]["required"]) == set(schemas["Answer"]["properties"])
    assert set(client.get("/model").json()) == set(schemas["Model"]["properties"])
    bodies = document["paths"]["/predict"]["post"]["requestBody"]["content"]
    assert {"multipart/form-data", "application/json"} < set(bodies)


def test_the_page_needs_nothing_from_elsewhere(client: httpx.Client) -> None:
    page = client.get("/").text
    assert 'lang="en"' in page
    for name in ("style.css", "page.js"):
        assert f"page/{name}" in page
        text = client.get(f"/page/{name}").text
        assert "http://" not in text
        assert "https://" not in text
    assert "default-src 'self'" in client.get("/").headers["content-security-policy"]


def test_the_service_runs_without_the_libraries_of_training(server: Server) -> None:
    maps = [Path(f"/proc/{pid}/maps").read_text() for pid in workers(server.pid)]
    assert maps
    assert any("onnxruntime" in text for text in maps)
    assert not any("libtorch" in text for text in maps)


def workers(parent: int) -> list[int]:
    """The processes below a process."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [pid for child in children for pid in (int(child), *workers(int(child)))]


def test_keys_let_in_and_keep_out(model_path: Path, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text("first-key\nsecond-key\n")
    options = ("--host", "127.0.0.1", "--api-keys-file", str(keys))
    with (
        serve(model_path, tmp_path / "server", *options, DC3_API_KEYS="third-key") as server,
        httpx.Client(base_url=server.url) as client,
    ):

        def status(**headers: str) -> int:
            return client.post("/predict", content=GOOD, headers=headers).status_code

        for key in ("first-key", "second-key", "third-key"):
            assert status(authorization=f"Bearer {key}") == 200
            assert status(**{"x-api-key": key}) == 200
        refused = client.post("/predict", content=GOOD)
        assert refused.status_code == 401
        assert refused.json()["error"]["reason"] == "no_key"
        for wrong in (b"Bearer first-ke", b"Bearer first-key2", b"Bearer", b"Basic first-key", "Bearer é".encode()):
            assert client.post("/predict", content=GOOD, headers=[(b"authorization", wrong)]).status_code == 401
        assert client.get("/metrics").status_code == client.get("/model").status_code == 401
        assert client.get("/livez").status_code == client.get("/readyz").status_code == 200
        assert client.get("/").status_code == client.get("/page/page.js").status_code == 200
        keys.write_text("fourth-key\n")
        assert status(authorization="Bearer first-key") == 401
        assert status(authorization="Bearer fourth-key") == 200
        keys.unlink()
        assert status() == status(authorization="Bearer fourth-key") == 503
        log = server.log.read_text()
        assert "-key" not in log.replace("--api-keys-file", "").replace("first-key2", "")


def test_a_file_of_keys_that_was_emptied_lets_no_one_in(model_path: Path, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text("a-key\n")
    with (
        serve(model_path, tmp_path / "server", "--api-keys-file", str(keys)) as server,
        httpx.Client(base_url=server.url) as client,
    ):

        def ask(**headers: str) -> tuple[int, str | None]:
            response = client.post("/predict", content=GOOD, headers=headers)
            return response.status_code, (response.json()["error"] or {}).get("reason")

        keys.write_text("")
        assert ask() == ask(authorization="Bearer a-key") == (503, "no_keys")
        keys.write_text("another-key\n")
        assert ask(authorization="Bearer another-key") == (200, None)
        assert "must have one API key a line, it has none; no one is let in" in server.log.read_text()


def test_tls_by_certificate_files(model_path: Path, tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subject = ["-subj", "/CN=localhost", "-days", "1", "-newkey", "rsa:2048"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(["openssl", "req", "-x509", "-nodes", *subject, *files], check=True, capture_output=True, timeout=60)
    options = ("--certificate", str(certificate), "--certificate-key", str(key))
    with serve(model_path, tmp_path / "server", *options) as server, httpx.Client(verify=False) as client:
        assert server.url.startswith("https")
        assert client.post(f"{server.url}/predict", content=GOOD).status_code == 200


def start(*options: str) -> tuple[int, str]:
    """Exit code and messages of a `dc3 serve` that must not start."""
    command = [sys.executable, "-m", "dc3.serve", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stderr


def test_faults_are_all_told_before_the_start(server: Server, tmp_path: Path) -> None:
    taken = server.url.rpartition(":")[2]
    code, text = start(str(tmp_path / "absent.onnx"), "--port", taken, "--certificate", "c.pem", "--workers", "0")
    assert code == 2
    for part in ("absent.onnx cannot be read", f"port {taken}", "--certificate-key", "--workers must be 1"):
        assert part in text


def test_other_machines_need_a_key_or_the_owner_s_word(model_path: Path) -> None:
    code, text = start(str(model_path), "--host", "0.0.0.0", "--port", str(free_port()))
    assert code == 2
    assert "--insecure" in text
    code, text = start(str(model_path), "--host", "my-machine")
    assert code == 2
    assert "must be an IP address" in text


def test_sigterm_finishes_what_is_in_flight(model_path: Path, tmp_path: Path) -> None:
    with serve(model_path, tmp_path / "server") as server:
        host, port = server.url.removeprefix("http://").split(":")
        with closing(http.client.HTTPConnection(host, int(port), timeout=30)) as connection:
            connection.putrequest("POST", "/predict")
            connection.putheader("Content-Length", str(len(GOOD)))
            connection.endheaders()
            connection.send(GOOD[:50])
            time.sleep(0.2)
            os.kill(server.pid, signal.SIGTERM)
            time.sleep(0.5)
            connection.send(GOOD[50:])
            with connection.getresponse() as response:
                assert response.status == 200
                assert json.loads(response.read())["answers"][0]["error"] is None


def test_a_killed_worker_is_replaced_and_two_share_the_metrics(model_path: Path, tmp_path: Path) -> None:
    with serve(model_path, tmp_path / "server", "--workers", "2") as server:
        for _ in range(20):
            assert httpx.post(f"{server.url}/predict", content=GOOD).status_code == 200
        time.sleep(COUNTED_AFTER_S)
        assert read(httpx.get(f"{server.url}/metrics").text, "dc3_ambiguity_count") == 20
        victims = [pid for pid in workers(server.pid) if "_bentoml_impl.worker" in command_line(pid)]
        assert len(victims) == 2
        for victim in victims:
            os.kill(victim, signal.SIGKILL)
        for _ in range(150):
            try:
                if httpx.post(f"{server.url}/predict", content=GOOD, timeout=20).status_code == 200:
                    return
            except httpx.HTTPError:
                time.sleep(0.1)
        pytest.fail("no worker came back")


def command_line(pid: int) -> str:
    """A process's arguments."""
    return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
