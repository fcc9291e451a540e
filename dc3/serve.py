"""`dc3 serve MODEL`: the service around an exported or registered model, until Ctrl-C or SIGTERM."""

import contextlib
import dataclasses
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from serving.live.registry import RegistryCopy, follow
from serving.settings import Settings, read_settings
from web.listening import Listening, find_listening_faults

if TYPE_CHECKING:
    from training import track

REGISTRY = "models:/"
_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"


@dataclass(frozen=True)
class ServeOptions:
    """Serves a model over HTTP: a page at /, images to POST /predict."""

    model: tyro.conf.Positional[str]
    """File written by `dc3 export`, which may be replaced while it is served; or a model of the MLflow registry:
    models:/NAME/VERSION, or models:/NAME@champion to serve whatever version carries the alias."""
    host: str = "127.0.0.1"
    """Address to listen on; one that other machines reach needs API keys or --insecure."""
    port: int = 3000
    workers: int = 1
    """Processes."""
    threads: int = 0
    """onnxruntime's threads in a process; 0 shares the cores out among the workers."""
    api_keys_file: Path | None = None
    """File with one API key a line, read anew when it changes. Keys may also stand in the environment variable
    DC3_API_KEYS, separated by commas."""
    insecure: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Answer other machines without a key."""
    certificate: Path | None = None
    """TLS certificate file (PEM); with --certificate-key."""
    certificate_key: Path | None = None


def main(argv: list[str]) -> int:
    """Parses, checks all that can be checked before the start, and serves."""
    options = tyro.cli(ServeOptions, args=argv, prog="dc3 serve")
    # A home of its own: BentoML empties the metrics folder in it, which would be another server's.
    with tempfile.TemporaryDirectory(prefix="dc3-serve-") as home:
        registered = options.model.startswith(REGISTRY)
        path = Path(home) / "model.onnx" if registered else Path(options.model).resolve()
        copy = None
        faults = []
        try:
            settings = _settings(options, path)
            if registered:
                copy = _fetch_registered(options.model, path)
            faults += find_faults(options, settings)
        except (ValueError, ImportError, OSError) as error:
            faults.append(str(error))
        if faults:
            print("\n".join(f"dc3 serve: {fault}" for fault in faults), file=sys.stderr)
            return 2
        url = f"{'https' if options.certificate else 'http'}://{options.host}:{options.port}/"
        print(
            f"Serving {options.model} at {url} (page), {url}predict, {url}openapi.json; Ctrl-C stops it.",
            flush=True,
        )
        environment = {
            **os.environ,
            **settings.to_environment(),
            "BENTOML_HOME": home,
        }
        with follow(copy, settings.reload_s) if copy else contextlib.nullcontext():
            return _run(_command(options, settings), environment)


def _fetch_registered(uri: str, path: Path) -> "RegistryCopy[track.RegisteredModel]":
    """Puts the registry's model at `path`, to be kept up to date; raises ValueError or ImportError with the remedy."""
    try:
        from training import track
    except ImportError as error:
        raise ImportError(
            f"{uri} needs MLflow and the training code ({error}); here serve a file that `dc3 export` wrote"
        ) from error

    def fetch(found: track.RegisteredModel, folder: Path) -> Path:
        print(f"Fetching {found.uri}", flush=True)
        return track.fetch_model(found, folder)

    copy = RegistryCopy(path, lambda: track.resolve_model(uri), fetch, _load)
    copy.update()
    return copy


def _load(path: Path) -> None:
    """Raises card.BadModel when the file cannot be served."""
    from serving.model.session import Model

    Model(path, threads=1, providers=("CPUExecutionProvider",)).warm_up()


def _settings(options: ServeOptions, model: Path) -> Settings:
    """The options, and the limits that DC3_... variables of the environment set."""
    return dataclasses.replace(
        read_settings(),
        model=model,
        workers=options.workers,
        threads=options.threads,
        api_keys_file=str(options.api_keys_file.resolve()) if options.api_keys_file else "",
        insecure=options.insecure,
    )


def find_faults(options: ServeOptions, settings: Settings) -> list[str]:
    """Everything that would keep the service from starting, one text each."""
    from serving.model.card import BadModel
    from web.keys import BadKeys, read_keys

    faults = []
    try:
        _load(settings.model)
    except BadModel as error:
        faults.append(str(error))
    try:
        keys = read_keys(settings.api_keys_file).current()
    except BadKeys as error:
        keys = ()
        faults.append(str(error))
    faults += settings.find_faults()
    listening = Listening(options.host, options.port, options.certificate, options.certificate_key)
    remedy = "set API keys (--api-keys-file or DC3_API_KEYS), or say --insecure to let in anyone"
    return faults + find_listening_faults(listening, bool(keys) or settings.insecure, remedy)


def _command(options: ServeOptions, settings: Settings) -> list[str]:
    import serving

    command = [sys.executable, "-m", "bentoml", "serve", "serving.service:service"]
    command += ["--working-dir", str(Path(serving.__path__[0]).parent)]
    command += ["--host", options.host, "--port", str(options.port)]
    command += [
        "--timeout-graceful-shutdown",
        str(int(settings.body_timeout_s + 2 * settings.answer_timeout_s)),
    ]
    if options.certificate and options.certificate_key:
        command += ["--ssl-certfile", str(options.certificate.resolve())]
        command += ["--ssl-keyfile", str(options.certificate_key.resolve()), "--ssl-ciphers", _CIPHERS]
    return command


def _run(command: list[str], environment: dict[str, str]) -> int:
    """Runs BentoML until it ends; a signal to this process ends it in order, with 0."""
    asked = False
    server = subprocess.Popen(command, env=environment)

    def stop(number: int, _: object) -> None:
        nonlocal asked
        asked = True
        # The terminal sends Ctrl-C to the whole group itself; a second signal would cut short what is in flight.
        if number == signal.SIGTERM:
            server.terminate()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        code = server.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return 0 if asked else code


if __name__ == "__main__":  # the serving image has this module, not the verbs that need training
    sys.exit(main(sys.argv[1:]))
