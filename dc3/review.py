"""`dc3 review PROPOSALS`: the review page of a folder of proposals, until Ctrl-C; or its answers as a table."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from data.errors import InputError
from web.listening import Listening, find_listening_faults

if TYPE_CHECKING:
    from relabel.review.annotators import Annotators


@dataclass(frozen=True)
class ReviewPageOptions:
    """Starts a page on which annotators judge the proposals, with keys or mouse."""

    proposals: tyro.conf.Positional[Path]
    """Folder that `dc3 propose` wrote."""
    host: str = "127.0.0.1"
    """Address to listen on; one that other machines reach needs --annotators or --insecure."""
    port: int = 3100
    annotators: Path | None = None
    """File with one name a line: each gets a personal link, printed at the start, and sees nobody else's answers.
    Without it the page asks for a name and believes it."""
    verdicts: Path | None = None
    """Journal of all answers, appended to; review.jsonl in the proposal folder unless given."""
    overlap: int = 1
    """Answers wanted for each question, of as many annotators."""
    certain: Literal["single", "grid"] = "single"
    """Judge certain images one by one, comparable with the control arm, or in grids of one class, which is quicker."""
    export: Path | None = None
    """Write the answers so far as a verdict table (.parquet or .csv) and end; the page may be running."""
    insecure: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Let other machines in without personal links."""
    certificate: Path | None = None
    """TLS certificate file (PEM); with --certificate-key."""
    certificate_key: Path | None = None


def main(argv: list[str]) -> int:
    """Parses, then exports or serves; raises InputError with what the user can mend."""
    options = tyro.cli(ReviewPageOptions, args=argv, prog="dc3 review")
    verdicts = options.verdicts or options.proposals / "review.jsonl"
    return _export(options, verdicts, options.export) if options.export else _serve(options, verdicts)


def _export(options: ReviewPageOptions, journal: Path, path: Path) -> int:
    from data.proposals import read_proposal_folder
    from data.verdicts import to_table, write_verdicts
    from relabel.review.table import export_verdicts

    if path.suffix not in (".parquet", ".csv"):
        raise InputError(f"--export must end in .parquet or .csv, it is {path}")
    table = to_table(export_verdicts(read_proposal_folder(options.proposals), journal))
    write_verdicts(table, path)
    print(f"{path}: {len(table)} verdicts of {table['annotator'].nunique()} annotator(s)")
    return 0


def _serve(options: ReviewPageOptions, journal: Path) -> int:
    import uvicorn

    from relabel.review.annotators import Annotators, read_annotators
    from relabel.review.app import create_app
    from relabel.review.desk import Desk, ReviewOptions
    from web.protocol import BoundedProtocol

    faults = _find_faults(options)
    if faults:
        raise InputError("the review cannot start:\n- " + "\n- ".join(faults))
    desk = Desk(ReviewOptions(options.proposals, journal, options.overlap, options.certain))
    annotators = read_annotators(options.annotators, journal) if options.annotators else Annotators({})
    _tell(options, annotators, journal, desk.bundle.about.quality)
    app = create_app(lambda: desk, annotators, options.insecure)
    tls = [str(path) if path else None for path in (options.certificate, options.certificate_key)]
    try:
        uvicorn.run(
            app,
            host=options.host,
            port=options.port,
            ssl_certfile=tls[0],
            ssl_keyfile=tls[1],
            http=BoundedProtocol,
            log_level="warning",
            access_log=False,
            proxy_headers=False,  # who is on this machine must not be said by a header
            server_header=False,
        )
    finally:
        desk.close()
    return 0


def _tell(options: ReviewPageOptions, annotators: "Annotators", journal: Path, quality: tuple[str, ...]) -> None:
    host = f"[{options.host}]" if ":" in options.host else options.host
    url = f"{'https' if options.certificate else 'http'}://{host}:{options.port}/"
    print(f"Review of {options.proposals}, answers in {journal}; Ctrl-C stops it.")
    for sentence in quality or ("How good these proposals are was not recorded; propose anew to have it told.",):
        print(f"  {sentence}")
    for key, name in annotators.names.items():
        print(f"  {name}: {url}#{key}" if name else f"  all answers, for you alone: {url}api/verdicts with key {key}")
    if not annotators.names:
        print(f"  {url}")
    print("", end="", flush=True)


def _find_faults(options: ReviewPageOptions) -> list[str]:
    """Everything that would keep the page from starting, but for the proposals, one text each."""
    faults = []
    if options.overlap < 1:
        faults.append(f"--overlap must be 1 or more, it is {options.overlap}")
    listening = Listening(options.host, options.port, options.certificate, options.certificate_key)
    guarded = options.annotators is not None or options.insecure
    return faults + find_listening_faults(listening, guarded, "name who may answer (--annotators), or say --insecure")
