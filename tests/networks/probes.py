"""What a machine in a home can do on its network, without a browser."""

from __future__ import annotations

import sys

from tests.networks.neighbourhood import SITE, TURN, TURN_OTHER, Home
from tests.networks.site import PORT, TURN_PORT

# The ports that two STUN servers (RFC 8489) see of one socket, after its own.
PORTS = """
import socket, sys
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.settimeout(3)
sock.bind(("", 0))
ports = [sock.getsockname()[1]]
for server in sys.argv[2:]:
    sock.sendto(bytes.fromhex("000100002112a442") + b"napalmskytrn", (server, int(sys.argv[1])))
    ports.append(int.from_bytes(sock.recv(200)[26:28], "big") ^ 0x2112)
print(*ports)
"""
# Whether a datagram of so many bytes is too long for the way, once a router has said so.
# 10: IP_MTU_DISCOVER; 2: IP_PMTUDISC_DO.
TOO_LONG = """
import errno, socket, sys, time
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.setsockopt(socket.IPPROTO_IP, 10, 2)
sock.connect((sys.argv[1], int(sys.argv[2])))
until = time.monotonic() + float(sys.argv[4])
while time.monotonic() < until:
    try:
        sock.send(bytes(int(sys.argv[3])))
    except OSError as error:
        print(error.errno == errno.EMSGSIZE)
        sys.exit()
    time.sleep(0.05)
print(False)
"""
CONNECT = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=2).close()
except OSError:
    print(False)
else:
    print(True)
"""


def _ask(home: Home, script: str, *words: object) -> list[str]:
    return home.inside.run(sys.executable, "-c", script, *map(str, words)).split()


def ports(home: Home) -> tuple[int, int, int]:
    own, first, second = map(int, _ask(home, PORTS, TURN_PORT, TURN, TURN_OTHER))
    return own, first, second


def is_too_long(home: Home, size: int, seconds: float = 3) -> bool:
    return _ask(home, TOO_LONG, TURN, TURN_PORT, size, seconds) == ["True"]


def reaches(home: Home, port: int = PORT, address: str = SITE) -> bool:
    return _ask(home, CONNECT, address, port) == ["True"]
