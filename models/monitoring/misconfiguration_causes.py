"""The rejections that only the operator can fix: for each the setting, and what to do."""

from __future__ import annotations

from typing import NamedTuple


class MisconfigurationCause(NamedTuple):
    """The setting to change (or another cause), and the effect until then."""

    setting: str
    text: str


CAUSES = {
    "origin": MisconfigurationCause(
        "ALLOWED_ORIGINS",
        "A request from another web origin was refused. If people reach this site under that origin, set "
        "BASE_URL to it; if it is an app of yours, add it to ALLOWED_ORIGINS.",
    ),
    "base_url": MisconfigurationCause(
        "BASE_URL",
        "A request of this site's own page was refused because the page was opened under an address (scheme, "
        "host or port) other than BASE_URL. Set BASE_URL to the address that people open.",
    ),
    "proxy": MisconfigurationCause(
        "TRUSTED_PROXIES",
        "A peer in a private network that TRUSTED_PROXIES does not name sends X-Forwarded-For or Forwarded "
        "with its requests: it is ignored, and all who come through that peer share one address and its "
        "limits. If it is your proxy, add it.",
    ),
    "proxy_header": MisconfigurationCause(
        "TRUSTED_PROXIES",
        "A trusted proxy sends an X-Forwarded-For that ends with something other than an address: all who "
        "come through it share its address and its limits. Let the proxy append the client's address.",
    ),
    "proxy_address": MisconfigurationCause(
        "proxy",
        "A proxy sends no X-Forwarded-For, only headers such as X-Real-IP or X-Forwarded-Proto: all who come "
        "through it share its address and its limits. Let it append the client's address to "
        "X-Forwarded-For, and name it in TRUSTED_PROXIES.",
    ),
    "hidden_origin": MisconfigurationCause(
        "proxy",
        "A form of this site's own page was refused because the browser hides its origin (Origin: null). A "
        "header Referrer-Policy: no-referrer does that: let the proxy leave the site's own headers as they "
        "are. If only one user is affected, it is an extension of that browser.",
    ),
    "upgrade": MisconfigurationCause(
        "proxy",
        "A WebSocket was requested without the headers of an upgrade. Let the proxy use HTTP/1.1 and pass "
        "Upgrade and Connection on for /ws/.",
    ),
    "webhook_secret": MisconfigurationCause(
        "STRIPE_WEBHOOK_SECRET",
        "An event of the payment provider was refused: it is not signed with STRIPE_WEBHOOK_SECRET. Set it "
        "to the signing secret of this endpoint. If Stripe's dashboard shows no failed deliveries, the event "
        "was forged by someone else.",
    ),
    "webhook_clock": MisconfigurationCause(
        "clock",
        "An event of the payment provider was refused: by this machine's clock it was signed more than "
        "five minutes ago. Set the clock (or the provider's event is an old one, sent again).",
    ),
    "files": MisconfigurationCause(
        "ulimit -n",
        "This process may open no more files, and refuses connections. Raise its limit (LimitNOFILE "
        "of systemd, --ulimit nofile of Docker) or that of the system (fs.file-max).",
    ),
    "disk": MisconfigurationCause(
        "DATA_DIR",
        "A disk is full, and nothing can be saved on it. `disk` in the log names it. `database`: that of "
        "PostgreSQL (DATA_DIR with the built-in server, otherwise on the machine of DATABASE_URL). `files`: "
        "that of DATA_DIR or TMPDIR. Free some space there.",
    ),
    "sign_ups": MisconfigurationCause(
        "GUESTS_PER_HOUR",
        "A sign-up was refused: its network address has made GUESTS_PER_HOUR within an hour. If many of your "
        "users share one network (a school, an event), raise it; if all have the address of your proxy, set "
        "TRUSTED_PROXIES. It may also be a script.",
    ),
    "sockets": MisconfigurationCause(
        "SOCKETS_PER_ADDRESS",
        "A socket was refused: its network address has SOCKETS_PER_ADDRESS open. If many of your users share "
        "one network, raise it; if all have the address of your proxy, set TRUSTED_PROXIES.",
    ),
    "redis_policy": MisconfigurationCause(
        "REDIS_URL",
        "Redis may evict keys (maxmemory-policy): presence, rings and signalling get lost under load. Set "
        "its maxmemory-policy to noeviction.",
    ),
    "redis_memory": MisconfigurationCause(
        "REDIS_URL",
        "Redis uses more than nine tenths of its maxmemory: when it is full, it refuses commands, and the "
        "site answers 503. Raise its maxmemory.",
    ),
    "redis_shared": MisconfigurationCause(
        "REDIS_URL",
        "Another process uses this database with another Redis: their users do not see each other. Set "
        "REDIS_URL of all processes to the same Redis.",
    ),
    "redis_foreign": MisconfigurationCause(
        "REDIS_URL",
        "Another site, with another database, uses this Redis: its users and ours are counted and listed "
        "together. Give each site a Redis of its own (another database number is not enough).",
    ),
    "turn_silent": MisconfigurationCause(
        "TURN_URLS",
        "A TURN server does not answer: users without a direct route cannot call. Start coturn, and open its "
        "ports; with TURN=embedded see the log.",
    ),
    "turn_refused": MisconfigurationCause(
        "TURN_SECRET",
        "A TURN server refuses our credentials: users without a direct route cannot call. Set TURN_SECRET to "
        "coturn's static-auth-secret, and the clocks of both machines.",
    ),
    "certificate": MisconfigurationCause(
        "TLS",
        "Our own Caddy has no certificate for BASE_URL: browsers cannot open the site. The log has Caddy's "
        "reason; the name must lead to this machine, and ports 80 and 443 must reach it.",
    ),
    "disk_space": MisconfigurationCause(
        "DATA_DIR",
        "Less than 200 MB are free in DATA_DIR: uploads, and soon the database, will fail. Free some space.",
    ),
    "backup": MisconfigurationCause(
        "BACKUP_DIR",
        "The newest backup in BACKUP_DIR is older than twice BACKUP_HOURS, or the only one could not be "
        "restored. The log has the reason; `python server.py backup` tries again at once.",
    ),
}  # fmt: skip
