"""What innkeeper costs beside its peers, measured in interleaved runs that anyone can repeat (``make bench``)."""
