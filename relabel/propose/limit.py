"""The images that are worth asking about most, where annotators have no time for all."""

import numpy as np

from relabel.propose.groups import Group


def keep_best(groups: list[Group], limit: int) -> list[Group]:
    """The `limit` images with most gain per minute: clusters as wholes, most typical first where one must be cut."""
    units = [
        (part.gain_per_minute, int(part.members[0]), place, part)
        for place, group in enumerate(groups)
        for part in ([group] if group.cluster else _list_singly(group))
    ]
    units.sort(key=lambda unit: (-unit[0], unit[1]))
    kept: dict[int, list[np.ndarray]] = {}
    left = limit
    for _, _, place, part in units:
        taken = part.members[:left]
        kept.setdefault(place, []).append(taken)
        left -= len(taken)
        if not left:
            break
    return [_keep(groups[place], np.concatenate(kept[place])) for place in sorted(kept)]


def _list_singly(group: Group) -> list[Group]:
    return [group.pick(np.array([rank])) for rank in range(len(group.members))]


def _keep(group: Group, members: np.ndarray) -> Group:
    return group.pick(np.flatnonzero(np.isin(group.members, members)))
