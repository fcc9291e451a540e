"""`dc3 relabel-demo`: one round of relabelling on CIFAR-10H, each step the command that a user would type.

The votes are real, the images are real, Label Studio is real; the annotators are scripts that draw their answers from
the real votes and may give in to a proposal (`relabel.simulate.annotators`). A simulation of people.
"""

import shlex
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
import tyro

from data.errors import InputError
from dc3.notices import print_notice
from dc3.steps import free_port, run_verb, stop_server, train_run, wait_until_ready
from relabel.simulate.annotators import AnnotatorModel, TimeModel

if TYPE_CHECKING:
    import pandas as pd

TRAINING = ("--preset", "features", "--size", "32", "--register", "")
"""What a lab gets without further options (method, variant, sorting, votes used), stored as small as the images are."""
OWNER = "owner@example.org"


@dataclass(frozen=True)
class RelabelDemoOptions:
    """One round of relabelling on CIFAR-10H through a real Label Studio. The annotators are scripts: a simulation."""

    data: Path = Path("../shared/data/cifar10h")
    """Folder with images.zip and votes.csv (image, label, votes)."""
    output: Path | None = None
    """New folder for all that is made; unless given, one named by the time below the store."""
    program: str = ""
    """Label Studio's command; unless given, 1.23.2 is installed into an environment of its own (1 GB, minutes)."""
    images: int = 2500
    """Images of the lab, drawn at random; CIFAR-10H's other images are not used."""
    voted: int = 1500
    """Of these, the images that the lab has votes on at the start."""
    votes_each: int = 3
    """Votes on each of them."""
    control: float = 0.2
    """Share of the relabelled images without a proposal."""
    annotators: int = 2
    """Each judges every image."""
    steps: int | None = None
    """Of each training; unless given, those of the preset."""
    anyway: bool = False
    """Go on with proposals that are no better than the commonest class, as after very few steps."""
    seed: int = 0
    annotator: AnnotatorModel = field(default_factory=AnnotatorModel)
    times: TimeModel = field(default_factory=TimeModel)


def main(argv: list[str]) -> int:
    """Trains, proposes, pushes, answers, pulls, merges, measures, and trains again."""
    options = tyro.cli(RelabelDemoOptions, args=argv, prog="dc3 relabel-demo", config=(tyro.conf.OmitArgPrefixes,))
    from data.votes.reader import read_votes

    archive, votes = options.data / "images.zip", options.data / "votes.csv"
    if not archive.is_file() or not votes.is_file():
        raise InputError(
            f"No images.zip and votes.csv in {options.data}: --data names the folder of CIFAR-10H as files."
        )
    start = time.monotonic()
    folder = options.output or _name_folder()
    real = read_votes(votes).rows
    _make_lab(options, folder, archive, real)

    short = ("--steps", str(options.steps), "--evaluate-every", str(options.steps)) if options.steps else ()
    train = (*TRAINING, "--images", str(folder / "images"), *short)
    before = train_run(*train, "--votes", str(folder / "votes.csv"), "--name", "before relabelling")
    proposals, verdicts = folder / "round_1", folder / "verdicts.parquet"
    control = ("--control", str(options.control), "--seed", str(options.seed))
    run_verb("propose", before, "--output", str(proposals), *control, *(("--anyway",) if options.anyway else ()))
    _annotate(options, folder, proposals, verdicts, votes)
    merged = folder / "round_2"
    run_verb("merge", str(proposals), str(verdicts), "--votes", str(folder / "votes.csv"), "--output", str(merged))
    run_verb("agree", str(verdicts), "--truth", str(votes), "--output", str(folder / "agreement"))
    after = train_run(*train, "--votes", str(merged / "votes.parquet"), "--name", "after relabelling")
    table = _compare(before, after, folder, archive, votes)
    table.to_csv(folder / "gain.csv", index=False)
    print(f"\n{table.to_string(index=False, float_format='{:.4f}'.format)}")
    print("Measured against all real votes. The annotators were scripts that draw from them: a simulation of people.")
    print(f"{'agreement':<13}{folder / 'agreement' / 'agreement.html'}\n{'table':<13}{folder / 'gain.csv'}")
    print(f"{'time':<13}{time.monotonic() - start:.0f} s")
    return 0


def _name_folder() -> Path:
    from training import track

    return track.store() / "relabel-demo" / time.strftime("%Y-%m-%d-%H%M%S")


def _make_lab(options: RelabelDemoOptions, folder: Path, archive: Path, real: "pd.DataFrame") -> None:
    """Writes the lab's images and its first votes into a new folder."""
    from relabel.simulate.first_votes import draw_first_votes

    names = np.sort(real["image"].unique())
    if not 0 < options.voted <= options.images <= len(names):
        raise InputError(
            f"0 < --voted <= --images <= {len(names)} must hold; they are {options.voted} and {options.images}."
        )
    if folder.exists() and any(folder.iterdir()):
        raise InputError(f"--output {folder} is not empty; name a new folder.")
    (folder / "images").mkdir(parents=True)
    generator = np.random.default_rng(options.seed)
    chosen = generator.choice(names, options.images, replace=False)
    with zipfile.ZipFile(archive) as files:
        paths = {PurePosixPath(path).name: path for path in files.namelist()}
        for name in chosen:
            (folder / "images" / name).write_bytes(files.read(paths[name]))
    first = draw_first_votes(real[real["image"].isin(chosen)], options.voted, options.votes_each, generator)
    first.to_csv(folder / "votes.csv", index=False)


def _compare(before: str, after: str, folder: Path, archive: Path, votes: Path) -> "pd.DataFrame":
    """One row a figure, before and after the round."""
    import pandas as pd

    from data.ingest import ingest
    from data.sources.folder import Folder
    from data.verdicts import read_verdicts
    from data.votes.reader import read_votes
    from relabel.simulate.gain import label_gain
    from training import track
    from training.evaluate.gain import model_gain
    from training.predict_others import predict_others
    from training.train import load_run

    first, merged = read_votes(folder / "votes.csv").rows, read_votes(folder / "round_2" / "votes.parquet").rows
    labels = label_gain(first, merged, read_verdicts(folder / "verdicts.parquet"), read_votes(votes).rows)
    old, new = (load_run(run) for run in (before, after))
    source, size = Folder(archive, votes), old.config.data.size
    everything = ingest(source, size, track.store() / "data", reading=old.data.reading)
    first_said, then_said = (predict_others(run, everything) for run in (old, new))
    models = model_gain(first_said, then_said, old.predictor.ambiguity_aware)
    return pd.DataFrame([*labels, *models], columns=["figure", "before", "after"])


def _annotate(options: RelabelDemoOptions, folder: Path, proposals: Path, verdicts: Path, votes: Path) -> None:
    """Push, answer, pull; push and answer again what came back from clusters; pull all."""
    from data.proposals import read_proposal_folder
    from data.votes.reader import read_votes
    from relabel.label_studio.client import Client
    from relabel.label_studio.people import log_in, sign_up
    from relabel.label_studio.projects import find_projects
    from relabel.label_studio.start import PASSWORD, TOKEN
    from relabel.label_studio.token import read_token
    from relabel.simulate.play import read_truth
    from relabel.simulate.through_label_studio import ScriptedAnnotator, answer_all

    bundle = read_proposal_folder(proposals)
    truth = read_truth(bundle, read_votes(votes).rows)
    truths = dict(zip(bundle.proposals["image"], truth, strict=True))
    with _label_studio(options, folder, proposals) as (url, data):
        server = ("--url", url, "--token-file", str(data / TOKEN))
        push = ("label-studio", "push", str(proposals), *server, "--overlap", str(options.annotators))
        run_verb(*push)
        projects = list(find_projects(Client(url, read_token(data / TOKEN)), bundle).values())
        owner = log_in(url, OWNER, (data / PASSWORD).read_text().strip())
        people = [
            (
                sign_up(url, owner, f"simulated-{number}@example.org", "a password"),
                ScriptedAnnotator(truths, bundle.about.classes, options.annotator, options.times),
                np.random.default_rng((options.seed, number)),
            )
            for number in range(1, options.annotators + 1)
        ]
        for _ in range(2):
            counts = [answer_all(session, projects, one, generator) for session, one, generator in people]
            print(f"scripted annotators answered {' + '.join(str(count) for count in counts)} tasks", flush=True)
            run_verb("label-studio", "pull", str(proposals), *server, "--output", str(verdicts))
            run_verb(*push)


@contextmanager
def _label_studio(options: RelabelDemoOptions, folder: Path, proposals: Path) -> Iterator[tuple[str, Path]]:
    """Address and data folder of a new Label Studio, which stops with the block."""
    from relabel.label_studio.install import install

    program = options.program or str(install(on_notice=print_notice))
    port, data = free_port(), folder / "label-studio"
    arguments = ["label-studio", "start", str(proposals), "--data-dir", str(data), "--port", str(port)]
    print(f"\n$ dc3 {shlex.join(arguments)} --program {program}", flush=True)
    url = f"http://127.0.0.1:{port}"
    with (folder / "label-studio.log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "dc3", *arguments, "--program", program, "--username", OWNER],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_until_ready(f"{url}/health", server, 300, f"dc3 label-studio start; its log is {log.name}")
            yield url, data
        finally:
            stop_server(server)
