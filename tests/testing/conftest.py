"""The fixtures under test, by their own names."""

from innkeeper.testing.plugin import (
    innkeeper_clouds,
    innkeeper_issuer,
    innkeeper_server,
    innkeeper_settings,
    innkeeper_twins,
)

__all__ = ["innkeeper_clouds", "innkeeper_issuer", "innkeeper_server", "innkeeper_settings", "innkeeper_twins"]
