"""`dc3 demo`: the whole road on the embedded digits, each step the command that a user would type."""

import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from data.errors import InputError
from dc3.steps import free_port, run_verb, stop_server, train_run, wait_until_ready

STEPS = 300
TRIALS = 3
TRIAL_STEPS = 100


def main(argv: list[str]) -> int:
    """Trains, tunes a little, trains the tuned point, exports the best run, serves it and asks it for one image."""
    if argv in (["-h"], ["--help"]):
        print(f"usage: dc3 demo\n\n{main.__doc__}\n\nIt takes no options and works in the store's folder.")
        return 0
    if argv:
        raise InputError("dc3 demo takes no options; `dc3 train --help` has them.")
    from training import track
    from tuning.study import TEST_SHARE

    start = time.monotonic()
    folder = track.store() / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    tuned, model = folder / "tuned.toml", folder / "model.onnx"
    # with the test part that tuning sets apart, or the two would be measured on different images
    first = _train("digits", "--test", str(TEST_SHARE))
    short = ("--steps", str(TRIAL_STEPS), "--evaluate-every", str(TRIAL_STEPS))
    study = ("--study", f"demo-{time.time():.0f}", "--output", str(tuned))
    run_verb("tune", "--preset", "digits", "--trials", str(TRIALS), *short, *study)
    second = _train(str(tuned))
    runs = [track.summarise(run) for run in (first, second)]
    best = max(runs, key=lambda summary: summary.metrics["proposals_right"])
    run_verb("export", best.run_id, "--output", str(model))
    answer = _serve_one(model, _write_image(folder / "blend.png"))
    metrics = best.metrics
    rows = {
        "right proposals": f"{metrics['proposals_right']:.4f}",
        "F1 on certain images": f"{metrics['f1']:.4f}",
        "d on ambiguous images": f"{metrics['d']:.4f}",
        "share ambiguous": f"{metrics['ambiguous_share']:.2f}",
        "served answer": _describe(answer),
        "time": f"{time.monotonic() - start:.0f} s",
        "report": track.store() / "work" / best.run_id / "report.html",
        "store": track.store(),
        "model": model,
    }
    print("\n" + "\n".join(f"{name:<24}{value}" for name, value in rows.items()))
    return 0


def _train(preset: str, *options: str) -> str:
    """Returns the id of the run."""
    return train_run("--preset", preset, *options, "--steps", str(STEPS), "--evaluate-every", str(STEPS // 2))


def _write_image(path: Path) -> Path:
    """A blend of two digits, as a file that a client would send."""
    from PIL import Image

    from data.sources.digits import Digits

    source = Digits()
    Image.fromarray(source.read(source.names()[-1])).save(path)
    return path


def _serve_one(model: Path, image: Path) -> dict[str, object]:
    """Starts the real service on a free port, sends one image and stops it again."""
    port = free_port()
    command = [sys.executable, "-m", "dc3", "serve", str(model), "--port", str(port)]
    print(f"\n$ dc3 serve {model} --port {port}", flush=True)
    service = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{port}"
        wait_until_ready(f"{address}/readyz", service, 90, "dc3 serve")
        request = urllib.request.Request(
            f"{address}/predict", data=image.read_bytes(), headers={"Content-Type": "image/png"}
        )
        with urllib.request.urlopen(request, timeout=30) as reply:
            answers: dict[str, list[dict[str, object]]] = json.load(reply)
        return answers["answers"][0]
    finally:
        stop_server(service)


def _describe(answer: dict[str, object]) -> str:
    if answer["decision"] == "class":
        return f"clear, class {answer['class']}, ambiguity {answer['ambiguity']:.2f}"
    return f"ambiguous ({answer['ambiguity']:.2f}), cluster {answer['cluster']}: {answer['cluster_caption']}"
