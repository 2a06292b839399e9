"""The certificate that a server speaks TLS with, taken up anew when its files change (RFC 8446)."""

from __future__ import annotations

import logging
import ssl
from pathlib import Path

from innkeeper.protocol.refusals import UsageError

_NO_QUESTION = ""
"""For a key under a password: nobody is there to be asked for it, so it is refused."""

log = logging.getLogger("innkeeper.tls")


class Pair:
    """A certificate with its chain, and its private key, in PEM files; one file where it holds both.

    ``authorities`` is a PEM file of those who vouch for callers' certificates; with it, callers are asked for one.
    """

    def __init__(self, certificate: Path, key: Path | None = None, authorities: Path | None = None) -> None:
        self.certificate = certificate
        self.key = key
        self.authorities = authorities
        self._taken = self._changed()

    def judge(self) -> None:
        """Raises ``UsageError`` where no server could speak with it."""
        why = self._why_not()
        if why:
            raise UsageError(f"tls_certificate {self.certificate}, tls_key {self.key or self.certificate}: {why}")

    def renew(self, context: ssl.SSLContext) -> bool:
        """Have new connections made with what is in the files now, if that changed and is any good."""
        now = self._changed()
        if now == self._taken:
            return False
        self._taken = now
        why = self._why_not()
        if why:
            log.warning("%s stays in use as it was read before: %s", self.certificate, why)
            return False
        context.load_cert_chain(self.certificate, self.key, _NO_QUESTION)
        log.info("%s was read anew", self.certificate)
        return True

    def _why_not(self) -> str:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self.certificate, self.key, _NO_QUESTION)
        except FileNotFoundError:
            return "there is no such file"
        except ssl.SSLError as error:
            return f"not a certificate in PEM and its own key ({error.reason or 'unreadable'})"
        except OSError as error:
            return str(error.strerror)
        return ""

    def _changed(self) -> tuple[int, ...]:
        """When the files were changed; they may be links that are turned to other files."""
        try:
            files = [self.certificate] if self.key is None else [self.certificate, self.key]
            return tuple(mark for one in files for mark in (one.stat().st_mtime_ns, one.stat().st_ino))
        except OSError:
            return ()
