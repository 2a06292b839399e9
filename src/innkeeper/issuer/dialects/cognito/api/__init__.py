"""The JSON API of user pools: one file a family of operations, joined in ``dispatch``.

An operation is a function of the place and its input, read into a struct; it answers its output under the API's names or
raises ``Declined``. Signatures of administrators are asked for and not verified: there is nobody to ask whose they are.
"""
