"""Pure: the site file as values: options, and the sites, gateways and lines that they make."""
