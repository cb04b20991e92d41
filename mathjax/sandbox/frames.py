"""What goes between the caller and a worker: a length and so many bytes each way; a verdict for each program."""

import struct

LENGTH = struct.Struct("!I")
VERDICT = struct.Struct("!8siddII")  # why it was ended, wait status, CPU seconds, seconds, bytes printed, of stderr


def receive(control, length: int) -> bytes:
    """So many bytes of a socket; EOFError where it ends before."""
    parts = []
    while length:
        part = control.recv(min(length, 1 << 20))
        if not part:
            raise EOFError("the other end of the socket is closed")
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def receive_frame(control) -> bytes:
    return receive(control, LENGTH.unpack(receive(control, LENGTH.size))[0])


def frame(content: bytes) -> bytes:
    return LENGTH.pack(len(content)) + content


def send(control, *parts):
    """Send the parts without a copy, which would stay behind in the memory that programs inherit."""
    parts = [memoryview(part) for part in parts]
    while parts:
        sent = control.sendmsg(parts)
        while parts and sent >= len(parts[0]):
            sent -= len(parts.pop(0))
        if parts:
            parts[0] = parts[0][sent:]
