"""One grant a file, strangers to each other; ``core.token`` knows them all by their grant type."""
