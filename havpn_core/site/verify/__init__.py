"""Pure: what is wrong in a site file as a whole, one module a group of rules."""
