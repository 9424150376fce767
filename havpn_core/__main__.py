"""``python -m havpn_core`` is ``havpn``."""

from havpn_core.cli import main

if __name__ == "__main__":
    main()
