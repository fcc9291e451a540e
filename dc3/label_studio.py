"""`dc3 label-studio push|pull|start`: proposals to Label Studio, answers back, and a server to try it on."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from data.errors import InputError
from dc3.notices import print_notice

if TYPE_CHECKING:
    from data.proposals import ProposalFolder
    from relabel.label_studio.image_links import Links
    from relabel.label_studio.push import Pushed

_MOST_NAMED = 10


@dataclass(frozen=True)
class PushCommand:
    """Makes three projects: single images, clusters, and the control arm without proposals.

    Push again when it broke off, and after answers came in: what is there is kept, and images that annotators sent back
    from clusters are queued singly."""

    proposals: tyro.conf.Positional[Path]
    """Folder that `dc3 propose` wrote."""
    url: str = "http://127.0.0.1:8080"
    """Address of Label Studio."""
    token_file: Path | None = None
    """File with the token; without it the environment variable LABEL_STUDIO_TOKEN is used."""
    project_title: str = "DC3 round"
    """Begins the projects' titles; the round's number follows."""
    overlap: int = 1
    """Annotators an image or cluster; two or more tell how far annotators agree."""
    local_files: Path | None = None
    """Folder that Label Studio serves, its LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT; the proposals lie below it. Unless
    given: the folder that the proposals lie in, as `dc3 label-studio start` has it."""
    local_files_on_server: str = ""
    """The same folder as the server names it, where that differs (Label Studio in a container)."""
    images_url: str = ""
    """Address that the images/ folder is served at, by a server that sends CORS headers, instead of local files."""


@dataclass(frozen=True)
class PullCommand:
    """Writes the answers given so far as one verdict table."""

    proposals: tyro.conf.Positional[Path]
    """Folder that was pushed."""
    url: str = "http://127.0.0.1:8080"
    """Address of Label Studio."""
    token_file: Path | None = None
    """File with the token; without it the environment variable LABEL_STUDIO_TOKEN is used."""
    output: Path = Path("verdicts.parquet")
    """Table to write, .parquet or .csv."""


@dataclass(frozen=True)
class StartCommand:
    """Starts Label Studio, installed in an environment of its own, for this machine alone; Ctrl-C stops it."""

    proposals: tyro.conf.Positional[Path]
    """Folder that `dc3 propose` wrote; the folder it lies in is served, so that later rounds can lie beside it."""
    data_dir: Path = Path("label-studio-data")
    """Its database, and the first user's password and token."""
    port: int = 8080
    username: str = "dc3@localhost.localdomain"
    """The first user, an e-mail address by form."""
    program: str = "label-studio"
    """Label Studio's command, by name or path."""
    install: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Use a Label Studio in an environment of its own, in the cache folder (DC3_CACHE, else .cache/dc3 at home), and
    install it there first unless it is there: 1 GB, about a minute."""


Command = (
    Annotated[PushCommand, tyro.conf.subcommand("push")]
    | Annotated[PullCommand, tyro.conf.subcommand("pull")]
    | Annotated[StartCommand, tyro.conf.subcommand("start")]
)


def main(argv: list[str]) -> int:
    """Parses and runs one of the three."""
    command: PushCommand | PullCommand | StartCommand = tyro.cli(Command, args=argv, prog="dc3 label-studio")
    if isinstance(command, PushCommand):
        return _push(command)
    return _pull(command) if isinstance(command, PullCommand) else _start(command)


def _push(command: PushCommand) -> int:
    from data.proposals import read_proposal_folder
    from relabel.label_studio.client import Client
    from relabel.label_studio.push import PushOptions, push
    from relabel.label_studio.token import read_token

    bundle = read_proposal_folder(command.proposals)
    options = PushOptions(_choose_links(command, bundle), command.project_title, command.overlap)
    with Client(command.url, read_token(command.token_file)) as client:
        push(client, bundle, options, _print_pushed)
    print("Annotators: invite them in Label Studio under Organization. Their answers: dc3 label-studio pull")
    return 0


def _choose_links(command: PushCommand, bundle: "ProposalFolder") -> "Links":
    from relabel.label_studio.image_links import link_local, link_web

    if command.images_url:
        if command.local_files or command.local_files_on_server:
            raise InputError("--images-url and --local-files exclude each other: the images are at one place.")
        return link_web(command.images_url)
    root = command.local_files or bundle.folder.resolve().parent
    return link_local(bundle, root, command.local_files_on_server)


def _print_pushed(pushed: "Pushed") -> None:
    tasks = pushed.tasks
    print(f"{pushed.project.title}: {tasks.added} task(s) added, {tasks.there} were there; {pushed.url}")
    if tasks.removed:
        print(f"  {tasks.removed} unanswered copies removed")
    if tasks.stale:
        from data.errors import name_some

        print(
            f"  {len(tasks.stale)} task(s) stay as they were pushed, clusters.csv was edited since; to push them anew, "
            f"delete them in Label Studio: {name_some(tasks.stale, _MOST_NAMED)}"
        )


def _pull(command: PullCommand) -> int:
    from data.proposals import read_proposal_folder
    from data.verdicts import write_verdicts
    from relabel.label_studio.client import Client
    from relabel.label_studio.pull import pull
    from relabel.label_studio.token import read_token

    if command.output.suffix not in (".parquet", ".csv"):
        raise InputError(f"--output must end in .parquet or .csv, it is {command.output}.")
    bundle = read_proposal_folder(command.proposals)
    with Client(command.url, read_token(command.token_file)) as client:
        pulled = pull(client, bundle)
    write_verdicts(pulled.verdicts, command.output)
    table = pulled.verdicts
    counts = ", ".join(f"{count} {outcome}" for outcome, count in table["outcome"].value_counts().items())
    annotators = table["annotator"].nunique()
    print(f"{command.output}: {len(table)} verdicts of {annotators} annotator(s): {counts or 'nobody answered yet'}")
    for text in pulled.left_out:
        print(f"  left out: {text}")
    if pulled.queued:
        print(f"{len(pulled.queued)} image(s) came back from clusters; dc3 label-studio push queues them singly")
    print("seconds are wall clock from opening a page to submitting it, pauses included")
    return 0


def _start(command: StartCommand) -> int:
    from data.proposals import read_proposal_folder
    from relabel.label_studio.install import install
    from relabel.label_studio.start import PASSWORD, TOKEN, StartOptions, plan_start

    folder = read_proposal_folder(command.proposals).folder.resolve()
    program = str(install(on_notice=print_notice)) if command.install else command.program
    start = plan_start(StartOptions(folder.parent, command.data_dir, command.port, command.username, program))
    print(f"Label Studio at {start.url}, its first start takes a minute; Ctrl-C stops it.")
    print(f"Log in as {command.username} with the password in {command.data_dir / PASSWORD}")
    token = command.data_dir / TOKEN
    print(f"Then: dc3 label-studio push {command.proposals} --url {start.url} --token-file {token}", flush=True)
    os.execve(start.command[0], start.command, start.environment)
