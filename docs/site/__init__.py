"""The documentation as a site: pages gathered from ``docs/``, diagrams drawn from real traffic, built by Zensical.

``python -m docs.site`` builds it into ``site/``. ``gather`` lays the pages into a folder of their own and mends links that
lead out of ``docs/``; ``record`` opens a house and plays the tour's chapters; ``draw`` makes pictures of what was recorded;
``weave`` puts them where a page asks for them.
"""
