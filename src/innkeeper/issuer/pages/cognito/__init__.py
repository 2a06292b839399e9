"""The hosted pages of a user pool: sign-in, sign-up, forgotten passwords, codes, sign-out, and the outbox of this computer.

Forms without a script. What a form carries and where it goes is as in Cognito's own hosted pages, so that what drives those
drives these; how it looks is ours.
"""
