"""Two homes behind routers, and between them the public side, where the site and coturn are.

    home -- router -- public -- router -- home      the site is on `public`, coturn on `relay`
                        |
                      relay

A router is nftables: NAT for IPv4, plain forwarding for IPv6, and the faults that a test sets. All of a
home's packets pass it, so a counter there proves that a fault takes effect.
"""

from __future__ import annotations

import json
from contextlib import ExitStack

from tests.networks.namespaces import Namespace

SITE, TURN = "11.0.0.10", "11.0.9.2"
# A second address of coturn: a NAT shows by two what it does.
TURN_OTHER = "11.0.9.3"
SITE_6, TURN_6 = "2a10::10", "2a10:9::2"
CONE = "masquerade"
# Each connection leaves with another port, so what a STUN server saw is of no use to the peer.
SYMMETRIC = "masquerade random,fully-random"
# The peers' private addresses lead nowhere, but not to an error: coturn closes a relay on ENETUNREACH.
VOID = "void"
NETWORKS = {"lan": 1, "mobile": 2}
# "uninvited" is what home routers do. Without it, a first packet from outside is tracked as one to the
# router itself, and the home's own packet to there leaves from another port: no hole is punched.
RULES = """
table inet router {
  chain nat {
    type nat hook postrouting priority srcnat
  }
  chain inside {
    type filter hook forward priority filter
    ct state established,related accept
    iifname "wan" meta nfproto ipv6 drop
  }
  chain uninvited {
    type filter hook input priority filter
    iifname "wan" meta l4proto { tcp, udp } ct state new drop
  }
  chain segments {
    type filter hook forward priority mangle
    tcp flags syn tcp option maxseg size set rt mtu
  }
  chain fault {
    type filter hook forward priority -10
  }
}
"""


def join_public(machine: Namespace, public: Namespace, number: int, mtu: int = 1500) -> None:
    """An interface `wan` with public addresses of both families, and the default routes."""
    machine.connect("wan", public, f"to{number}", mtu)
    for family, network, bits in ((4, f"11.0.{number}.", 24), (6, f"2a10:{number}::", 64)):
        options = " nodad" if family == 6 else ""
        public.ip(f"addr add {network}1/{bits} dev to{number}{options}")
        machine.ip(f"addr add {network}2/{bits} dev wan{options}")
        machine.ip(f"-{family} route add default via {network}1")


class Home:
    """One interface `lan`, and a second one, `mobile`, that is down: another network with another address."""

    def __init__(self, number: int) -> None:
        self._number, self._family = number, 4

    def build(self, public: Namespace, stack: ExitStack) -> None:
        n = self._number
        self._public = public
        self.router = stack.enter_context(Namespace(public))
        self.inside = stack.enter_context(Namespace(public))
        join_public(self.router, public, n)
        self.router.ip(f"addr add 11.0.{n}.3/24 dev wan")
        self.router.forward()
        for name, subnet in NETWORKS.items():
            self.inside.connect(name, self.router, name)
            self.router.ip(f"addr add 192.168.{10 * n + subnet}.1/24 dev {name}")
            self.router.ip(f"addr add 2a10:{n}{subnet}::1/64 dev {name} nodad")
            public.ip(f"route add 2a10:{n}{subnet}::/64 via 2a10:{n}::2")
        self.router.run("nft", "-f", "-", told=RULES)

    def reset(self, nat: str = CONE, mtu: int = 1500, family: int = 4) -> None:
        """The home network with this NAT, packet size on the way out, and family of addresses; no faults."""
        self._family = family
        self.fault()
        n = self._number
        mobile = f"ip saddr 192.168.{10 * n + NETWORKS['mobile']}.0/24 snat to 11.0.{n}.3"
        rules = ["flush chain inet router nat"]
        rules += [
            f'add rule inet router nat oifname "wan" {rule}' for rule in (mobile, f"meta nfproto ipv4 {nat}")
        ]
        self.router.run("nft", "-f", "-", told="\n".join(rules))
        self.router.ip(f"link set wan mtu {mtu}")
        self._public.ip(f"link set to{n} mtu {mtu}")
        self.enter("lan")

    def enter(self, name: str) -> None:
        """Joins that network and leaves the other one first, as a phone that leaves the house."""
        for other in NETWORKS:
            self.leave(other)
        self.join(name)

    def leave(self, name: str) -> None:
        self.inside.ip(f"link set {name} down")
        self.inside.ip(f"addr flush dev {name}")

    def join(self, name: str) -> None:
        """What is new goes there, also while another network is still up."""
        self.inside.ip(f"link set {name} up")
        place = 10 * self._number + NETWORKS[name]
        if self._family == 4:
            self.inside.ip(f"addr add 192.168.{place}.2/24 dev {name}")
            self.inside.ip(f"route replace default via 192.168.{place}.1")
        else:
            self.inside.ip(f"addr add 2a10:{place}::2/64 dev {name} nodad")
            self.inside.ip(f"-6 route replace default via 2a10:{place}::1")

    def fault(self, *rules: str) -> None:
        """`self.fault("meta l4proto udp")`: the router drops what fits a rule. Without any, all works."""
        lines = ["flush chain inet router fault"]
        lines += [f"add rule inet router fault {rule} counter drop" for rule in rules]
        self.router.run("nft", "-f", "-", told="\n".join(lines))

    @property
    def dropped(self) -> int:
        """Packets that the faults of now have taken."""
        listed = self.router.run("nft", "-j", "list", "chain", "inet", "router", "fault")
        rules = [item["rule"]["expr"] for item in json.loads(listed)["nftables"] if "rule" in item]
        return sum(step["counter"]["packets"] for steps in rules for step in steps if "counter" in step)


class Neighbourhood:
    """`with Neighbourhood() as place:`"""

    def __init__(self) -> None:
        self.homes = [Home(1), Home(2)]

    def __enter__(self) -> Neighbourhood:
        with ExitStack() as stack:
            self.public = stack.enter_context(Namespace())
            self._wire_public()
            self.relay = stack.enter_context(Namespace(self.public))
            join_public(self.relay, self.public, 9)
            self.relay.ip(f"addr add {TURN_OTHER}/24 dev wan")
            for home in self.homes:
                home.build(self.public, stack)
            self._stack = stack.pop_all()
        return self

    def _wire_public(self) -> None:
        public = self.public
        public.forward()
        public.ip(f"addr add {SITE}/32 dev lo")
        public.ip(f"addr add {SITE_6}/128 dev lo nodad")
        public.connect(VOID, public, f"{VOID}-end")
        public.ip(f"link set {VOID} arp off")
        for family in (4, 6):
            public.ip(f"-{family} route add default dev {VOID}")

    def __exit__(self, *_: object) -> None:
        self._stack.close()
