"""The only loop: fetch facts, ask ``core``, commit what it decided, sign what is to be handed out.

One file an endpoint, named as in ``core``. Clock and randomness enter here. How requests and answers are
spelt is the ``dialects``' business; what people see, the ``pages``'.
"""
