"""What the guard knows of each provider: one file a provider, strangers to one another.

A preset is a value: what the provider's tokens must look like, how its claims are spelled, and checks of its own.
It shares no code with the issuer's dialect for the same provider; the two meet in tests only.
"""
