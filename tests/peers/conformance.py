"""Schemathesis against `kitward demo`: the server answers as its own document says, whatever it is sent.

conformance.py SCHEMATHESIS SECONDS
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

from demo import demo
from server import plain_environment

CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
    "allow_header_conformance",
    "ignored_auth",
]


def settings(token, key):
    """The configuration of schemathesis: a credential for each scheme of the document."""
    quoted = json.dumps
    return f"""
[auth.openapi.management_token]
bearer = {quoted(token)}
[auth.openapi.license_key]
api_key = {quoted(f"License {key}")}
[auth.openapi.license_key_bearer]
bearer = {quoted(key)}
[auth.openapi.license_key_basic]
username = "license"
password = {quoted(key)}
[auth.openapi.stripe_signature]
api_key = "t=1,v1=00"
"""


def management_token(folder):
    """Made by the command that an operator would use, in the data folder of the running demo."""
    [data] = pathlib.Path(folder).glob("kitward-demo-*/data")
    done = subprocess.run(
        [os.environ["KITWARD_BIN"], "token", "create", "--scope", "admin"],
        env=plain_environment() | {"KITWARD_DATA_DIR": str(data)}, check=True, stdout=subprocess.PIPE, text=True,
    )
    return done.stdout.strip()


def main():
    program, seconds = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="kitward-conformance-") as folder:
        # The demo's folder, to be found again.
        os.environ["TMPDIR"] = tempfile.tempdir = folder
        with demo() as running:
            config = pathlib.Path(folder, "schemathesis.toml")
            config.write_text(settings(management_token(folder), running.value("License key")))
            done = subprocess.run(
                [
                    program, "--config-file", str(config), "run", f"{running.url}/openapi.json",
                    "--checks", ",".join(CHECKS), "--max-time", seconds, "--workers", "2",
                    "--continue-on-failure", "--request-timeout", "20",
                ],
                cwd=folder, env=os.environ | {"NO_COLOR": "1", "HOME": folder},
            )
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
