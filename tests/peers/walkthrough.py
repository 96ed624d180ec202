"""Does what `kitward demo` tells its reader to do, word for word, and judges the answers by other people's libraries."""

import hashlib
import html.parser
import http.client
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import urllib.parse
import zipfile

import jwt

from demo import demo

outcomes = {True: 0, False: 0}


def check(name, good, found=""):
    outcomes[bool(good)] += 1
    print(f"{'ok    ' if good else 'FAILED'} {name}", "" if good else f"({found})")
    return bool(good)


def request(method, url, form=None, headers=None):
    """One request, no redirect followed: (status, headers, body)."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    body = urllib.parse.urlencode(form) if form is not None else None
    headers = dict(headers or {})
    if form is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    try:
        connection.request(method, parts.path + (f"?{parts.query}" if parts.query else ""), body, headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    finally:
        connection.close()


def run_command(command, folder):
    """Runs a printed line as a reader would; curl itself then says the last status and type on stderr."""
    pathlib.Path(folder, ".curlrc").write_text(
        'max-time = 60\nwrite-out = "%{stderr}\\n%{http_code} %{content_type}\\n"\n'
    )
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=os.environ | {"CURL_HOME": folder, "HOME": folder},
        stdin=subprocess.DEVNULL, capture_output=True, timeout=90,
    )
    said = re.findall(r"^(\d{3}) ?(.*)$", done.stderr.decode(errors="replace"), re.MULTILINE)
    status, kind = said[-1] if said else ("000", "")
    return done, int(status), kind


def check_commands(commands, folder):
    """Runs all in their order; gives the JSON answers, each with its command."""
    answers = []
    for command in commands:
        name = " ".join(command.split())[:100]
        done, status, kind = run_command(command, folder)
        found = f"exit {done.returncode}, status {status}: {done.stdout[:300]!r} {done.stderr[-200:]!r}"
        check(f"{status} {name}", done.returncode == 0 and 200 <= status <= 299, found)
        if "json" in kind and done.stdout.strip():
            try:
                answers.append((command, json.loads(done.stdout)))
            except ValueError as error:
                check(f"JSON of {name}", False, error)
    return answers


def values_of(thing, key):
    """Every value under this key, however deep."""
    if isinstance(thing, dict):
        yield from (value for name, value in thing.items() if name == key)
        thing = thing.values()
    elif not isinstance(thing, list):
        return
    for part in thing:
        yield from values_of(part, key)


def check_license_file(url, answers):
    found = [(c, a) for c, a in answers if isinstance(a, dict) and a.get("license_file")]
    if not check("activate gave a license file", found, [a for _, a in answers]):
        return
    command, answer = found[0]
    kit = re.search(r'"kit"\s*:\s*"([^"]+)"', command).group(1)
    token = answer["license_file"]
    status, _, body = request("GET", f"{url}/.well-known/jwks.json")
    check("the public keys are published", status == 200, status)
    keys, head = json.loads(body), jwt.get_unverified_header(token)
    check("its type is license+jwt", head.get("typ") == "license+jwt", head)
    key = next((k for k in keys["keys"] if k["kid"] == head.get("kid")), None)
    if not check("its key is among them", key, head):
        return

    def verify(text, audience):
        required = {"require": ["iss", "aud", "sub", "iat", "exp"]}
        return jwt.decode(text, jwt.PyJWK(key).key, algorithms=["EdDSA"], audience=audience, options=required)

    try:
        claims = verify(token, kit)
        check("PyJWT verifies it", claims["sub"] == answer["license"]["id"], claims)
    except jwt.PyJWTError as error:
        check("PyJWT verifies it", False, error)
    first = token.split(".")[1]
    tampered = token.replace(first, first[:-2] + ("A" if first[-2] != "A" else "B") + first[-1])
    for name, text, audience in [("a changed one", tampered, kit), ("one of another kit", token, "other-kit")]:
        try:
            check(f"PyJWT refuses {name}", False, verify(text, audience))
        except jwt.PyJWTError:
            check(f"PyJWT refuses {name}", True)
    jose = subprocess.run(
        ["node", os.environ["KITWARD_PEERS_NODE"] + "/walkthrough_jose.mjs"], text=True, capture_output=True,
        input=json.dumps({"jwks": keys, "token": token, "tampered": tampered, "audience": kit}),
    )
    check("jose verifies it, and refuses a changed one", jose.returncode == 0, jose.stderr[-300:])


def check_download(folder, answers):
    sums = {value for _, answer in answers for value in values_of(answer, "sha256")}
    check("an update names a SHA-256", sums, [a for _, a in answers])
    files = [path for path in pathlib.Path(folder).iterdir() if path.name != ".curlrc"]
    zips = [path for path in files if zipfile.is_zipfile(path)]
    if check("a zip was downloaded", zips, files):
        with zipfile.ZipFile(zips[0]) as archive:
            check("the zip is whole, with files in it", archive.testzip() is None and archive.namelist())
        digest = hashlib.sha256(zips[0].read_bytes()).hexdigest()
        check("its SHA-256 is the one named", digest in sums, f"{digest} is not in {sums}")


class Forms(html.parser.HTMLParser):
    """The forms of a page: (action, method, hidden fields)."""

    def __init__(self, page):
        super().__init__()
        self.forms = []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "form":
            self.forms.append((attributes.get("action", ""), attributes.get("method", "get"), {}))
        elif tag == "input" and self.forms and attributes.get("type") == "hidden":
            self.forms[-1][2][attributes["name"]] = attributes.get("value", "")


def cookies_of(headers):
    """The cookies of an answer, as the headers of the next request."""
    cookies = [cookie.split(";")[0] for cookie in headers.get_all("Set-Cookie", [])]
    return {"Cookie": "; ".join(cookies)} if cookies else {}


def check_portal(url, link, license_key):
    check("signed out, the portal asks to sign in", request("GET", f"{url}/")[0] in (302, 303, 401))
    status, _, page = request("GET", link)
    forms = [form for form in Forms(page).forms if "token" in form[2]]
    if not check("the link shows a page with a form", status == 200 and forms, f"{status}: {page[:300]}"):
        return
    check("looking at it twice does not use it up", request("GET", link)[2].count("<form") == page.count("<form"))
    action, method, fields = forms[0]
    check("the form posts", method.lower() == "post", method)
    target = urllib.parse.urljoin(link, action)
    status, _, _ = request("POST", target, fields, {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"})
    check("posted from another site, it is refused", 400 <= status <= 499, status)
    same_origin = {"Origin": url, "Sec-Fetch-Site": "same-origin"}
    status, headers, page = request("POST", target, fields, same_origin)
    cookies = cookies_of(headers)
    if not check("posted from its page, it signs in", status in (302, 303) and cookies, f"{status}: {page[:300]}"):
        return
    status, _, home = request("GET", f"{url}/", headers=cookies)
    hint = license_key[-6:]
    check("the portal shows the license", status == 200 and hint in home, f"{status}, no {hint} in {len(home)} bytes")
    check("and not its key", license_key not in home)
    again = cookies_of(request("POST", target, fields, same_origin)[1])
    check("the link works once", hint not in request("GET", f"{url}/", headers=again)[2])


def main():
    with demo() as running, tempfile.TemporaryDirectory(prefix="kitward-walkthrough-") as folder:
        commands = running.curl_lines()
        print(f"{len(commands)} commands printed")
        answers = check_commands(commands, folder)
        check_license_file(running.url, answers)
        check_download(folder, answers)
        link = running.value("Portal")
        check("the link is the portal's", link.startswith(f"{running.url}/sign-in/link/"), link)
        check_portal(running.url, link, running.value("License key"))
        check("the mail inbox opens", request("GET", running.value("Mail inbox"))[0] == 200)
    print(f"{outcomes[True]} passed, {outcomes[False]} failed")
    sys.exit(outcomes[False] > 0)


if __name__ == "__main__":
    main()
