"""Where a server listens: all that would keep it from its address, told before it starts."""

import ipaddress
import socket
from pathlib import Path
from typing import NamedTuple


class Listening(NamedTuple):
    """An address, and the certificate that is shown there."""

    host: str
    port: int
    certificate: Path | None
    """TLS certificate file (PEM), with its key; both or none."""
    certificate_key: Path | None


def find_listening_faults(listening: Listening, guarded: bool, remedy: str) -> list[str]:
    """One text a fault.

    Args:
        guarded: whether other machines may be let in.
        remedy: what to do about it where they would be and may not.
    """
    files = (listening.certificate, listening.certificate_key)
    faults = []
    if None in files and any(files):
        faults.append("--certificate and --certificate-key must both be given, or none")
    faults += [f"there is no file {path}" for path in files if path and not path.is_file()]
    try:
        address = ipaddress.ip_address(listening.host)
    except ValueError:
        return [*faults, f"--host must be an IP address such as 127.0.0.1 or 0.0.0.0, it is {listening.host!r}"]
    if not address.is_loopback and not guarded:
        return [*faults, f"--host {listening.host} lets other machines in: {remedy}"]
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((listening.host, listening.port))
        except (OSError, OverflowError) as error:
            where = f"{listening.host} port {listening.port}"
            faults.append(f"cannot listen on {where} ({error}); choose another --port")
    return faults
