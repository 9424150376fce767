"""What Pacemaker needs of HA-VPN: the resource agent and alerts."""
