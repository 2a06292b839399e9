"""Pictures of tokens for notebooks: claims with their meaning, when a token opens, who asked whom, which check said no,
who acts for whom.

Each function takes plain values and gives a ``Figure``, which Jupyter shows and ``print`` puts into words. Pure: nothing
is fetched and nothing is verified here. A figure never holds a whole token: signatures are left out.
"""

from innkeeper.figures.acting import acting, common
from innkeeper.figures.claims import claims, parts
from innkeeper.figures.drawing import Figure
from innkeeper.figures.hours import hours
from innkeeper.figures.ladder import Message, ladder
from innkeeper.figures.matrix import matrix

__all__ = ["Figure", "Message", "acting", "claims", "common", "hours", "ladder", "matrix", "parts"]
