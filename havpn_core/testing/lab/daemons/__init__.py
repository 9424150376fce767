"""The daemons that run on the lab's hosts."""
