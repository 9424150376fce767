"""From the wish to the next effect: what is, what is wanted, what to do now; pure."""
