"""Runs a program so that what it sends to Amazon Cognito or Microsoft Entra ID goes to the twins on this computer.

``hosts`` says which hosts are meant, ``proxy`` takes the program's TLS connections to them and hands what is inside to the
inn, ``trust`` makes the throw-away authority that the program trusts for it, ``environment`` tells every runtime of both,
``names`` is the way for programs that take no proxy, ``running`` joins them around one command. Nothing on the machine
outlives the command. The twins themselves are realms of the issuer; nothing here knows what they say. Called by ``cli`` and
``testing``.
"""
