"""Names the image formats that are not read, by their first bytes, so that a message can say what to do."""

_MAGIC = {
    b"\x00\x00\x00\x0cjP  ": "JPEG 2000",
    b"\xff\x4f\xff\x51": "JPEG 2000",
    b"\x00\x00\x00\x0cJXL ": "JPEG XL",
    b"\xff\x0a": "JPEG XL",
    b"8BPS": "Photoshop",
    b"SIMPLE  =": "FITS",
    b"\x76\x2f\x31\x01": "OpenEXR",
    b"\x89HDF": "HDF5",
    b"%PDF": "PDF",
}
_HEIF = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx")
_N_BYTES = 132


def name_format(start: bytes) -> str | None:
    """The format of a file that begins so, where it is one that holds pictures and is not read here."""
    for magic, name in _MAGIC.items():
        if start.startswith(magic):
            return name
    if start[4:8] == b"ftyp" and any(brand in start[8:64] for brand in _HEIF):
        return "HEIC"
    return "DICOM" if start[128:_N_BYTES] == b"DICM" else None
