"""What another issuer's export says of its people and clients, as they would be remembered here. Pure.

One file an issuer: each reads that issuer's own form and gives ``Arrivals``, with a sentence for everything that cannot be
taken along. Who is here already is the desk's to know (``desk/arrivals.py``).
"""
