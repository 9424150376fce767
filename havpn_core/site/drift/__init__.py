"""Pure: how a gateway differs from what is rendered for it: files, status, loaded tunnels."""
