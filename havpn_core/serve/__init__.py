"""What others may read of this gateway over HTTP: metrics, liveness, status, history, the page."""
