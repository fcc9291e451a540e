"""A table of float16 rows that grows block by block, each with a checksum: what a kill or a bad disk left is found."""

import io
import math
import re
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

BLOCK = 64
"""Rows that are written, checked and lost together."""
DTYPE = np.dtype("<f2")
_ENTRY = re.compile(r"(\d{1,12}) ([0-9a-f]{8})")


class Found(NamedTuple):
    """What lies in a table."""

    whole: tuple[int, ...]
    """Blocks that are as they were written."""
    damaged: tuple[int, ...]
    """Blocks that were written, but are not there or not as they were."""


class Blocks:
    """The .npy file `path` of the given shape; beside it, `.blocks` has number and CRC-32 of each block written.

    A block is in `.blocks` only after its rows are in the file. Rows are written as to any file, not through a memory
    map: on a full disk a map ends the process.
    """

    def __init__(self, path: Path, shape: tuple[int, ...]) -> None:
        self.path, self.shape = path, shape
        self.n_blocks = math.ceil(shape[0] / BLOCK)
        self.n_bytes = math.prod(shape) * DTYPE.itemsize
        self._row_bytes = self.n_bytes // shape[0]
        self._header = _make_header(shape)
        self._journal = path.with_suffix(".blocks")

    def rows(self, block: int) -> range:
        """The rows of a block; the last may be shorter."""
        return range(block * BLOCK, min((block + 1) * BLOCK, self.shape[0]))

    def check(self) -> Found:
        """Reads all that was written and compares its checksums."""
        sums = self._read_journal()
        if not sums or not self.path.exists():
            return Found((), tuple(sorted(sums)))
        whole = []
        with self.path.open("rb") as file:
            header_is_whole = file.read(len(self._header)) == self._header
            for block, expected in sorted(sums.items()):
                rows = self.rows(block)
                file.seek(self._place(rows[0]))
                content = file.read(len(rows) * self._row_bytes)
                if header_is_whole and len(content) == len(rows) * self._row_bytes and zlib.crc32(content) == expected:
                    whole.append(block)
        return Found(tuple(whole), tuple(sorted(sums.keys() - set(whole))))

    def begin(self, whole: Sequence[int]) -> None:
        """Makes ready to write all other blocks than `whole`, which stay."""
        sums = self._read_journal()
        # without what a killed process wrote half, to which the next line would be joined
        kept = self._journal.with_suffix(".new")
        kept.write_text("".join(_line(block, sums[block]) for block in whole))
        kept.replace(self._journal)
        self.path.touch()
        with self.path.open("r+b") as file:
            file.write(self._header)

    def write(self, block: int, values: np.ndarray) -> None:
        """Writes the rows of one block; raises OSError on a full disk, and the block counts as not written."""
        content = values.astype(DTYPE, copy=False).tobytes()
        assert len(content) == len(self.rows(block)) * self._row_bytes
        with self.path.open("r+b") as file:
            file.seek(self._place(self.rows(block)[0]))
            file.write(content)
        with self._journal.open("a") as file:
            file.write(_line(block, zlib.crc32(content)))

    def read(self, rows: list[int]) -> np.ndarray:
        """(len(rows), ...) of a table that may be unfinished; the caller knows that they lie in whole blocks."""
        parts = []
        with self.path.open("rb") as file:
            for row in rows:
                file.seek(self._place(row))
                parts.append(np.frombuffer(file.read(self._row_bytes), DTYPE))
        return np.concatenate(parts).reshape(len(rows), *self.shape[1:])

    def open(self) -> np.ndarray:
        """The whole table as a memory map that cannot be written to."""
        table: np.ndarray = np.load(self.path, mmap_mode="r")
        return table

    def _place(self, row: int) -> int:
        return len(self._header) + row * self._row_bytes

    def _read_journal(self) -> dict[int, int]:
        """Checksum by block; a line that was written half is none."""
        if not self._journal.exists():
            return {}
        entries = (_ENTRY.fullmatch(line) for line in self._journal.read_text("ascii", "replace").splitlines())
        pairs = [(int(entry[1]), int(entry[2], 16)) for entry in entries if entry]
        return {block: checksum for block, checksum in pairs if block < self.n_blocks}


def _line(block: int, checksum: int) -> str:
    return f"{block} {checksum:08x}\n"


def _make_header(shape: tuple[int, ...]) -> bytes:
    content = io.BytesIO()
    np.lib.format.write_array_header_1_0(content, {"descr": DTYPE.str, "fortran_order": False, "shape": shape})
    return content.getvalue()
