"""The words every role shares: parameters, error codes, refusals, metadata documents, PKCE, URIs, challenges.

Pure values and functions: no clock, socket, randomness or store. What a token says lives in ``tokens``;
who decides lives in ``issuer.core`` and ``guard``. Everyone above may call this package.
"""
