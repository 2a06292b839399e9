"""Administering a realm: what there is to be allowed, who may do what, what a change would change.

Decisions and values alone; ``desk/admin`` plans and makes the changes, the native dialect's admin API, the console's pages
and the commands all ask it.
"""
