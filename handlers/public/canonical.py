"""The other name of the site (with or without `www.`): redirects to BASE_URL, where no proxy does."""

from __future__ import annotations

import re

from tornado.web import RequestHandler

from handlers.base.application import Site
from models.settings.own_servers import other_name
from models.settings.web_origins import host_of


class OtherNameHandler(RequestHandler):
    """Any page: 308, so that the address keeps its path. No cookie is read or set."""

    def initialize(self, base_url: str) -> None:
        self._base_url = base_url

    def check_xsrf_cookie(self) -> None:
        """Writes are refused in any case, with 405."""

    def get(self) -> None:
        self.set_status(308)
        self.set_header("Location", self._base_url + self.request.uri)
        self.finish()

    head = get


def redirect_other_name(site: Site) -> Site:
    """The same site, which answers requests for its other name with a redirect."""
    if other := other_name(host_of(site.config.base_url)):
        rule = (r"(?s)/.*", OtherNameHandler, {"base_url": site.config.base_url})
        site.add_handlers(re.escape(other), [rule])
    return site
