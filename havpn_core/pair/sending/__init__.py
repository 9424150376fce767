"""When the pair's frames go over the LAN of the address, too, and which that come are judged."""
