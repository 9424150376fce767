"""Study a line without touching a role: replay, simulation, recording, pictures, demo."""
