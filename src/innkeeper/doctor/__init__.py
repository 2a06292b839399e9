"""The doctor: looks at an issuer, or at an MCP server and its issuer, as clients meet them, and says what is wrong.

``probes`` ask and write down what came (facts); ``documents``, ``key_sets``, ``transport`` and ``mcp`` judge the facts,
one check a rule, each with a severity and a numbered finding; ``examination`` joins them into a report; ``recipes`` are
what to configure, to paste. Nothing is signed in, no secret is sent.
"""
