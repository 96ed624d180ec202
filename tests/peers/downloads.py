"""curl, wget and aria2, unmodified, fetch a kit from local storage and from S3, are cut, and go on."""

import contextlib
import hashlib
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time
import urllib.request

from mail_server import mail_server
from server import plain_environment, serving
from walkthrough import Forms, cookies_of, request

KIT = "example-kit"
OWNER = "peer@example.com"
NAME = "example kit-1.0.0.bin"
SIZE = 24_000_000
# Slow enough to be cut in the middle, fast enough to wait for.
RATE = "3M"
CUT_AFTER = 1.2

outcomes = {True: 0, False: 0}


def check(name, good, found=""):
    outcomes[bool(good)] += 1
    print(f"{'ok    ' if good else 'FAILED'} {name}", "" if good else f"({found})")


@contextlib.contextmanager
def storage_service():
    """The stand-in for S3; gives the settings of a server that uses it."""
    program = pathlib.Path(os.environ["KITWARD_BIN"]).with_name("s3-stand-in")
    process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        lines = iter(process.stdout.readline, "\n")
        yield dict(line.rstrip("\n").split("=", 1) for line in lines)
    finally:
        process.stdin.close()
        process.wait(timeout=20)


def call(url, token, method, path, body=None):
    raw = isinstance(body, bytes)
    request = urllib.request.Request(
        url + path, method=method, data=body if raw else json.dumps(body or {}).encode(),
        headers={
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/octet-stream" if raw else "application/json",
        },
    )
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.load(answer)


def management_token(settings):
    command = [os.environ["KITWARD_BIN"], "token", "create", "--scope", "admin", "--json"]
    done = subprocess.run(command, env=plain_environment() | settings, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["token"]


def publish(url, token, file):
    """A kit with one release of one file, and a token that downloads it."""
    call(url, token, "POST", "/v1/admin/kits", {
        "slug": KIT, "name": "Example Kit", "description": "A kit.", "ecosystems": ["npm"], "status": "released",
    })
    call(url, token, "POST", "/v1/admin/policies", {
        "name": "personal", "edition": "Personal", "scope": "kits", "kits": [KIT], "seat_kind": "none",
    })
    release = call(url, token, "POST", "/v1/admin/releases", {"kit": KIT, "version": "1.0.0"})["id"]
    name = urllib.request.quote(NAME)
    call(url, token, "PUT", f"/v1/admin/releases/{release}/artifacts/{name}", file)
    call(url, token, "POST", f"/v1/admin/releases/{release}/publish")
    license = call(url, token, "POST", "/v1/admin/licenses", {"policy": "personal", "email": OWNER})["id"]
    made = call(url, token, "POST", f"/v1/admin/licenses/{license}/tokens", {"kind": "download", "name": "peers"})
    return made["token"]


def ticket(url, mails):
    """The address that the button of the portal leads the owner to."""
    same_origin = {"Origin": url, "Sec-Fetch-Site": "same-origin"}
    _, headers, _ = request("POST", f"{url}/sign-in", {"email": OWNER}, same_origin)
    asking = same_origin | cookies_of(headers)
    _, headers, _ = request("POST", f"{url}/sign-in/link", {"token": mails.sign_in_token()}, asking)
    signed_in = cookies_of(headers)
    _, _, page = request("GET", f"{url}/downloads", headers=signed_in)
    button = next(action for action, _, _ in Forms(page).forms if action.startswith("/downloads/"))
    _, headers, _ = request("POST", url + button, {}, same_origin | signed_in)
    return headers["Location"]


class Clients:
    """The commands, as docs/api.md tells them."""

    def __init__(self, url, token):
        self.url, self.token = url, token
        name = urllib.request.quote(NAME)
        self.path = f"/v1/kits/{KIT}/releases/1.0.0/artifacts/{name}"
        self.header = f"Authorization: License {token}"

    def curl(self, out, rate=None):
        slowly = ["--limit-rate", rate] if rate else []
        return ["curl", "-fsSL", *slowly, "-C", "-", "-o", out, "-H", self.header, self.url + self.path]

    def wget(self, out, rate=None):
        slowly = [f"--limit-rate={rate.lower()}"] if rate else []
        return [
            "wget", "-q", "-c", *slowly, "-O", out, "--user", "license", "--password", self.token,
            self.url + self.path,
        ]

    def aria2(self, out, rate=None):
        """With the token in the path: aria2 sends headers on to the storage service."""
        slowly = [f"--max-overall-download-limit={rate}"] if rate else []
        return [*self.aria2_options(out), *slowly, f"{self.url}/k/{self.token}{self.path}"]

    def aria2_with_header(self, out, rate=None):
        slowly = [f"--max-overall-download-limit={rate}"] if rate else []
        return [*self.aria2_options(out), *slowly, f"--header={self.header}", self.url + self.path]

    def wget_with_header(self, out, rate=None):
        return ["wget", "-q", "-O", out, f"--header={self.header}", self.url + self.path]

    @staticmethod
    def aria2_options(out):
        folder, name = os.path.split(out)
        return [
            "aria2c", "-q", "-x8", "-s8", "-k1M", "-c", "--auto-file-renaming=false", "--allow-overwrite=false",
            "--file-allocation=none", "--no-conf=true", "--max-tries=2", "-d", folder, "-o", name,
        ]


def run(command):
    """The exit status, and what was said."""
    done = subprocess.run(
        [str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
    )
    return done.returncode, done.stderr.strip()[-300:]


def cut_off(command, path):
    """Kills it after some time, but not before bytes have arrived; its exit status, or None where it was killed."""
    started = time.monotonic()
    process = subprocess.Popen(
        [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    while process.poll() is None:
        waited = time.monotonic() - started
        there = os.path.exists(path) and os.stat(path).st_blocks > 0
        if waited > 60 or (waited > CUT_AFTER and there):
            process.kill()
            process.wait()
            return None
        time.sleep(0.02)
    return process.returncode


def fetch(where, name, command, folder, expected):
    whole = os.path.join(folder, f"{name}-whole")
    status, said = run(command(whole))
    check(f"{where}: {name} fetches the file", status == 0 and digest(whole) == expected, said)
    cut = os.path.join(folder, f"{name}-cut")
    status = cut_off(command(cut, RATE), cut)
    there = os.path.getsize(cut) if os.path.exists(cut) else 0
    check(f"{where}: {name} is cut in the middle", status is None and 0 < there, f"{status}, {there} bytes")
    status, said = run(command(cut))
    check(f"{where}: {name} goes on to the same bytes", status == 0 and digest(cut) == expected, said)


def digest(path):
    if not os.path.exists(path):
        return None
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def one_line(where, clients, folder, expected):
    """The line of docs/api.md: the newest zip, under its real name."""
    there = pathlib.Path(folder) / "one-line"
    there.mkdir()
    newest = f"{clients.url}/v1/kits/{KIT}/releases/latest/artifacts/source"
    done = subprocess.run(["curl", "-fLOJ", "-sS", "-H", clients.header, newest], cwd=there, capture_output=True, text=True)
    found = sorted(path.name for path in there.iterdir())
    check(f"{where}: one line of curl saves the newest file under its name", found == [NAME], done.stderr or found)
    sums = subprocess.run(
        ["curl", "-fsSL", "-H", clients.header, f"{newest}.sha256"], capture_output=True, text=True, check=True,
    ).stdout
    checked = subprocess.run(["sha256sum", "--check", "--strict"], cwd=there, input=sums, capture_output=True, text=True)
    check(f"{where}: sha256sum agrees", checked.returncode == 0 and digest(there / NAME) == expected, checked.stderr)


def by_ticket(where, address, folder, expected):
    """By eight connections at once, each of which asks for a part."""
    out = os.path.join(folder, "aria2-ticket")
    status, said = run([*Clients.aria2_options(out), address])
    check(f"{where}: aria2 fetches the file by a ticket", status == 0 and digest(out) == expected, said)


def through(where, changed, expected_of_header):
    file = random.Random(7).randbytes(SIZE)
    expected = hashlib.sha256(file).hexdigest()
    temporary = tempfile.TemporaryDirectory
    with temporary(prefix="kitward-peers-") as data, temporary() as folder, mail_server() as mails:
        settings = {"KITWARD_DATA_DIR": data} | changed
        with serving(settings | mails.settings()) as url:
            clients = Clients(url, publish(url, management_token(settings), file))
            for name in ["curl", "wget", "aria2"]:
                fetch(where, name, getattr(clients, name), folder, expected)
            one_line(where, clients, folder, expected)
            by_ticket(where, ticket(url, mails), folder, expected)
            # They send the header on to whatever host they are sent to.
            for name in ["aria2", "wget"]:
                out = os.path.join(folder, f"{name}-header")
                status, said = run(getattr(clients, f"{name}_with_header")(out))
                good = status == 0 and digest(out) == expected
                expected_words = "works" if expected_of_header else "is refused by storage"
                check(f"{where}: {name} with the key in a header {expected_words}", good == expected_of_header, said)


def main():
    through("local", {}, True)
    with storage_service() as settings:
        through("S3, redirected", settings, False)
    with storage_service() as settings:
        through("S3, through the server", settings | {"KITWARD_STORAGE_DELIVERY": "proxy"}, True)
    print(f"{outcomes[True]} passed, {outcomes[False]} failed")
    sys.exit(1 if outcomes[False] else 0)


if __name__ == "__main__":
    main()
