"""A headless Chromium, driven by its DevTools protocol over a pipe: for tests and pictures."""
