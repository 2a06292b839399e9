"""What Microsoft Entra ID's twin decides: the directory's nouns, the order of its checks, its error codes. Pure.

The twin is a dialect on the house's own realm: people, sessions, codes and refresh tokens are the house's records. What
is decided otherwise than by the house's own rules stands here. Fetching and signing is done in ``desk/entra``, spelling
in ``dialects/entra``. "Facts" in a section name are what was observed of the real service, kept in docs/parity.
"""
