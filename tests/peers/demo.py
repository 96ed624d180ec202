"""A running `kitward demo`, and what it printed."""

import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import time

from server import free_port, plain_environment, stop, wait_until_ready


class Demo:
    def __init__(self, port, lines):
        self.url = f"http://localhost:{port}"
        self.lines = lines

    def value(self, label):
        """What stands behind `label:` in the output."""
        for line in self.lines:
            name, colon, value = line.strip().partition(":")
            if colon and name == label:
                return value.strip()
        raise SystemExit(f"kitward demo printed no line '{label}: …'")

    def curl_lines(self):
        """Every printed command, as printed; a trailing backslash continues it."""
        commands, open_command = [], None
        for line in self.lines:
            if open_command is None and not line.lstrip().startswith("curl "):
                continue
            open_command = line if open_command is None else f"{open_command}\n{line}"
            if not line.endswith("\\"):
                commands.append(open_command)
                open_command = None
        return commands


@contextlib.contextmanager
def demo():
    """Starts it on a free port, waits until it is ready and has printed its walkthrough."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="kitward-demo-") as folder:
        process = subprocess.Popen(
            [os.environ["KITWARD_BIN"], "demo", "--port", str(port)],
            cwd=folder, env=plain_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        )
        lines, last_line = [], [time.monotonic()]

        def read():
            for line in process.stdout:
                lines.append(line.rstrip("\n"))
                last_line[0] = time.monotonic()

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        try:
            wait_until_ready(process, port)
            end = time.monotonic() + 60
            # Ready and silent for a second: it has said what it has to say.
            while not Demo(port, lines).curl_lines() or time.monotonic() - last_line[0] < 1:
                if time.monotonic() > end:
                    raise SystemExit("kitward demo printed no curl line within 60 s")
                time.sleep(0.1)
            yield Demo(port, list(lines))
        except BaseException:
            print("kitward demo printed:", *lines, sep="\n  ", file=sys.stderr)
            raise
        finally:
            stop(process)
            reader.join(timeout=5)
