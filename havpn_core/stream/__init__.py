"""Pure: two gateways that send each other small packets, and what each knows of the line by them.

Neither waits for the other's reply: the receiver judges the silence. So a line that carries one
way only is known at both ends, and the round-trip time is no part of what a decision takes.
"""
