"""The actions of this gateway: which there are, what they show, what comes before a change."""
