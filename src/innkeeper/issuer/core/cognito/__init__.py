"""What an Amazon Cognito user pool decides: its own order of checks, its own words for every refusal.

Here are the rules, pure. The wire is in ``dialects.cognito``, what is fetched and committed in ``desk.cognito``, the
hosted pages in ``pages.cognito``. Refusals bear the numbers IK1000 to IK1199 and say how sure we are of each.
"""
