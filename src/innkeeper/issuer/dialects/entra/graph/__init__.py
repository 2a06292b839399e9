"""Microsoft Graph as far as applications, people and what they may do are managed with it; one file a family.

Each family says which paths it answers, which permissions a call needs, and what comes of it; ``gate`` reads the token and
``odata`` spells lists and errors. Used by azuread's Terraform provider, the Azure CLI and msgraph-sdk.
"""
