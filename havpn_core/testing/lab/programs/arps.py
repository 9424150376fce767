"""Print a line for each ARP frame that arrives: seconds of the real-time clock, sender, address.

Usage: ``arps.py INTERFACE``. The time is the kernel's, taken when the frame came in.
"""

import socket
import struct
import sys

ETH_P_ARP = 0x0806
SO_TIMESTAMPNS = 35
STAMP = struct.Struct("@qq")


def main() -> None:
    """Listen without end."""
    ear = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ARP))
    ear.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    ear.bind((sys.argv[1], ETH_P_ARP))
    print("listening", flush=True)
    while True:
        frame, ancillary, _, _ = ear.recvmsg(128, 64)
        for level, kind, data in ancillary:
            if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
                seconds, nanoseconds = STAMP.unpack(data)
                sender, address = frame[22:28].hex(":"), socket.inet_ntoa(frame[28:32])
                print(f"{seconds + nanoseconds / 1e9:.6f} {sender} {address}", flush=True)


if __name__ == "__main__":
    main()
