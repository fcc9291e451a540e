"""Where a command writes: a folder that is there, or can be made."""

from pathlib import Path

from data.errors import InputError


def refuse_file_as_folder(folder: Path, option: str = "--output") -> None:
    """Raises InputError where the folder that an option needs, or one above it, is a file."""
    taken = next((path for path in (folder, *folder.parents) if path.exists()), folder)
    if taken.exists() and not taken.is_dir():
        raise InputError(f"{option} must be, or lie in, a folder; {taken} is a file: give another {option}.")
