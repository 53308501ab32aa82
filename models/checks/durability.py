"""Whether DATA_DIR outlives a restart: not in memory, not in a container's own layer or a nameless volume."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

MOUNTS = Path("/proc/self/mountinfo")
IN_MEMORY, IN_LAYERS = ("tmpfs", "ramfs"), ("overlay", "aufs", "fuse-overlayfs")
NAMELESS = re.compile(r"/volumes/[0-9a-f]{64}/_data$")
GIVE = "Give it a volume with a name (-v napalmsky:/data)."


class Mount(NamedTuple):
    """A line of proc_pid_mountinfo(5): where it is, what part of the file system, and its type."""

    point: str
    root: str
    kind: str


def why_lost(data: Path, mounts: Path = MOUNTS) -> str | None:
    """`DATA_DIR: …` if the site's data would be lost with a restart or a new container.

    None also where there is no readable list of mounts (only Linux has one).
    """
    try:
        listed = mounts.read_text(errors="surrogateescape")  # names of directories may be in any encoding
    except OSError:
        return None
    mount = _mount_of(data.absolute(), listed)
    if mount is None:
        return None
    if mount.kind in IN_MEMORY:
        return "DATA_DIR: it is in memory (tmpfs): a restart of the machine or container loses everything."
    if mount.kind in IN_LAYERS:
        return f"DATA_DIR: it is in the container itself: a new container begins with nothing. {GIVE}"
    if NAMELESS.search(mount.root):
        return f"DATA_DIR: its volume has no name: a new container begins with an empty one. {GIVE}"
    return None


def _mount_of(path: Path, mounts: str) -> Mount | None:
    """The last mount with the longest path hides the others."""
    parents = {str(one) for one in (path, *path.parents)}
    found = [one for one in map(_parsed, mounts.splitlines()) if one and one.point in parents]
    return max(enumerate(found), key=lambda pair: (len(pair[1].point), pair[0]))[1] if found else None


def _parsed(line: str) -> Mount | None:
    fields, _, rest = line.partition(" - ")
    words = fields.split(" ")
    if len(words) < 5 or not rest:
        return None
    root, point = (re.sub(r"\\(\d{3})", lambda found: chr(int(found[1], 8)), word) for word in words[3:5])
    return Mount(point, root, rest.split(" ")[0])
