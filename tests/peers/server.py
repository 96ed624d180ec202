"""Runs a server of its own for as long as a command takes: server.py COMMAND [ARGUMENT…]

The command finds the server by KITWARD_URL.
"""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

SECRETS = ["whsec_peers_1", "whsec_peers_2"]


def plain_environment():
    """Ours, without settings: the server refuses those it does not know."""
    return {name: value for name, value in os.environ.items() if not name.startswith("KITWARD_")}


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def is_ready(port):
    """True where the server on this port answers its readiness check with 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def wait_until_ready(process, port, seconds=60):
    end = time.monotonic() + seconds
    while not is_ready(port):
        if process.poll() is not None:
            raise SystemExit(f"the server ended with status {process.returncode} before it was ready")
        if time.monotonic() > end:
            raise SystemExit(f"the server was not ready within {seconds} s")
        time.sleep(0.05)


def stop(process):
    """Ends a child: orderly within 20 seconds, else by force."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def serving(changed=None):
    """A fresh `kitward serve` in a folder of its own, with some settings changed; gives its address."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="kitward-peers-") as folder:
        settings = {
            "KITWARD_DATA_DIR": f"{folder}/data",
            "KITWARD_LISTEN": f"127.0.0.1:{port}",
            "KITWARD_PUBLIC_URL": f"http://localhost:{port}",
            "KITWARD_STRIPE_SECRET_KEY": "sk_test_peers",
            "KITWARD_STRIPE_WEBHOOK_SECRETS": ",".join(SECRETS),
            "KITWARD_MAIL_SMTP_URL": "smtp://127.0.0.1:9",
            "KITWARD_MAIL_FROM": "licenses@example.com",
        }
        log_path = f"{folder}/log"
        with open(log_path, "wb") as log:
            process = subprocess.Popen(
                [os.environ["KITWARD_BIN"], "serve"],
                cwd=folder, env=plain_environment() | settings | (changed or {}), stdin=subprocess.DEVNULL, stdout=log,
                stderr=log,
            )
        try:
            wait_until_ready(process, port)
            yield f"http://localhost:{port}"
        except BaseException:
            with open(log_path, errors="replace") as log:
                sys.stderr.write("".join(log.readlines()[-40:]))
            raise
        finally:
            stop(process)


def main():
    with serving() as url:
        status = subprocess.run(sys.argv[1:], env=os.environ | {"KITWARD_URL": url}).returncode
        if status:
            raise SystemExit(status)


if __name__ == "__main__":
    main()
