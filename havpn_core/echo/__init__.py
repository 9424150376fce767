"""The UDP echo responder that the far end probes."""
