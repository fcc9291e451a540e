"""`dc3 train`: one training, recorded, with its report and registered model."""

from dataclasses import replace
from typing import TYPE_CHECKING

from dc3.figures import print_figures
from dc3.notices import print_notice
from dc3.options import TrainOptions, parse_options

if TYPE_CHECKING:
    from training.config import Config
    from training.options import By


def main(argv: list[str]) -> int:
    """Trains a new run, goes on with an interrupted one or repeats one."""
    options, preset = parse_options(TrainOptions, argv, "train", "Trains a model on images and votes.")
    from data.errors import InputError
    from training import track
    from training.train import train

    if options.resume and options.repeat:
        raise InputError("--resume goes on with a run, --repeat trains it anew as another run: give one of them.")
    if options.register:
        track.check_model_name(options.register)  # now, not after hours of training
    earlier = options.resume or options.repeat
    config = _recall_config(earlier, options.config, preset=preset) if earlier else options.config
    result = train(
        config,
        name=options.name,
        run_id=options.resume or None,
        repeat=options.repeat or None,
        on_notice=print_notice,
    )
    for line in result.left_out:
        print(f"left out     {line}")
    print_figures(result.metrics)
    print(f"run          {result.run_id}")
    print(f"predictions  {result.predictions}")
    print(f"report       {result.report}")
    if options.register:
        print(f"model        {_register(result.run_id, options.register, options.by)}")
    return 0


def _recall_config(run_id: str, given: "Config", preset: "Config") -> "Config":
    """The configuration of an earlier run; device, execution and places of the data are this machine's.

    Raises InputError for any other option that is given beside --resume or --repeat: the record decides these.
    """
    from dataclasses import asdict

    from data.errors import InputError
    from training import track
    from training.config import flatten

    config = track.load_config(run_id)
    recorded, wanted, unchanged = (flatten(asdict(options)) for options in (config, given, preset))
    own = ("device", "execution", "images", "votes")
    faults = [
        f"{name} = {recorded.get(name)}, not {value}"
        for name, value in wanted.items()
        # options of another source than the recorded one are in one of them alone
        if name not in own and value != unchanged.get(name) and value != recorded.get(name)
    ]
    if faults:
        raise InputError(
            f"Run {run_id} is gone on with, or repeated, by its record:\n- "
            + "\n- ".join(faults)
            + "\nLeave these options out, or train anew without --resume and --repeat."
        )
    data = replace(
        config.data, images=given.data.images or config.data.images, votes=given.data.votes or config.data.votes
    )
    runtime = replace(config.runtime, device=given.runtime.device, execution=given.runtime.execution)
    return replace(config, data=data, runtime=runtime)


def _register(run_id: str, name: str, by: "By") -> str:
    """Exports the run and puts it into the model registry."""
    from serving.export.to_onnx import export
    from training import track

    with track.scratch() as folder:
        path = folder / "model.onnx"
        for note in export(run_id, path).notes:
            print(f"note         {note}")
        version = track.register_onnx(run_id, path, name, by, print_notice)
    return f"models:/{name}/{version}"
