"""Administering at work: each change is planned, shown and then made, for the admin API, the console and the commands alike.

``actions`` is the table of all changes, ``readings`` that of all that can be looked at; ``acting`` makes a change, ``entering``
finds out who asks.
"""
