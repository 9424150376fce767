"""What scripts/house is made of: the product's modules, read by ast and never imported."""
