"""How far emulators of Amazon Cognito go: one check list, several emulators, through boto3 and plain HTTP alone.

``python -m bench.twins`` runs it for innkeeper and for whichever of the others are installed; ``checks`` is the list. A check is
something that code for Cognito relies on, or that Cognito refuses and an emulator might let pass.
"""
