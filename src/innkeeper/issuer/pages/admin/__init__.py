"""The console at ``/admin``: what administrators see and change, page by page, without scripts.

It shows what the readings and actions of ``desk/admin`` give; a change is shown as a difference before it is made.
"""
