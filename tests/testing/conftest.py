"""The fixtures under test, by their own names."""

from innkeeper.testing.plugin import innkeeper_issuer, innkeeper_server, innkeeper_settings

__all__ = ["innkeeper_issuer", "innkeeper_server", "innkeeper_settings"]
