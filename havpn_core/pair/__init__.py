"""Two gateways that need no cluster manager: pure rules, and the run that does their I/O."""
