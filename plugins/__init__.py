"""The plugins that come with HA-VPN, one type a file."""
