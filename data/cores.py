"""How many cores this process may use, which in a container are fewer than the machine has."""

import contextlib
import os
from pathlib import Path


def usable_cores(cgroup: Path = Path("/sys/fs/cgroup")) -> int:
    """Cores of the machine, or of the process's affinity (`docker run --cpuset-cpus`), within the container's quota.

    A quota (`docker run --cpus`, Kubernetes' limits; cgroup v2's cpu.max, v1's cpu.cfs_quota_us) is rounded down: more
    threads than that are all stopped for the rest of each tenth of a second.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with contextlib.suppress(OSError, ValueError):
        cores = min(cores, int(_quota(cgroup)))
    return max(1, cores)


def _quota(cgroup: Path) -> float:
    """Cores that the quota is worth; raises OSError or ValueError where there is none ("max", -1)."""
    new = cgroup / "cpu.max"
    if new.exists():
        quota, period = new.read_text().split()
    else:
        quota, period = ((cgroup / "cpu" / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
    if int(quota) < 0:
        raise ValueError("no quota")
    return int(quota) / int(period)
