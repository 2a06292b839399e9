"""The same visit from a terminal: command lines that get the same card and ask the same doors."""

from __future__ import annotations

import shlex

from innkeeper.tour.house import DOORS, House
from innkeeper.tour.visit import Visit

Line = dict[str, str]


def commands(visit: Visit, house: House) -> list[Line]:
    """What to type to have the same result, each line with what it does."""
    token = _token(visit, house)
    if not token:
        return []
    reader = ["innkeeper", "explain", "--issuer", house.base_url, "--audience", house.resource, "--scope", "vip:enter"]
    door = f'curl -i -H "Authorization: Bearer $({token})" {house.resource}{DOORS["gym"].path}'
    return [
        {"says": _GETS[visit.flow], "line": token, "prints": ""},
        {
            "says": "Reads the card as the VIP lounge would, check by check.",
            "line": f"{token} | {shlex.join(reader)}",
            "prints": "",
        },
        {"says": "Holds the card to the gym’s door.", "line": door, "prints": ""},
        {"says": "Takes both visits in the terminal, bad cards included.", "line": "innkeeper tour", "prints": ""},
    ]


_GETS = {
    "guest": "Gets a card the way you did: opens the browser, comes back, prints the token.",
    "agent": "Gets the concierge’s card. Asks for its secret, which stands in the settings.",
}


def _token(visit: Visit, house: House) -> str:
    """The command that prints such a token, "" for a visit that has no card of its own."""
    if visit.flow == "walk":
        return ""
    guest = visit.flow == "guest"
    client = ["--client-id", house.client_id] if guest else ["--client-id", house.agent[0], "--client-secret", "-"]
    scope = " ".join(house.scopes if guest else house.agent_scopes)
    command = [
        "innkeeper",
        "token",
        "--issuer",
        house.base_url,
        *client,
        "--scope",
        scope,
        "--resource",
        house.resource,
    ]
    return shlex.join(command)
