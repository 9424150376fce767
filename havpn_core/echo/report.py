"""The echo question to which a responder of ours adds what it received.

To any other echo service (RFC 862) it is a payload like others and comes back unchanged. The
layout, big-endian: magic 4, session 8, sequence 4, nonce 16, epoch 4, received 4. The last two
are zero in the question; a responder of ours fills them in. Nothing grows: no amplification.
"""

import struct

MAGIC = b"HAV\x01"
SESSION_BYTES = 8
_LAYOUT = struct.Struct("!4s8sI16sII")
_ANSWER = struct.Struct("!II")
REPORT_BYTES = _LAYOUT.size
"""The least size of such a question, 40."""


def pack_question(session: bytes, sequence: int, nonce: bytes) -> bytes:
    """Make the first 40 bytes of a question."""
    return _LAYOUT.pack(MAGIC, session, sequence, nonce, 0, 0)


def unpack_answer(answer: bytes, session: bytes) -> tuple[bytes, int, int, int] | None:
    """Give nonce, sequence, received and epoch of an answer of our session.

    The epoch is 0 if the far end is no responder of ours.
    """
    if len(answer) < REPORT_BYTES:
        return None
    magic, found, sequence, nonce, epoch, received = _LAYOUT.unpack_from(answer)
    return (nonce, sequence, received, epoch) if (magic, found) == (MAGIC, session) else None


class Sessions:
    """What a responder counts.

    :param epoch: any number but 0, another one at every start.
    :param most: sessions remembered; the one not heard for longest gives way.
    """

    def __init__(self, epoch: int, most: int = 1024) -> None:
        self._epoch, self._most = epoch, most
        self._received: dict[tuple[str, bytes], int] = {}

    def answer(self, host: str, question: bytes) -> bytes:
        """Count a question and give the answer to it, which is as long."""
        if len(question) < REPORT_BYTES or not question.startswith(MAGIC):
            return question
        key = (host, question[4:12])
        received = self._received.pop(key, 0) + 1
        if len(self._received) >= self._most:
            self._received.pop(next(iter(self._received)))
        self._received[key] = received
        end = REPORT_BYTES - _ANSWER.size
        report = _ANSWER.pack(self._epoch, received & 0xFFFFFFFF)
        return question[:end] + report + question[REPORT_BYTES:]
