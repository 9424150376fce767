"""The parts of stream: the sockets and the timer of all streams, and what is said of one."""
