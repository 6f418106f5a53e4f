"""Runs a command in a terminal of 24 by 80 and plays its user.

In: a JSON file of steps {"wait": regular expression, "type": keys}, seconds a step may take, a command.
Out: a line a step, "seen" or "missing" with the expression; then the command's exit status. A step that is missing ends the run.
usage: python3 pty-drive.py STEPS SECONDS COMMAND...
"""

import fcntl
import json
import os
import pty
import re
import select
import struct
import sys
import termios
import time

ESCAPES = re.compile(rb"\x1b\[[0-9;:?>=!]*[a-zA-Z@`]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[()][A-Z0-9]|\x1b[=>78DEHM]|\x1bP[^\x1b]*\x1b\\|[\x0f\x00]")
KILL_AFTER = 20


def main() -> int:
    with open(sys.argv[1], encoding="utf-8") as file:
        steps = json.load(file)
    limit = float(sys.argv[2])
    pid, master = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        os.execvp(sys.argv[3], sys.argv[3:])
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    log = open("terminal.log", "wb")
    seen = b""

    def read(seconds: float) -> bool:
        """More output into `seen`; false when the terminal is closed."""
        nonlocal seen
        if master in select.select([master], [], [], seconds)[0]:
            try:
                data = os.read(master, 65536)
            except OSError:
                return False
            log.write(data)
            log.flush()
            seen += data
            return data != b""
        return True

    for step in steps:
        deadline = time.monotonic() + limit
        pattern = re.compile(step["wait"].encode(), re.DOTALL)
        found = None
        is_open = True
        while True:
            found = pattern.search(ESCAPES.sub(b"", seen))
            if found or not is_open or time.monotonic() > deadline:
                break
            is_open = read(0.2)
        print("seen" if found else "missing", json.dumps(step["wait"]), flush=True)
        if not found:
            os.kill(pid, 9)
            break
        seen = b""
        os.write(master, step["type"].encode())
    deadline = time.monotonic() + max(limit, KILL_AFTER)
    while time.monotonic() < deadline and read(0.2):
        pass
    done, status = os.waitpid(pid, os.WNOHANG)
    end = time.monotonic() + KILL_AFTER
    while done == 0 and time.monotonic() < end:
        time.sleep(0.05)
        done, status = os.waitpid(pid, os.WNOHANG)
    if done == 0:
        os.kill(pid, 9)
        print("does not end")
        return 1
    print("exit", os.waitstatus_to_exitcode(status))
    return 0


sys.exit(main())
