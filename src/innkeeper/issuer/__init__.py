"""The authorization server: signs people in, asks their consent, cuts tokens.

``core`` decides, ``store`` remembers, ``desk`` joins the two, ``dialects`` say it as native, Cognito or Entra,
``http`` and ``pages`` speak to the network and to people, ``app`` puts it together. Tokens are verified by
``guard``, which knows nothing of this package.
"""
