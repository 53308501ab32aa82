"""The Tornado application: what every handler finds in `self.application`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from tornado.httputil import HTTPServerRequest
from tornado.ioloop import PeriodicCallback
from tornado.routing import URLSpec
from tornado.web import RequestHandler

from handlers.base.loop_lag import LoopLag
from handlers.http.bodies import BodyApplication
from handlers.http.draining import OpenRequests
from handlers.http.logs import begin_request
from handlers.http.metrics import REFRESH_SECONDS, Measures, count_call
from handlers.http.misconfigurations import Misconfigurations
from handlers.http.security_headers import security_headers
from handlers.http.templates import Templates
from handlers.realtime.hub import Hub
from models.monitoring.self_checks import SelfChecks
from models.settings.config import Config
from models.wiring import Models


class Site(BodyApplication):
    """Everything that a handler uses: config, models, pages, hub. The routes are handed in."""

    def __init__(
        self,
        config: Config,
        models: Models,
        routes: list[URLSpec],
        not_found: type[RequestHandler],
        log_function: Callable[[RequestHandler], None],
        measures: Measures,
    ) -> None:
        self.config = config
        self.models = models
        self.pages = Templates(config, models.terms.current)
        self.hub = Hub(models)
        self.requests = OpenRequests()
        self._loop_lag = LoopLag()
        self._self_checks = SelfChecks(config, models.db, models.bus, models.clock)
        self.misconfigurations = Misconfigurations()
        models.db.when_full(partial(self.misconfigurations.note, "disk", disk="database"))
        self.measures = measures
        self._measuring = PeriodicCallback(self.measure, REFRESH_SECONDS * 1000)
        self.security_headers = security_headers(config)
        self.session_cookie = "__Host-session" if config.is_secure else "session"
        self.device_cookie = "__Host-device" if config.is_secure else "device"
        self.staff_cookie = "__Host-staff" if config.is_secure else "staff"
        super().__init__(
            routes,
            default_handler_class=not_found,
            xsrf_cookies=True,
            xsrf_cookie_name="__Host-xsrf" if config.is_secure else "_xsrf",
            xsrf_cookie_kwargs={"samesite": "Lax", "secure": config.is_secure, "httponly": True, "path": "/"},
            log_function=log_function,
        )

    async def start(self) -> None:
        """Before the first request: applies tombstones, subscribes, and starts the sweep."""
        await self.models.site_secret.open()
        await self.models.tombstones.apply()
        await self.models.selfies.warm()
        self.models.scheduled_calls.on_result = count_call
        await self.hub.open()
        await self.models.sweep.prepare()
        self.models.sweep.start()
        self._loop_lag.start()
        self._self_checks.start(self.misconfigurations.note)
        if self.measures.is_shared:
            self._measuring.start()

    def measure(self) -> None:
        """Brings the metrics of this process up to date."""
        invites, calls = (sum(map(len, one.values())) for one in (self.hub.invite_sockets, self.hub.seats))
        self.measures.refresh(invites=invites, calls=calls, statements=self.models.db.statements_run)

    async def stop(self) -> None:
        """Answers requests in progress, closes every socket with 1001, and frees all resources."""
        self._loop_lag.stop()
        await self._self_checks.stop()
        await self.requests.drained()
        await self.hub.drain()
        await self.models.sweep.stop()
        self._measuring.stop()
        self.measure()
        await self.models.close()


class SiteHandler(RequestHandler):
    """A handler of this application. Every line that is logged while it runs has its request's id."""

    application: Site

    def __init__(self, application: Site, request: HTTPServerRequest, **settings: Any) -> None:
        begin_request()
        super().__init__(application, request, **settings)
