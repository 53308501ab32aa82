"""Static files: cached for ever under their version, revalidated without it."""

from __future__ import annotations

import gzip
import io
from urllib.parse import urljoin

import brotli
import pytest
from PIL import Image

from handlers.http.assets import STATIC, modules, static_url
from tests.conftest import Running


async def test_the_right_version_is_cached_for_a_year(site: Running) -> None:
    answer = await site.client.get(static_url("css/app.css"))
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in answer.headers


async def test_relative_names_in_a_file_are_cached_too(site: Running) -> None:
    script = await site.client.get(urljoin(static_url("app.js"), "./socket.js"))
    font = await site.client.get(urljoin(static_url("fonts/fonts.css"), "figtree-latin.woff2"))
    for answer in (script, font):
        assert (answer.status, answer.headers["Cache-Control"]) == (
            200,
            "public, max-age=31536000, immutable",
        )


@pytest.mark.parametrize("version", ["", "000000000000/"])
async def test_any_other_version_is_revalidated(site: Running, version: str) -> None:
    answer = await site.client.get(f"/static/{version}app.js")
    assert answer.headers["Cache-Control"] == "no-cache"
    known = {"If-None-Match": answer.headers["Etag"]}
    again = await site.client.get(f"/static/{version}app.js", headers=known)
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("app.js", "text/javascript; charset=UTF-8"),
        ("css/app.css", "text/css; charset=UTF-8"),
        ("icons/icons.svg", "image/svg+xml"),
        ("fonts/figtree-latin.woff2", "font/woff2"),
        ("icons/manifest.webmanifest", "application/manifest+json"),
    ],
)
async def test_each_kind_has_its_content_type(site: Running, path: str, kind: str) -> None:
    answer = await site.client.get(f"/static/{path}")
    assert (answer.status, answer.headers["Content-Type"]) == (200, kind)
    head = await site.client.send("HEAD", f"/static/{path}")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["Content-Length"] == answer.headers["Content-Length"]


@pytest.mark.parametrize(
    "path", ["", "../server.py", "%2e%2e/server.py", "nothing.js", "icons", "..%2fserver.py"]
)
async def test_nothing_else_is_served(site: Running, path: str) -> None:
    for address in (f"/static/{path}", static_url("app.js").replace("app.js", path)):
        answer = await site.client.get(address)
        assert answer.status in (403, 404)
        assert "import" not in answer.text


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/favicon.ico", "image/x-icon"),
        ("/manifest.webmanifest", "application/manifest+json"),
        ("/apple-touch-icon.png", "image/png"),
        ("/apple-touch-icon-precomposed.png", "image/png"),
        ("/apple-touch-icon-120x120.png", "image/png"),
    ],
)
async def test_the_files_at_the_root_are_found(site: Running, path: str, kind: str) -> None:
    answer = await site.client.get(path)
    assert answer.status == 302
    found = await site.client.get(answer.headers["Location"])
    assert (found.status, found.headers["Content-Type"]) == (200, kind)


async def test_icons_are_pictures_of_the_declared_size(site: Running) -> None:
    """Home screens and Safari take PNG only."""
    manifest = (await site.client.get("/static/icons/manifest.webmanifest")).json
    sizes = {"apple-touch-icon.png": (180, 180)} | {
        icon["src"]: (int(icon["sizes"].split("x")[0]),) * 2
        for icon in manifest["icons"]
        if icon["type"] == "image/png"
    }
    assert {(192, 192), (512, 512)} <= set(sizes.values())
    for name, size in sizes.items():
        picture = await site.client.get(f"/static/icons/{name}")
        assert Image.open(io.BytesIO(picture.body)).size == size
        assert len(picture.body) < 8_000
    page = (await site.client.get("/", headers={"Accept": "text/html"})).text
    assert 'rel="apple-touch-icon"' in page
    assert page.count('name="theme-color"') == 2


async def test_the_service_worker_is_at_the_root_and_revalidated(site: Running) -> None:
    """Its scope is its folder, and browsers reject one that is redirected."""
    answer = await site.client.get("/sw.js")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/javascript; charset=UTF-8")
    assert answer.headers["Cache-Control"] == "no-cache"
    assert "fetch" not in answer.text
    assert (await site.client.send("HEAD", "/sw.js")).status == 200


async def test_a_file_cannot_be_written(site: Running) -> None:
    answer = await site.client.post("/static/app.js")
    assert (answer.status, answer.code) == (405, "method")


async def test_an_impossible_name_is_not_found(site: Running) -> None:
    for name in (
        "%00",
        "app.js%00",
        "%00/app.js",
        "icons%00/favicon.svg",
        "a" * 300,
        "%ff",
        "%2e%2e/server.py",
    ):
        for place in ("/static/", "/static/000000000000/"):
            answer = await site.client.get(place + name)
            assert 400 <= answer.status < 500, (place, name, answer.status)


@pytest.mark.parametrize(
    ("accepted", "encoding"), [("gzip, deflate, br", "br"), ("gzip;q=0.5, br;q=0", "gzip")]
)
async def test_a_versioned_script_is_compressed(site: Running, accepted: str, encoding: str) -> None:
    url, headers = static_url("app.js"), {"Accept-Encoding": accepted}
    plain = await site.client.get(url)
    packed = await site.client.get(url, headers=headers)
    unpack = {"br": brotli.decompress, "gzip": gzip.decompress}[encoding]
    assert packed.headers["Content-Encoding"] == encoding
    assert len(packed.body) < len(plain.body) / 2
    assert unpack(packed.body) == plain.body
    assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
    assert packed.headers["Etag"] != plain.headers["Etag"]
    same = ("Content-Type", "Cache-Control", "X-Content-Type-Options")
    assert [packed.headers[name] for name in same] == [plain.headers[name] for name in same]
    again = await site.client.get(url, headers=headers | {"If-None-Match": packed.headers["Etag"]})
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize("accepted", ["", "identity", "br;q=0, gzip;q=0", "zstd", "br;q=x"])
async def test_who_accepts_no_encoding_gets_the_file(site: Running, accepted: str) -> None:
    answer = await site.client.get(static_url("app.js"), headers={"Accept-Encoding": accepted})
    assert "Content-Encoding" not in answer.headers
    assert answer.body == (STATIC / "app.js").read_bytes()


async def test_pictures_ranges_and_other_versions_are_not_compressed(site: Running) -> None:
    accepted = {"Accept-Encoding": "br"}
    font = await site.client.get(static_url("fonts/figtree-latin.woff2"), headers=accepted)
    part = await site.client.get(static_url("app.js"), headers=accepted | {"Range": "bytes=0-9"})
    other = await site.client.get("/static/app.js", headers=accepted)
    missing = await site.client.get(static_url("app.js") + "x", headers=accepted)
    assert [one.status for one in (font, part, other, missing)] == [200, 206, 200, 404]
    assert all("Content-Encoding" not in one.headers for one in (font, part, other, missing))


async def test_a_call_page_is_small(site: Running) -> None:
    """What a browser fetches for the page of a call: measured 341 kB of files, less than half compressed."""
    names = (*modules("call/page.js"), "css/app.css")
    answers = [await site.client.get(static_url(name), headers={"Accept-Encoding": "br"}) for name in names]
    plain = sum((STATIC / name).stat().st_size for name in names)
    assert sum(len(answer.body) for answer in answers) < plain / 2
