"""The Entra twin at work: fetch from the directory and the store, ask ``core/entra``, commit, sign.

People, sessions, codes, grants and refresh tokens are kept as the house keeps its own; applications, service principals
and what is granted to them are Microsoft Graph documents in ``books``. Called by ``dialects/entra`` and ``pages/entra``.
"""
