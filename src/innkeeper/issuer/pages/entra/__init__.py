"""What people see of the Entra twin: sign-in, consent, device and sign-out, in the house's own style and words.

The templates stand in ``templates``, beside the house's; where the house's own page says the same, it is used. None
needs JavaScript; only form_post's page submits itself where scripts run.
"""
