"""Amazon Cognito user pools as they are spoken: paths, forms, JSON operations, tokens, error words.

``oauth`` has the endpoints of a pool's domain and issuer, ``api`` the JSON API, one file a family of operations; ``hosts``
tells which of the cloud's host names means what. What is decided stands in ``core.cognito``.
"""
