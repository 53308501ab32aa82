"""A Debian system in a directory, in which the steps of our Dockerfile are carried out and its command runs.

It stands for the base image: an engine and a registry of images are not needed. Only root can use it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.support.image.dockerfile import ROOT, Instruction, environment, is_copied

SUITE = "trixie"
PACKAGES = "ca-certificates,python3,python3-venv,python3-pip"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# The mounts are in a namespace of the command, and end with it.
ENTER = """
mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" || exit 99
if [ "$2" = read-only ]; then
    mount --bind "$1" "$1" && mount --bind "$1$3" "$1$3" || exit 99
    mount -o remount,bind,ro "$1" && mount -o remount,bind,rw "$1$3" || exit 99
    mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" || exit 99
fi
root=$1; shift 3
exec chroot "$root" "$@"
"""


class DebianSystem:
    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def install(cls, root: Path) -> DebianSystem:
        """With Python as the image `python:…-slim` has it: `python` and a `pip` that may install."""
        program = shutil.which("debootstrap", path=f"{os.environ['PATH']}:/usr/sbin")
        assert program, "apt install debootstrap"
        command = [program, "--variant=minbase", f"--include={PACKAGES}", SUITE, str(root)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        (root / "usr/local/bin/python").symlink_to("/usr/bin/python3")
        for marker in (root / "usr/lib").glob("python3*/EXTERNALLY-MANAGED"):
            marker.unlink()
        for file in (Path("/etc/resolv.conf"), CERTIFICATES):
            shutil.copy(file, root / file.relative_to("/"))
        return cls(root)

    def build(self, steps: list[Instruction]) -> None:
        """Raises: CalledProcessError, with the output of a failed step."""
        # Debian owns some packages, which pip must not remove.
        variables = environment(steps) | {"PIP_CERT": str(CERTIFICATES), "PIP_IGNORE_INSTALLED": "1"}
        directory = Path("/")
        for one in steps:
            if one.name == "WORKDIR":
                directory = Path(one.text)
                self.inside(directory).mkdir(parents=True, exist_ok=True)
            elif one.name == "COPY":
                self._copy(one.text.split()[:-1], self.inside(directory))
            elif one.name == "RUN":
                self.run(["sh", "-c", f"cd {directory} && {one.text}"], variables)

    def inside(self, path: Path | str) -> Path:
        return self.root / str(path).lstrip("/")

    def _copy(self, what: list[str], target: Path) -> None:
        listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
        for name in listed.stdout.splitlines():
            if is_copied(name) and (what == ["."] or name in what):
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, target / name)

    def run(self, command: list[str], variables: Mapping[str, str]) -> str:
        """The standard output of a command that root runs."""
        done = subprocess.run(self.command(command), env=_whole(variables), capture_output=True, text=True)
        assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        return done.stdout

    def start(
        self, command: list[str], variables: Mapping[str, str], log: Path, *, user: str, writable: str
    ) -> subprocess.Popen[bytes]:
        """As `user` (`uid:gid`), in /app, on a read-only root in which only `writable` can be written."""
        setpriv = [
            "setpriv",
            f"--reuid={user.split(':')[0]}",
            f"--regid={user.split(':')[1]}",
            "--clear-groups",
        ]
        inner = ["env", "--chdir=/app", *setpriv, *command]
        with log.open("wb") as output:
            return subprocess.Popen(
                self.command(inner, "read-only", writable),
                env=_whole(variables),
                stdout=output,
                stderr=output,
            )

    def command(self, inner: list[str], mode: str = "writable", place: str = "/") -> list[str]:
        enter = ["unshare", "--mount", "--propagation", "private", "sh", "-c", ENTER, "sh"]
        return [*enter, str(self.root), mode, place, *inner]


def _whole(variables: Mapping[str, str]) -> dict[str, str]:
    return {"PATH": PATH, "LC_ALL": "C.UTF-8", **variables}
