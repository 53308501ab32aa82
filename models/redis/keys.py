"""Every Redis key and channel of the site, with how long it lives. Nothing else makes up a name.

Redis rings and remembers for a moment. Each key has a TTL, except one of each of these for the whole site,
which the sweep of every process keeps small (`models.room.presence`): PROCESSES, QUEUE, SHOWN, CAME, ONLINE,
AWAY_DUE, INVITES_DUE, INVITES_GONE.
Lua scripts get their keys from here as arguments, or build the ones of a second person from the prefixes
below.
"""

from __future__ import annotations

PREFIX = "ns:"
# zset: process id -> last beat (epoch ms). A process that has not beaten for PROCESS_DEAD_MS is dead.
PROCESSES = "ns:processes"
PROCESS_DEAD_MS = 6_000
# One that has missed a beat: its sockets may be gone, so that another may take the place of one of them.
PROCESS_LATE_MS = 3_000
# zset: user id -> how recently shown (see models/redis/lua/settle.lua). Exactly those who are listed.
QUEUE = "ns:queue"
# zset: user id -> when last shown, of people who are not listed now. Pruned after a day by the sweep.
SHOWN = "ns:shown"
# hash: user id -> since when they are listed (ms): who goes and comes back is new on every screen.
CAME = "ns:came"
# set: user ids with access and a socket.
ONLINE = "ns:online"
# zset: user id -> instant at which their listing must be looked at again (away, linger).
AWAY_DUE = "ns:away"
# zset: invite id -> deadline; a ring that ran out is found here, never by a vanished key.
INVITES_DUE = "ns:invites"
# zset: invite id -> instant at which a caller without a socket counts as gone.
INVITES_GONE = "ns:gone"

# hash: socket id -> "<joined 0|1>:<hidden since ms or 0>:<process id>"; plus "linger" -> ms. A week, renewed
# on change.
SOCKETS = "ns:sockets:"
# set: process id -> user ids with sockets there; only the scripts use it.
PROCESS_USERS = "ns:process-users:"
# string: "invite:<id>" or "call:<id>". Expires, so that a crash frees everyone.
BUSY = "ns:busy:"
# Longer than the longest call with its pauses; the end of the call frees them sooner.
CALL_BUSY_MS = 3_600_000
# hash: the ringing invite; deadline + 60 s.
INVITE = "ns:invite:"
INVITE_LINGER_MS = 60_000
# zset: card -> when last delivered to this viewer (ms), and when that last counted as shown. One hour.
SEEN = "ns:seen:"
COUNTED = "ns:counted:"
COUNT_ONCE_MS = 600_000
# list: relay frames waiting for an empty seat, and string: the seat's socket. See models/calls/signalling.py.
PARKED = "ns:parked:"
PARKED_SECONDS = 20
SEAT = "ns:seat:"
SEAT_SECONDS = 3600
# string: the TURN token fetched for one person in one call; as long as it lives (models/calls/turn.py).
ICE = "ns:ice:"
# counters of the limits library (models/security/rate_limits.py); twice their window: a minute or an hour.
LIMITS = "ns:limits"
# string: the process that was last asked whether it is ready, to see that Redis accepts writes.
READY = "ns:ready"
READY_MS = 10_000

# Channels.
CHANNEL_QUEUE = "ns:c:queue"
CHANNEL_ALL = "ns:c:all"
CHANNEL_USER = "ns:c:user:"
CHANNEL_CALL = "ns:c:call:"


def sockets(user_id: str) -> str:
    return SOCKETS + user_id


def busy(user_id: str) -> str:
    return BUSY + user_id


def invite(invite_id: str) -> str:
    return INVITE + invite_id


def parked(call_id: str, side: str) -> str:
    return f"{PARKED}{call_id}:{side}"


def seat(call_id: str, side: str) -> str:
    return f"{SEAT}{call_id}:{side}"


def ice(call_id: str, user_id: str) -> str:
    return f"{ICE}{call_id}:{user_id}"


def user_channel(user_id: str) -> str:
    return CHANNEL_USER + user_id


def call_channel(call_id: str) -> str:
    return CHANNEL_CALL + call_id


def of_call(call_id: str) -> list[str]:
    """Every key of a call that has ended."""
    return [make(call_id, side) for make in (seat, parked) for side in ("caller", "callee")]
