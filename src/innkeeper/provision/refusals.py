"""What keeps a cloud from being set up, or from being cleared: the numbered pages."""

from __future__ import annotations

from innkeeper.protocol.refusals import Page

NO_CREDENTIALS = Page(
    "IK641",
    error="access_denied",
    title="There are no credentials for the cloud",
    cause="Neither the environment nor a signed-in command line of the cloud says who is asking.",
    remedy="For AWS: aws configure, or AWS_PROFILE. For Entra ID: az login with innkeeper[azure], or AZURE_TENANT_ID, "
    "AZURE_CLIENT_ID and AZURE_CLIENT_SECRET.",
    wire="",
)
CLOUD_REFUSED = Page(
    "IK642",
    error="access_denied",
    title="The cloud refused a step",
    cause="The cloud answered a call with a no of its own, which is told as it came.",
    remedy="Mend what the cloud's words name, most often a missing permission, and run the same command again: what was made "
    "is found and left as it is.",
    wire="",
)
NOT_OURS = Page(
    "IK643",
    error="access_denied",
    title="Something of that name is there and was not made by innkeeper",
    cause="A domain or identifier that is to be made belongs to something that does not bear innkeeper's mark.",
    remedy="Choose another name in the inputs, or remove the other thing yourself if nobody needs it.",
    wire="",
)
MARKED_TWICE = Page(
    "IK644",
    error="server_error",
    title="Two things bear the same mark",
    cause="Two runs at the same moment each made one, or somebody copied one with its tags.",
    remedy="Look at both, and take the mark from the one that is not to be touched, or delete it.",
    wire="",
)
HOLDS_OTHERS = Page(
    "IK645",
    error="access_denied",
    title="What is to be destroyed holds things of others",
    cause="Accounts of people, or clients that innkeeper did not make, would be gone with it.",
    remedy="Remove or move them first, or give --with-everything-in-it.",
    wire="",
)
PROTECTED = Page(
    "IK646",
    error="access_denied",
    title="The user pool is protected from deletion",
    cause="deletion_protection is on, so that nobody deletes people's accounts by mistake.",
    remedy="Set deletion_protection=false, provision once more, and then destroy.",
    wire="",
)
