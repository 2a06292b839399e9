"""ASGI: bytes to a typed request, a reply to bytes, limits and cross-origin headers in between."""
