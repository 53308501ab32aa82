"""Every Redis key and channel of the site, with its lifetime. No other module makes up a name.

Redis holds only short-lived data. Each key has a TTL, except these, of which there is one each for the whole
site and which the sweep of every process keeps small (`models.room.presence`): PROCESSES, QUEUE, SHOWN, CAME,
ONLINE, AWAY_DUE, INVITES_DUE, INVITES_GONE. Lua scripts get their keys from here as arguments, or build those
of a second user from the prefixes below.
"""

from __future__ import annotations

PREFIX = "ns:"
# zset: process id -> last heartbeat (epoch ms). Without one for PROCESS_DEAD_MS, a process is dead.
PROCESSES = "ns:processes"
PROCESS_DEAD_MS = 6_000
# After a missed heartbeat, the sockets of a process may be gone, so another socket may replace one of them.
PROCESS_LATE_MS = 3_000
# zset: user id -> how recently shown (see models/redis/lua/room/settle.lua). Exactly the listed users.
QUEUE = "ns:queue"
# zset: user id -> when last shown, of users who are not listed now. Pruned after a day by the sweep.
SHOWN = "ns:shown"
# hash: user id -> since when listed (ms): a user who left and returned is new on every screen.
CAME = "ns:came"
# set: user ids with access and a socket.
ONLINE = "ns:online"
# zset: user id -> instant at which their listing must be checked again (away, linger).
AWAY_DUE = "ns:away"
# zset: invite id -> deadline. An expired ring is found here; key expiry is not used for it.
INVITES_DUE = "ns:invites"
# zset: invite id -> instant at which a caller without a socket counts as gone.
INVITES_GONE = "ns:gone"

# hash: socket id -> "<joined 0|1>:<hidden since ms or 0>:<process id>"; plus "linger" -> ms. TTL of a week,
# renewed while the socket is open.
SOCKETS = "ns:sockets:"
# set: process id -> user ids with sockets there; used only by the scripts.
PROCESS_USERS = "ns:process-users:"
# string: "invite:<id>" or "call:<id>". Expires, so that users are free again after a crash.
BUSY = "ns:busy:"
# Longer than the longest call with its pauses; the end of the call deletes it sooner.
CALL_BUSY_MS = 3_600_000
# hash: the ringing invite; deadline + 60 s.
INVITE = "ns:invite:"
INVITE_LINGER_MS = 60_000
# zset: card -> when last delivered to this viewer (ms), and when that last counted as shown. TTL of one
# hour.
SEEN = "ns:seen:"
COUNTED = "ns:counted:"
COUNT_ONCE_MS = 600_000
# list: signalling frames that wait for an empty seat; string: the socket that has the seat. See
# models/calls/signalling.py.
PARKED = "ns:parked:"
PARKED_SECONDS = 20
SEAT = "ns:seat:"
SEAT_SECONDS = 3600
# string: the TURN token of one user in one call; its TTL is the token's (models/calls/turn.py).
ICE = "ns:ice:"
# Counters of the limits library (models/security/rate_limits.py); TTL of twice their window: a minute or an
# hour.
LIMITS = "ns:limits"
# string: the process last checked for readiness; written to see that Redis accepts writes.
READY = "ns:ready"
# string: the process that made the last scheduled call; expires when the next is due.
PROBED = "ns:probed"
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


def socket_of_tab(tab: str, socket_id: str) -> str:
    """The id of an invite socket that named its tab; lua/ringing/invite_adopt.lua compares the tabs."""
    return f"{tab}.{socket_id}"


def ice(call_id: str, user_id: str) -> str:
    return f"{ICE}{call_id}:{user_id}"


def user_channel(user_id: str) -> str:
    return CHANNEL_USER + user_id


def call_channel(call_id: str) -> str:
    return CHANNEL_CALL + call_id


def of_call(call_id: str) -> list[str]:
    """Every key of an ended call."""
    return [make(call_id, side) for make in (seat, parked) for side in ("caller", "callee")]
