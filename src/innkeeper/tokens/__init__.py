"""What a token says: building claims, checking claims, and the trail of every check made.

Pure. One file a kind of token. Signatures are made and verified in ``keys``; who may have which token is
decided in ``issuer.core``; whether a token opens a door is asked by ``guard``.
"""
