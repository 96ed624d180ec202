"""Schemathesis against `kitward serve`: the server answers as its own document says, whatever it is sent.

It serves what a `kitward demo` beside it has made, so that there is something of everything.

conformance.py SCHEMATHESIS SECONDS [SEED]
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

from demo import demo
from server import plain_environment, serving

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

# How what violates the document may be refused. 413: a text beyond its bound can be beyond the body's too.
REJECTIONS = [400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 428, 429, "5xx"]


def kitward(data, *arguments):
    """What a command prints that opens the data folder itself."""
    done = subprocess.run(
        [os.environ["KITWARD_BIN"], *arguments], env=plain_environment() | {"KITWARD_DATA_DIR": str(data)},
        check=True, stdout=subprocess.PIPE, text=True,
    )
    return done.stdout.strip()


def changes(data):
    """The demo's data, nobody at the other end of the line, and no limit on how often something is asked."""
    limits = ["KITWARD_LIMITS_KEY_MISSES_PER_MINUTE", "KITWARD_LIMITS_TOKEN_REQUESTS_PER_MINUTE"]
    off = {name: "0" for name in limits}
    return off | {"KITWARD_DATA_DIR": str(data), "KITWARD_STRIPE_API_URL": "http://127.0.0.1:9/"}


def known_values(url, token, key):
    """What is there, by the parameter or member that names it: else most requests would end at a 404."""

    def ids(collection, name="id"):
        request = urllib.request.Request(f"{url}/v1/admin/{collection}", headers={"Authorization": f"Bearer {token}"})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return [item[name] for item in json.load(answer)["items"]]
        except urllib.error.HTTPError as refusal:
            sys.exit(f"{collection}: {refusal.status} {refusal.read().decode()}")

    kits = ids("kits", "slug") + ids("kits")
    releases = ids("releases")
    return {
        "path.kit": kits,
        "path.policy": ids("policies"),
        # The newest alone: the one in use is older, and must not be revoked.
        "path.token": ids("tokens")[-1:],
        "path.release": releases,
        "path.id": ids("prices") + ids("orders") + ids("events"),
        "path.version": ["1.0.0", "latest", "1"],
        "path.name": ["feedback-widget-kit-1.0.0.zip"],
        "query.version": ["0.9.0", "1.0.0"],
        "query.kit": kits,
        "body.key": [key],
        "body.kit": kits,
        "body.kits[*]": kits,
        "body.policies[*]": ids("policies"),
    }


def settings(token, key, known):
    """The configuration of schemathesis: a credential for each scheme of the document, and what is there."""
    quoted = json.dumps
    lines = [
        "[auth.openapi.management_token]", f"bearer = {quoted(token)}",
        "[auth.openapi.license_key]", f"api_key = {quoted(f'License {key}')}",
        "[auth.openapi.license_key_bearer]", f"bearer = {quoted(key)}",
        "[auth.openapi.license_key_basic]", 'username = "license"', f"password = {quoted(key)}",
        "[auth.openapi.stripe_signature]", 'api_key = "t=1,v1=00"',
    ]
    for number, values in enumerate(known.values()):
        lines += [f"[dictionaries.known{number}]", f"values = {quoted(values)}"]
    # Not on the command line, which would win over what is said of single operations.
    lines += ["[checks]", "enabled = false"]
    lines += [f"{check}.enabled = true" for check in CHECKS]
    lines.append(f"negative_data_rejection.expected-statuses = {quoted(REJECTIONS)}")
    lines.append("[parameters]")
    for number, place in enumerate(known):
        lines.append(f'{quoted(place)} = {{ dictionary = "known{number}", probability = 0.6 }}')
    # A signed document is no JSON, whatever this program takes application/jwt for.
    lines += ["[[operations]]", 'include-path = "/.well-known/kitward-keyring.jwt"']
    lines.append("checks.response_schema_conformance.enabled = false")
    # What takes ids from answers would find the token in use, and all else would be refusals.
    lines += ["[[operations]]", 'include-path = "/v1/admin/tokens/{token}/revoke"']
    lines.append("phases.stateful.enabled = false")
    lines += [f"phases.{phase}.extra-data-sources.responses = false" for phase in ["examples", "coverage", "fuzzing"]]
    return "\n".join(lines) + "\n"


def main():
    program, seconds, *seed = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="kitward-conformance-") as folder:
        # The demo's folder is in it, to be found again.
        os.environ["TMPDIR"] = tempfile.tempdir = folder
        with demo() as shown:
            [data] = pathlib.Path(folder).glob("kitward-demo-*/data")
            key, token = shown.value("License key"), kitward(data, "token", "create", "--scope", "admin")
            kitward(data, "token", "create", "--scope", "read")
            with serving(changes(data)) as url:
                config = pathlib.Path(folder, "schemathesis.toml")
                config.write_text(settings(token, key, known_values(url, token, key)))
                command = [
                    program, "--config-file", str(config), "run", f"{url}/openapi.json",
                    "--max-time", seconds, "--continue-on-failure",
                    "--request-timeout", "20", "--warnings", "off",
                ]
                command += ["--seed", *seed] if seed else []
                done = subprocess.run(command, cwd=folder, env=os.environ | {"NO_COLOR": "1", "HOME": folder})
                # Without it nothing but refusals was seen.
                known_values(url, token, key)
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
