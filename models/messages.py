"""Every message of both sockets as a typed struct, tagged by `type`, in camelCase in JSON.

Frames from clients are parsed by `parse_invite` and `parse_relay`; an unknown type or a wrong shape is a
`BadRequest` that names the field. Frames from the server are encoded once by `encode`. Instants are RFC 3339
UTC with milliseconds and Z; `server_now` is an integer of epoch milliseconds. docs/protocol.md shows an
example of each, and a test parses them all.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec

from models.errors import BadRequest

# PostgreSQL stores no NUL.
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"\A[^\x00]+\Z")]
DeclineReason = Literal[
    "invalid_target", "invalid_duration", "no_access", "offline", "cooldown", "busy", "declined", "missed"
]
CancelReason = Literal["cancelled", "missed", "gone"]
Access = Literal["unpaid", "paid", "invited", "comped"]


class JsonStruct(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """Base of every message and record sent as JSON; absent optional fields are left out."""


class Command(JsonStruct, frozen=True, kw_only=True):
    """A message from a client; its `id` is repeated in the answer."""

    id: Id | None = None


class Person(JsonStruct, frozen=True, kw_only=True):
    user_id: str
    name: str
    gender: str
    selfie_url: str | None
    # A program of the operator, such as the partners of the demo. Absent for people.
    is_robot: bool = False


# --- /ws/invites: client to server --


class QueueJoin(Command, frozen=True, kw_only=True, tag="queue:join"):
    pass


class QueueLeave(Command, frozen=True, kw_only=True, tag="queue:leave"):
    pass


class QueueHidden(Command, frozen=True, kw_only=True, tag="queue:hidden"):
    hidden: bool
    notifications: bool = False


class CallInvite(Command, frozen=True, kw_only=True, tag="call:invite"):
    # Any JSON: the protocol answers an invalid target or length with a decline reason, not with an error.
    to_user_id: Any = None
    requested_seconds: Any = None


class CallExtendWait(Command, frozen=True, kw_only=True, tag="call:extend-wait"):
    invite_id: Id


class CallCancel(Command, frozen=True, kw_only=True, tag="call:cancel"):
    invite_id: Id


class CallAccept(Command, frozen=True, kw_only=True, tag="call:accept"):
    invite_id: Id
    requested_seconds: int


class CallDecline(Command, frozen=True, kw_only=True, tag="call:decline"):
    invite_id: Id


class Ping(Command, frozen=True, kw_only=True, tag="ping"):
    pass


InviteCommand = (
    QueueJoin
    | QueueLeave
    | QueueHidden
    | CallInvite
    | CallExtendWait
    | CallCancel
    | CallAccept
    | CallDecline
    | Ping
)

# --- /ws/invites: server to client --


class QueueState(Command, frozen=True, kw_only=True, tag="queue:state"):
    available: bool


class QueueUpdate(JsonStruct, frozen=True, kw_only=True, tag="queue:update", omit_defaults=False):
    left: list[str]
    more: bool
    online_users: int


class CallRinging(Command, frozen=True, kw_only=True, tag="call:ringing"):
    invite_id: str
    to_user: Person
    expires_at: str
    server_now: int


class CallNotify(JsonStruct, frozen=True, kw_only=True, tag="call:notify"):
    invite_id: str
    from_user: Person
    requested_seconds: int
    expires_at: str
    server_now: int


class CallDeclined(Command, frozen=True, kw_only=True, tag="call:declined"):
    invite_id: str | None = None
    reason: DeclineReason


class CallWaitExtended(Command, frozen=True, kw_only=True, tag="call:wait-extended"):
    invite_id: str
    expires_at: str
    server_now: int


class CallCancelled(Command, frozen=True, kw_only=True, tag="call:cancelled"):
    invite_id: str
    reason: CancelReason


class CallStart(Command, frozen=True, kw_only=True, tag="call:start"):
    call_id: str
    agreed_seconds: int
    polite: bool
    peer_user: Person
    server_now: int


class CallAnswered(Command, frozen=True, kw_only=True, tag="call:answered"):
    invite_id: str
    outcome: str


class StateInvite(JsonStruct, frozen=True, kw_only=True, omit_defaults=False):
    invite_id: str
    direction: Literal["in", "out"]
    person: Person
    requested_seconds: int
    expires_at: str


class StateCall(JsonStruct, frozen=True, kw_only=True):
    call_id: str


class StateMessage(JsonStruct, frozen=True, kw_only=True, tag="state", omit_defaults=False):
    server_now: int
    access: str
    available: bool
    invite: StateInvite | None
    call: StateCall | None


class ContactsShared(Command, frozen=True, kw_only=True, tag="contacts:shared"):
    call_id: str
    handles: dict[str, str]


class SessionEnded(JsonStruct, frozen=True, kw_only=True, tag="session:ended"):
    reason: str


class BanMessage(JsonStruct, frozen=True, kw_only=True, tag="ban", omit_defaults=False):
    rule: str
    reason: str
    until: str | None
    appeal_url: str


class AccessChanged(JsonStruct, frozen=True, kw_only=True, tag="access:changed"):
    access: str


class Pong(Command, frozen=True, kw_only=True, tag="pong"):
    server_now: int


class ErrorMessage(Command, frozen=True, kw_only=True, tag="error"):
    code: str
    message: str
    fields: dict[str, str] | None = None
    retry_after: int | None = None


# --- /ws/calls/ID: client to server --


class RtcConnected(Command, frozen=True, kw_only=True, tag="rtc:connected"):
    """The optional fields are for the operator's metrics."""

    picture_ms: Annotated[int, msgspec.Meta(ge=0, le=600_000)] | None = None
    path: Literal["direct", "relay"] | None = None
    restarts: Annotated[int, msgspec.Meta(ge=0, le=20)] | None = None


class RtcDisconnected(Command, frozen=True, kw_only=True, tag="rtc:disconnected"):
    pass


MediaFaultCause = Annotated[str, msgspec.Meta(max_length=20)]


class MediaFaults(JsonStruct, frozen=True, kw_only=True):
    """Why a side's microphone, camera or browser cannot take part; the causes are in docs/protocol.md."""

    audio: MediaFaultCause | None = None
    video: MediaFaultCause | None = None
    call: MediaFaultCause | None = None


class MediaState(Command, frozen=True, kw_only=True, tag="media:state"):
    audio: bool
    video: bool
    camera: bool | None = None
    wants_video: bool | None = None
    faults: MediaFaults | None = None


class ChatMessage(Command, frozen=True, kw_only=True, tag="chat:message"):
    text: str
    id: Id


class ContactsShare(Command, frozen=True, kw_only=True, tag="contacts:share"):
    yes: bool


class CallEndCommand(Command, frozen=True, kw_only=True, tag="call:end"):
    pass


RelayCommand = (
    RtcConnected | RtcDisconnected | MediaState | ChatMessage | ContactsShare | CallEndCommand | Ping
)

# --- /ws/calls/ID: server to client --


class Message(JsonStruct, frozen=True, kw_only=True):
    """A chat message; `from` is the sender's user id."""

    message_id: str
    sender_id: str = msgspec.field(name="from")
    text: str
    at: str


class ChatRelayed(Message, frozen=True, kw_only=True, tag="chat:message"):
    id: str | None = None


class CallStateMessage(JsonStruct, frozen=True, kw_only=True, tag="call:state"):
    call_id: str
    state: Literal["connecting", "running", "paused"]
    polite: bool
    agreed_seconds: int
    remaining_ms: int
    server_now: int
    peer_user: Person | None
    peer_here: bool
    messages: list[Message]
    messages_url: str | None = None
    connect_by: str | None = None
    reconnect_by: str | None = None


class PeerJoined(JsonStruct, frozen=True, kw_only=True, tag="peer:joined"):
    pass


class PeerLeft(JsonStruct, frozen=True, kw_only=True, tag="peer:left"):
    pass


class CallClock(Command, frozen=True, kw_only=True, tag="call:clock"):
    state: Literal["running", "paused"]
    remaining_ms: int
    server_now: int


class CallEnded(Command, frozen=True, kw_only=True, tag="call:end"):
    reason: str
    connected_seconds: int


# --- Both ways --

_encoder = msgspec.json.Encoder()
_invite_decoder = msgspec.json.Decoder(InviteCommand)
_relay_decoder = msgspec.json.Decoder(RelayCommand)


class _MessageHead(msgspec.Struct, frozen=True):
    type: str = ""
    id: str | None = None


_head_decoder = msgspec.json.Decoder(_MessageHead)
# ValueError: also numbers with more digits than Python parses, and bytes that are not UTF-8.
ODD = (msgspec.MsgspecError, RecursionError, ValueError)


def encode(message: JsonStruct) -> bytes:
    """Encodes a frame. Called once per message, however many sockets it is sent to."""
    return _encoder.encode(message)


def parse_invite(frame: bytes) -> InviteCommand:
    command: InviteCommand = _parse(_invite_decoder, frame)
    return command


def parse_relay(frame: bytes) -> RelayCommand:
    command: RelayCommand = _parse(_relay_decoder, frame)
    return command


def head(frame: bytes) -> _MessageHead:
    """`type` and `id` of a frame; the rest is not validated."""
    try:
        return _head_decoder.decode(frame)
    except ODD as error:
        raise BadRequest("That frame is not a flat JSON object with a type.") from error


def _parse(decoder: msgspec.json.Decoder[Any], frame: bytes) -> Any:
    try:
        return decoder.decode(frame)
    except ODD as error:
        raise BadRequest(f"That message does not fit: {error}") from error


def instant(at: datetime) -> str:
    """RFC 3339 UTC with milliseconds and Z."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def epoch_ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def media_url(media_id: str | None) -> str | None:
    """The address of a selfie or a video on this site."""
    return None if media_id is None else f"/media/{media_id}"
