"""The grants that Entra speaks, one file each; strangers to each other, joined by ``token_request``."""
