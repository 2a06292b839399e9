"""How an issuer is served, judged: to browsers, to caches, on time, over TLS."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable
from urllib.parse import urlsplit

import msgspec
from cryptography import x509

from innkeeper.doctor.findings import error, remark, warning
from innkeeper.doctor.probes import ORIGIN, Answer, Issuer, answers
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.trail import Check, Seen, check

NO_CORS = warning(
    "IK833",
    "Pages in a browser cannot read the documents",
    "Without Access-Control-Allow-Origin a script may not see metadata or keys: browser clients stop here.",
    "Send Access-Control-Allow-Origin: * with the metadata and the keys; they are public.",
)
NO_CORS_AT_TOKEN = warning(
    "IK834",
    "Pages in a browser cannot use the token endpoint",
    "The preflight is refused, or does not allow the headers that clients send.",
    "Answer OPTIONS at the token endpoint with the origin, POST, and the headers Authorization, Content-Type and DPoP.",
)
CORS_AT_AUTHORIZE = warning(
    "IK835",
    "The authorization endpoint allows other origins",
    "It is a page for people; a script that may read it could read what it shows.",
    "Send no CORS headers at the authorization endpoint.",
)
NOT_CACHED = remark(
    "IK836",
    "Keys are served without a lifetime, or with a long one",
    "Without one, every verifier asks as often as it likes; for more than a day, a withdrawn key lives on.",
    "Send Cache-Control: public, max-age= between 300 and 86400 with the keys.",
)
CLOCK = warning(
    "IK837",
    "The issuer's clock is off, or yours",
    "Times in tokens are judged to the second, with half a minute of leeway: tokens look expired, or from the future.",
    "Let both machines keep time (NTP).",
)
NOT_TRUSTED = error(
    "IK838",
    "The issuer's certificate is not trusted here",
    "The chain leads to nobody this computer trusts, the name is another, or it has expired.",
    "Install a valid certificate with its chain. For a local authority set SSL_CERT_FILE to its file.",
)
OLD_TLS = warning(
    "IK839",
    "The connection uses an old TLS version",
    "TLS before 1.2 is broken, and clients refuse it.",
    "Offer TLS 1.2 and 1.3 alone.",
)
ENDS_SOON = warning(
    "IK840",
    "The issuer's certificate ends within two weeks",
    "When it ends, every client stops at once.",
    "Renew it, and let it renew itself.",
)

_SOON = 14 * 86400
_SKEW = 5
_LONGEST = 86_400
_WANTED = ("authorization", "content-type", "dpop")


class Line(msgspec.Struct, frozen=True):
    """What a TLS connection showed. ``trouble``: why none could be trusted. Times in seconds since 1970."""

    trouble: str = ""
    version: str = ""
    ends: float = 0


class Served(msgspec.Struct, frozen=True):
    """An issuer as it is served; ``line`` is None where it does not use TLS, as on loopback."""

    shown: Issuer
    now: float
    line: Line | None = None


Dial = Callable[[str], Line | None]
"""Looks at the TLS of an address; None for http."""


@check("MCP authorization; CORS protocol")
def pages_can_read_documents(case: Served) -> Seen | Refusal:
    """Metadata and keys say that any page may read them."""
    shut = [one.url for one in (case.shown.found, case.shown.keys) if one and one.status == 200 and not _open(one)]
    if shut:
        return Refusal(NO_CORS, f"not readable: {', '.join(shut)}", "Access-Control-Allow-Origin", "none")
    return Seen("readable")


@check("MCP authorization; CORS protocol")
def pages_can_ask_for_tokens(case: Served) -> Seen | Refusal:
    """The token endpoint answers a browser's preflight and allows the headers of clients."""
    answer = case.shown.preflight
    if answer is None:
        return Seen("no token endpoint")
    if answer.trouble or answer.status >= 300 or not _open(answer):
        return Refusal(NO_CORS_AT_TOKEN, answer.line, "204 with CORS headers", str(answer.status))
    lacking = not_allowed(answer, _WANTED)
    if lacking:
        return Refusal(NO_CORS_AT_TOKEN, f"headers not allowed: {', '.join(lacking)}", ", ".join(_WANTED), "not all")
    return Seen("allowed")


@check("OAuth for browser-based applications; RFC 9700 §2.6")
def authorization_is_for_people(case: Served) -> Seen | Refusal:
    """The authorization endpoint allows no script of another origin."""
    answer = case.shown.authorize
    if answer and not answer.trouble and _open(answer):
        found = answer.header("access-control-allow-origin") or ""
        return Refusal(CORS_AT_AUTHORIZE, f"it allows {found}", "no CORS headers", found)
    return Seen("no CORS headers")


@check("RFC 9111 §5.2.2")
def keys_have_a_lifetime(case: Served) -> Seen | Refusal:
    """The keys may be kept for a while, and for no longer than a day."""
    said = (case.shown.keys.header("cache-control") if case.shown.keys else "") or "no Cache-Control"
    found = re.search(r"max-age=(\d+)", said)
    if not found or not 1 <= int(found[1]) <= _LONGEST or "no-store" in said:
        return Refusal(NOT_CACHED, f"the keys are served with {said}", "max-age up to a day", said)
    return Seen(said)


@check("RFC 7519 §4.1.4; RFC 9110 §6.6.1")
def clocks_agree(case: Served) -> Seen | Refusal:
    """The server's time is ours, within a few seconds."""
    skews = [one.skew for one in answers(case.shown) if one.skew is not None]
    worst = max(skews, key=abs, default=None)
    if worst is not None and abs(worst) > _SKEW:
        way = "ahead of" if worst > 0 else "behind"
        return Refusal(CLOCK, f"its clock is {abs(worst):.0f} s {way} ours", f"within {_SKEW} s", f"{worst:.0f} s")
    return Seen("told no time" if worst is None else f"within {abs(worst):.0f} s")


@check("RFC 9325 §3")
def certificate_is_trusted(case: Served) -> Seen | Refusal:
    """The certificate is valid for this name and by someone this computer trusts."""
    if case.line and case.line.trouble:
        return Refusal(NOT_TRUSTED, case.line.trouble, "a trusted certificate", "none")
    return Seen("trusted" if case.line else "no TLS on loopback")


@check("RFC 9325 §3.1.1")
def tls_is_recent(case: Served) -> Seen | Refusal:
    """The connection uses TLS 1.2 or 1.3."""
    version = case.line.version if case.line else ""
    if version and version not in {"TLSv1.2", "TLSv1.3"}:
        return Refusal(OLD_TLS, f"it uses {version}", "TLSv1.2 or TLSv1.3", version)
    return Seen(version or "no TLS on loopback")


@check("RFC 5280 §4.1.2.5")
def certificate_lasts(case: Served) -> Seen | Refusal:
    """The certificate does not end within two weeks."""
    if not case.line or not case.line.ends:
        return Seen("no certificate seen")
    left = case.line.ends - case.now
    if left < _SOON:
        return Refusal(ENDS_SOON, f"it ends in {left / 86400:.1f} days", "two weeks", f"{left / 86400:.1f} days")
    return Seen(f"{left / 86400:.0f} days left")


TRANSPORT_CHECKS: tuple[Check[Served], ...] = (
    pages_can_read_documents,
    pages_can_ask_for_tokens,
    authorization_is_for_people,
    keys_have_a_lifetime,
    clocks_agree,
    certificate_is_trusted,
    tls_is_recent,
    certificate_lasts,
)


def not_allowed(answer: Answer, wanted: tuple[str, ...]) -> list[str]:
    """The headers that a preflight's answer does not allow. A star does not stand for Authorization."""
    allowed = {one.strip().lower() for one in (answer.header("access-control-allow-headers") or "").split(",")}
    return [name for name in wanted if name not in allowed and ("*" not in allowed or name == "authorization")]


def dial(address: str, timeout: float = 10) -> Line | None:
    """Look at the TLS of an address: who it is, how it speaks, until when."""
    parts = urlsplit(address)
    if parts.scheme != "https" or not parts.hostname:
        return None
    context = ssl.create_default_context()
    try:
        with (
            socket.create_connection((parts.hostname, parts.port or 443), timeout) as plain,
            context.wrap_socket(plain, server_hostname=parts.hostname) as line,
        ):
            certificate = x509.load_der_x509_certificate(line.getpeercert(binary_form=True) or b"")
            return Line("", line.version() or "", certificate.not_valid_after_utc.timestamp())
    except ssl.SSLCertVerificationError as error:
        return Line(f"{parts.netloc}: {error.verify_message}")
    except (OSError, ValueError) as error:
        return Line(f"{parts.netloc}: {error}")


def _open(answer: Answer) -> bool:
    return answer.header("access-control-allow-origin") in {"*", ORIGIN}
