"""What builds the documentation as a site: the hooks of mkdocs, and the pictures."""
