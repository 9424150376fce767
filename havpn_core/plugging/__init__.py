"""What plugins are, how they are found, and the one gate through which they are called."""
