"""Your own traffic: what an application of the developer's says to this house, live, with every decision and its trail.

Lives here: the layer that records, the ring that remembers, what of a message is shown and what stays masked, sending again,
and the pages at ``/tour/watch``. It is there on a developer's own computer alone, and asleep until somebody watches.
"""
