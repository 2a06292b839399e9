"""Whether a form was sent from the tour's own page (Fetch Metadata; RFC 6454 §7 for older browsers)."""

from __future__ import annotations

from collections.abc import Mapping


def why_foreign(headers: Mapping[str, str], base_url: str) -> str | None:
    """None for our own page, or for a program that is no browser; else why the request is refused.

    A browser says where a request comes from and no page can make it lie. A program that sends neither header
    carries no one's cookies, so there is nothing to steal.
    """
    site, origin, host = headers.get("sec-fetch-site"), headers.get("origin"), headers.get("host")
    if f"http://{host}" != base_url and f"https://{host}" != base_url:
        return f"This house is at {base_url}; the form was sent to another name."
    if site is not None and site not in {"same-origin", "none"}:
        return "The form was sent from another site."
    if site is None and origin is not None and origin != base_url:
        return "The form was sent from another site."
    return None
