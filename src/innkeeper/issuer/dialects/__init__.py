"""How each realm spells requests, tokens, errors and its endpoints; strangers to each other.

A dialect hands the desk a token shape, and ``http`` and ``pages`` a layout of addresses. It decides nothing.
"""
