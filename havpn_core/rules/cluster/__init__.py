"""Pure: what a gateway does by itself in a cluster whose manager says little of its partner."""
