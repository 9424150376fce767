"""Find gateways as they are: in the rendered tree, in copies of them, or over ``ssh``."""
