"""Runs a command on a pseudo-terminal with scripted keystrokes. In: steps as JSON ([kind, text]: expect, type, hang up), the command.
Out: which expectation failed, the wait status, and the terminal's modes afterwards. Source: pty(7)."""
import fcntl, json, os, pty, select, struct, sys, termios, time

PATIENCE = 60
steps, command = json.loads(sys.argv[1]), sys.argv[2:]
pid, fd = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    os.execvp(command[0], command)
shown = b""
at = 0


def look(seconds):
    """Takes what the terminal shows; False at its end."""
    global shown
    if select.select([fd], [], [], seconds)[0]:
        try:
            data = os.read(fd, 65536)
        except OSError:
            return False
        shown += data
        return data != b""
    return True


end = time.time() + PATIENCE
for kind, text in steps:
    wanted = text.encode()
    if kind == "type":
        os.write(fd, wanted)
    elif kind == "hang up":
        os.close(fd)
        fd = -1
    else:
        while wanted not in shown[at:]:
            if time.time() > end or not look(0.2) and wanted not in shown[at:]:
                print("not shown:", wanted, "in", shown[at:])
                os.kill(pid, 9)
                sys.exit(1)
        at = shown.index(wanted, at) + len(wanted)
while fd >= 0 and time.time() < end and look(0.2):
    pass
while time.time() < end:
    done, status = os.waitpid(pid, os.WNOHANG)
    if done:
        print("status", hex(status & 0xff7f))
        break
    time.sleep(0.02)
else:
    print("does not end")
    os.kill(pid, 9)
if fd >= 0:
    modes = termios.tcgetattr(fd)
    print("modes", [oct(m) for m in modes[:4]])
