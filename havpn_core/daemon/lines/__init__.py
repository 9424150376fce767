"""Which line each site uses, and an operator's order that both use one."""
