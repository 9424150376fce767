"""Plugins that come from elsewhere than a package: single files in a folder of this host."""
