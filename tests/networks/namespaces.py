"""Network namespaces of the kernel: interfaces, routes and a firewall for each machine of a test.

Each is held by a process that ends with this one, and has no name. So tests in parallel do not meet, and the
kernel removes all of it whatever happens to the test. Without root, all are in one user namespace.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import Self

PROGRAMS = {"ip": "iproute2", "nft": "nftables", "unshare": "util-linux", "nsenter": "util-linux"}
SECONDS = 20
# Some systems leave out sbin for ordinary users.
PATH = os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/sbin"])


class Namespace:
    """`with Namespace() as first, Namespace(first) as second:` for two that can be connected."""

    def __init__(self, first: Namespace | None = None) -> None:
        self._first = first

    def __enter__(self) -> Self:
        missing = {
            package for program, package in PROGRAMS.items() if shutil.which(program, path=PATH) is None
        }
        assert not missing, f"The tests of networks need {', '.join(sorted(missing))}"
        # `cat` ends when this process closes the pipe or dies.
        command = [*self._unshared(), "--net", "sh", "-c", "echo ready && exec cat"]
        self._holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == b"ready\n", "The kernel gives no network namespace"
        # An IPv6 address is valid at once. One that becomes valid later is a change of network for a browser,
        # which then breaks off what it is loading (ERR_NETWORK_CHANGED).
        self.run("sysctl", "-qw", *(f"net.ipv6.conf.{which}.accept_dad=0" for which in ("all", "default")))
        self.run("ip", "link", "set", "lo", "up")
        return self

    def __exit__(self, *_: object) -> None:
        self._holder.communicate(timeout=SECONDS)

    def _unshared(self) -> list[str]:
        if os.geteuid() == 0:
            return ["unshare"]
        if self._first is None:
            return ["unshare", "--user", "--map-root-user"]
        return [*self._first.user, "unshare"]

    @property
    def pid(self) -> str:
        return str(self._holder.pid)

    @property
    def user(self) -> list[str]:
        return ["nsenter", "--target", self.pid, "--user", "--preserve-credentials"]

    @property
    def prefix(self) -> list[str]:
        """What to write before a command that shall run here."""
        start = ["nsenter", "--target", self.pid] if os.geteuid() == 0 else self.user
        return [*start, "--net"]

    def run(self, *words: str, told: str = "") -> str:
        """The output of a command; `told` is its input."""
        done = subprocess.run(
            [*self.prefix, *words],
            input=told,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
            env=os.environ | {"PATH": PATH},
        )
        assert done.returncode == 0, f"{' '.join(words)}\n{told}{done.stderr}"
        return done.stdout

    def ip(self, line: str) -> None:
        self.run("ip", *line.split())

    def connect(self, name: str, other: Namespace, far_name: str, mtu: int = 1500) -> None:
        """A cable: the interface `name` here, `far_name` there; both are up."""
        self.ip(f"link add {name} mtu {mtu} type veth peer name {far_name} mtu {mtu} netns {other.pid}")
        self.ip(f"link set {name} up")
        other.ip(f"link set {far_name} up")

    def forward(self) -> None:
        """Passes packets on, as a router does."""
        self.run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
