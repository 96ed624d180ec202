"""A mail server on loopback that keeps what it is given."""

import contextlib
import email
import email.policy
import itertools
import re
import socketserver
import threading
import time


class Dialog(socketserver.StreamRequestHandler):
    def handle(self):
        # Whoever sends may go away at any time.
        with contextlib.suppress(ConnectionError):
            self.say("220 ready")
            for line in self.rfile:
                self.answer(line.strip().upper())

    def answer(self, word):
        if word == b"DATA":
            self.say("354 go on")
            self.server.mails.append(b"".join(itertools.takewhile(lambda line: line != b".\r\n", self.rfile)))
        self.say("221 bye" if word == b"QUIT" else "250 done")

    def say(self, line):
        self.wfile.write(f"{line}\r\n".encode())


class MailServer(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Dialog)
        self.mails = []

    def settings(self):
        """Of a server that sends its mails here."""
        return {"KITWARD_MAIL_SMTP_URL": f"smtp://127.0.0.1:{self.server_address[1]}"}

    def sign_in_token(self, seconds=30):
        """What the newest sign-in link ends with."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for mail in reversed(list(self.mails)):
                text = email.message_from_bytes(mail, policy=email.policy.default).get_body(("plain",)).get_content()
                found = re.search(r"/sign-in/link/(\S+)", text)
                if found:
                    return found.group(1)
            time.sleep(0.05)
        raise SystemExit("no sign-in mail arrived")


@contextlib.contextmanager
def mail_server():
    """A running one."""
    with MailServer() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join(timeout=5)
