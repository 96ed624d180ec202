"""Runs the programs of docs/examples, unchanged, through a kit's life: online, offline, too long offline, tampered with."""

import base64
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import urllib.request

from demo import demo
from server import free_port

KIT = "feedback-widget"
DAY = 86_400
EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "docs" / "examples"

# PyJWT and jose ask the language for the time; both are told a later one, the programs stay as they are.
LATER_PYTHON = """
import datetime, runpy, sys
from unittest import mock
import jwt
shift = datetime.timedelta(seconds=float(sys.argv.pop(1)))
class Later(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return datetime.datetime.now(tz) + shift
sys.argv.pop(0)
with mock.patch("jwt.api_jwt.datetime", Later):
    runpy.run_path(sys.argv[0], run_name="__main__")
"""
LATER_NODE = """
const shift = 1000 * Number(process.env.LATER);
const Now = Date;
globalThis.Date = class extends Now {
  constructor(...given) { super(...(given.length ? given : [Now.now() + shift])); }
  static now() { return Now.now() + shift; }
};
"""

outcomes = {True: 0, False: 0}


def check(name, good, found=""):
    outcomes[bool(good)] += 1
    print(f"{'ok    ' if good else 'FAILED'} {name}", "" if good else f"({found})")


def python_command(later):
    program = str(EXAMPLES / "kit.py")
    return [sys.executable, program] if not later else [sys.executable, "-c", LATER_PYTHON, str(later), program]


def node_command(later):
    # Node looks for jose beside the program.
    program = pathlib.Path(os.environ["KITWARD_PEERS_NODE"]) / "kit.mjs"
    shutil.copy(EXAMPLES / "kit.mjs", program)
    preload = "data:text/javascript," + urllib.request.quote(LATER_NODE)
    return ["node", *(["--import", preload] if later else []), str(program)]


def run(command, later, *arguments):
    environment = os.environ | {"LATER": str(later)}
    done = subprocess.run(
        command(later) + [str(argument) for argument in arguments], env=environment,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
    )
    return done.returncode, done.stdout.strip(), done.stderr.strip()


def tampered(token):
    """The same file, with a year more."""
    header, payload, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    claims["exp"] += 365 * DAY
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"{header}.{payload}.{signature}"


def life_of_a_kit(name, command, server, key, folder):
    nowhere = f"http://127.0.0.1:{free_port()}"
    file, device = folder / "license.jwt", folder / "device"
    with urllib.request.urlopen(f"{server}/.well-known/jwks.json", timeout=30) as answer:
        (folder / "jwks.json").write_bytes(answer.read())

    def says(case, expected, status, out, err):
        found = out if expected.startswith("licensed") else err
        good = (status == 0) == expected.startswith("licensed") and expected in found
        check(f"{name}: {case}", good, f"{status}: {out} {err}")

    says("without a license it does not run offline", "no license", *run(command, 0, nowhere, KIT, key, folder))
    says("it activates", "licensed: ", *run(command, 0, server, KIT, key, folder))
    good = file.read_text()
    says("it runs offline", "licensed: ", *run(command, 0, nowhere, KIT, key, folder))
    says("it runs offline on the last day", "licensed: ", *run(command, 14 * DAY - 600, nowhere, KIT, key, folder))
    says("it stops when the file has ended", "no license", *run(command, 14 * DAY + 600, nowhere, KIT, key, folder))
    file.write_text(tampered(good))
    says("it refuses a tampered file", "no license", *run(command, 0, nowhere, KIT, key, folder))
    file.write_text(good)
    own = device.read_text()
    device.write_text("another-machine")
    says("it refuses the file of another machine", "another machine", *run(command, 0, nowhere, KIT, key, folder))
    device.write_text(own)
    says("it refuses the file of another kit", "no license", *run(command, 0, nowhere, "api-rate-limiter", key, folder))
    says("it believes the server's refusal", "refused: NOT_FOUND", *run(command, 0, server, KIT, "kwl_wrong", folder))
    check(f"{name}: and forgets the file", not file.exists())


def main():
    for program in ["kit.py", "kit.mjs"]:
        lines = (EXAMPLES / program).read_text().splitlines()
        check(f"{program} has at most 40 lines", len(lines) <= 40, len(lines))
    with demo() as running, tempfile.TemporaryDirectory(prefix="kitward-examples-") as folder:
        key = running.value("License key")
        for name, command in [("Python", python_command), ("Node", node_command)]:
            own = pathlib.Path(folder, name)
            own.mkdir()
            life_of_a_kit(name, command, running.url, key, own)
    print(f"{outcomes[True]} passed, {outcomes[False]} failed")
    sys.exit(outcomes[False] > 0)


if __name__ == "__main__":
    main()
