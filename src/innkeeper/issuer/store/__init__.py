"""What the issuer remembers: records in, records out, and one ``commit`` that is all or nothing.

A store judges nothing: it checks no secret, knows no expiry rule and mints nothing. ``port`` is what every
engine offers; ``sqlite`` is one machine's engine. Called by ``desk`` only.
"""
