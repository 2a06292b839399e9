"""From the tables of each released innkeeper to those of today, one step a file in ``versions``; run by Alembic.

Only ``upgrading`` comes here, for ``innkeeper db upgrade``. A database without tables needs no steps: it gets those of
today from ``schema.sql`` or ``postgres.sql``, and a test holds that both ways lead to the same tables.
"""
