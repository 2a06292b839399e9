"""Microsoft Entra ID's dialect: its addresses, discovery documents, form fields, error bodies, and its Microsoft Graph.

It spells; ``core/entra`` decides. The guard's preset for Entra shares no code with it, so that one wrong belief cannot
pass on both sides.
"""
