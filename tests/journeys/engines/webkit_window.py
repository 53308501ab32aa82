"""A WebKitGTK window for WebDriver, with mock devices: /usr/bin/python3 webkit_window.py SCRIPT WIDTHxHEIGHT

Run by the system's Python, which has the bindings (PyGObject). SCRIPT is a file of JavaScript that runs
before each page's own. Questions for devices are answered yes, and no others.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("WebKit2", "4.1")
from gi.repository import Gtk, WebKit2  # noqa: E402  (after the versions)

NAME = "NapalmSkyTests"


class Windows:
    """One window for each page that WebDriver asks for."""

    def __init__(self, script: str, width: int, height: int) -> None:
        self._script, self._size = script, (width, height)
        self._open: list[Any] = []
        self._context = WebKit2.WebContext.new_ephemeral()
        self._context.set_automation_allowed(True)
        self._context.connect("automation-started", self._started)

    def _started(self, _context: Any, session: Any) -> None:
        info = WebKit2.ApplicationInfo()
        info.set_name(NAME)
        session.set_application_info(info)
        session.connect("create-web-view", lambda _session: self._window())

    def _window(self) -> Any:
        view = WebKit2.WebView(
            web_context=self._context, is_controlled_by_automation=True, settings=settings(),
            user_content_manager=self._scripts(),
        )  # fmt: skip
        view.connect("permission-request", allow)
        window = Gtk.Window()
        window.set_default_size(*self._size)
        window.add(view)
        window.show_all()
        self._open.append(window)
        return view

    def _scripts(self) -> Any:
        manager = WebKit2.UserContentManager()
        frames, time = WebKit2.UserContentInjectedFrames.TOP_FRAME, WebKit2.UserScriptInjectionTime.START
        manager.add_script(WebKit2.UserScript.new(self._script, frames, time, None, None))
        return manager


def settings() -> Any:
    return WebKit2.Settings(
        enable_media_stream=True, enable_mock_capture_devices=True, enable_webrtc=True,
        enable_write_console_messages_to_stdout=True,
    )  # fmt: skip


def allow(_view: Any, request: Any) -> bool:
    if not isinstance(request, WebKit2.UserMediaPermissionRequest | WebKit2.DeviceInfoPermissionRequest):
        return False
    request.allow()
    return True


def main(script: str, size: str, *_driver: str) -> None:
    width, height = (int(edge) for edge in size.split("x"))
    windows = Windows(Path(script).read_text(), width, height)
    Gtk.main()
    del windows


if __name__ == "__main__":
    main(*sys.argv[1:])
