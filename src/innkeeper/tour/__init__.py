"""The tour: plays real flows against the running house and draws each message, claim and check.

Lives here: the tap that records a visit, the tour's own client, the words that explain, the pages at ``/`` and
``/tour``, and ``walk``, the same tour without a screen. Rules of OAuth do not: issuer and guard decide, and the
tour shows what they said. ``cli.up`` joins it to the site by ``tour.app.make_tour``; ``cli.tour`` calls ``walk``.
"""
