"""OAuth that explains itself: an issuer, a guard and a client.

The wings are imported by name (``innkeeper.guard``, ``innkeeper.client``, ``innkeeper.issuer``), so that
whoever needs one loads no other.
"""

__version__ = "0.1.0"
