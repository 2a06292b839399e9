"""Keys: documents and signatures here, the ring that makes, rotates and publishes them beside it.

``jws`` signs and verifies, ``jwk`` reads and writes public keys, ``ring`` and ``seal`` keep private ones. What a
token says lives in ``tokens``; where a foreign issuer's keys are fetched lives in ``guard``.
"""
