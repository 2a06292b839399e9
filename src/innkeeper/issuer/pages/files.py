"""The stylesheet, the mark and the one script, held in memory and served with validators (RFC 9110 §8.8.3)."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files as package_files
from types import MappingProxyType
from typing import Final
from urllib.parse import parse_qs

import msgspec

from innkeeper.protocol.exchange import Reply, Request


def static_reply(path: str, request: Request) -> Reply | None:
    """The file named ``path`` ("house.css", the part after the static prefix), or None where there is none.

    Answers 304 to a matching ``If-None-Match``. An address that carries the file's version (``?v=``) may be
    kept for a year; any other must be asked for again, so that an upgrade shows at once.
    """
    file = _files().get(path)
    if file is None:
        return None
    headers = (("cache-control", _cache_control(file, request)), ("etag", f'"{file.version}"'))
    if _already_has(file, request):
        return Reply(304, headers)
    return Reply(200, (("content-type", file.kind), ("x-content-type-options", "nosniff"), *headers), file.body)


def static_names() -> list[str]:
    """The names of all files served."""
    return sorted(_files())


def version_of(name: str) -> str:
    """The version of a static file, a digest of its bytes. Raises ``KeyError`` for a file that is not ours."""
    return _files()[name].version


class _File(msgspec.Struct, frozen=True):
    body: bytes
    kind: str
    version: str


@cache
def _files() -> MappingProxyType[str, _File]:
    folder = package_files(__package__) / "static"
    kinds = {entry: _KINDS.get(entry.name.rpartition(".")[2]) for entry in folder.iterdir()}
    return MappingProxyType({entry.name: _file(entry.read_bytes(), kind) for entry, kind in kinds.items() if kind})


def _file(body: bytes, kind: str) -> _File:
    return _File(body, kind, hashlib.sha256(body).hexdigest()[:16])


def _cache_control(file: _File, request: Request) -> str:
    asked = parse_qs(request.query).get("v", [""])[0]
    return "public, max-age=31536000, immutable" if asked == file.version else "no-cache"


def _already_has(file: _File, request: Request) -> bool:
    held = request.headers.get("if-none-match", "")
    return held == "*" or f'"{file.version}"' in held


_KINDS: Final = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
