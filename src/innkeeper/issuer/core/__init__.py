"""Decisions, one file an endpoint, one file a grant; each an ordered table of checks.

Pure: facts, policy and the time come in, a ``Decision`` goes out. Fetching facts and committing effects is
the ``desk``'s work; wire words are the ``dialects``'.
"""
