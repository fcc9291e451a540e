"""`dc3 VERB ...`: finds the verb's module and imports only that."""

import difflib
import importlib
import os
import sys

from data.errors import InputError

VERBS = {
    "data": "check: what DC3 understands of images and votes, and whether they can be trained on",
    "votes": "reads votes in any form and writes them as one table",
    "train": "trains a model: clear or ambiguous, class, cluster",
    "sort": "gives a finished run another sorting: what is certain, and which cluster",
    "compare": "trains methods and variants side by side, and prints the paper's table",
    "tune": "searches prior and loss weights (Optuna)",
    "networks": "lists what --network takes, with size and licence of the weights",
    "export": "writes a run's model as one ONNX file",
    "predict": "predicts images into a table, without a server",
    "serve": "answers predictions over HTTP",
    "demo": "the whole road on embedded data, in minutes",
    "propose": "writes a run's proposals for annotators into a folder",
    "label-studio": "pushes proposals to Label Studio and pulls the answers back",
    "review": "starts the review page on a folder of proposals",
    "merge": "joins answers with the votes of before: the next round's votes",
    "agree": "measures the agreement of votes; of answers also time and the proposals' effect",
    "soft-labels": "estimates soft labels from few votes",
    "simulate-annotation": "plays annotators of known behaviour: a simulation",
    "relabel-demo": "one round of relabelling on CIFAR-10H through a real Label Studio",
}
TAKEN_ONCE = {
    "--votes": "join the tables by `dc3 votes TABLE TABLE --output votes.parquet` and name that one",
    "--images": "name one folder that holds all images, or links to them",
    "--ignore-labels": "name all labels in one, with commas between",
    "--groups": "name one column or one table",
    "--split": "name one table",
}


def main(argv: list[str] | None = None) -> int:
    """Runs one verb; a fault that the user can mend ends in its message and exit status 2."""
    argv = sys.argv[1:] if argv is None else argv
    try:
        try:
            return _run(argv)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:  # `dc3 train --help | head`: nobody reads on
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # where the interpreter's own flush ends
        return 1
    except (InputError, OSError) as error:  # OSError: a full disk, no permission, a name that is too long
        print(f"dc3 {argv[0]}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _run(argv: list[str]) -> int:
    if not argv or argv[0] in ("-h", "--help"):
        print("usage: dc3 VERB [options]; `dc3 VERB --help` lists them\n")
        print("\n".join(f"  {verb:<19} {meaning}" for verb, meaning in VERBS.items()))
        return 0 if argv else 2
    verb = argv[0]
    if verb not in VERBS:
        close = difflib.get_close_matches(verb, VERBS, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        print(f"dc3: no verb {verb!r}, known are {', '.join(VERBS)}{hint}", file=sys.stderr)
        return 2
    for argument in argv:
        if any("\ud800" <= letter <= "\udfff" for letter in argument):  # so arrive bytes that are no UTF-8
            raise InputError(f"{argument!r} is not in UTF-8 and could not be recorded; rename it.")
    _refuse_twice(argv)
    return int(importlib.import_module(f"dc3.{verb.replace('-', '_')}").main(argv[1:]))


def _refuse_twice(argv: list[str]) -> None:
    """Raises InputError where data are named twice: the parser would take the last and drop the others silently."""
    flags = [argument.split("=")[0] for argument in argv]
    for flag, advice in TAKEN_ONCE.items():
        if flags.count(flag) > 1:
            raise InputError(f"{flag} is given {flags.count(flag)} times, and only the last would count: {advice}.")


if __name__ == "__main__":
    sys.exit(main())
