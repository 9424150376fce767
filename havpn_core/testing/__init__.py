"""What plugin authors test with, and the network lab."""
