"""Pure: what is rendered from a model, one module and one template a kind of file."""
