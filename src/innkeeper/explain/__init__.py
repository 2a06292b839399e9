"""Readers of tokens, made to speak: what a guard, an MCP server or Amazon Bedrock AgentCore makes of a token, and the
change that would mend a no.

``verdicts`` is what a reader answers, ``mending`` the changes; one file a kind of reader beside them. What a name in
a token means stands in ``tokens``; the terminal is ``cli``'s. A token goes nowhere from here: only documents and keys
are fetched.
"""
