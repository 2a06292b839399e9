"""The desk of the Cognito twin: fetches a pool's facts, asks ``core.cognito``, commits, cuts tokens.

One store serves all pools: what the account owns (pools, clients, resource servers, domains) lies in one realm of it, each
pool's people, grants and keys in a realm named by the pool. Whatever is refused is raised as ``Declined``, with its trail.
"""
