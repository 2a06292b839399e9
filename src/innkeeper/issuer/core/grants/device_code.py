"""A device asks whether its person has said yes, and is given tokens once (``core.device_authorization``)."""
