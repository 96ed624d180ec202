"""Licensing of a kit in 40 lines: `kit.py SERVER SLUG KEY FOLDER`; FOLDER holds the vendor's jwks.json."""
import json, pathlib, sys, time, urllib.request, uuid
import jwt  # pip install PyJWT cryptography

server, slug, key, folder = *sys.argv[1:4], pathlib.Path(sys.argv[4])
file, device_file = folder / "license.jwt", folder / "device"
jwks = json.loads((folder / "jwks.json").read_text())  # shipped with the kit
KEYS = {k["kid"]: jwt.PyJWK(k) for k in jwks["keys"]
        if k["kitward_purpose"] == "document" and k["kitward_state"] != "compromised"}

def verify(token, typ, **wanted):
    header = jwt.get_unverified_header(token)
    if header.get("typ") != typ or header.get("kid") not in KEYS:
        raise jwt.InvalidTokenError("not a document of this vendor")
    claims = jwt.decode(token, KEYS[header["kid"]], algorithms=["EdDSA"], audience=slug, leeway=60,
                        options={"require": ["iss", "sub", "iat", "exp", "jti"]})
    if any(claims.get(name) != value for name, value in wanted.items()):
        raise jwt.InvalidTokenError("the answer to another question")
    return claims

device_file.exists() or device_file.write_text(uuid.uuid4().hex)
device, nonce, answer = device_file.read_text(), uuid.uuid4().hex, None
try:
    body = json.dumps({"key": key, "kit": slug, "device": device, "nonce": nonce}).encode()
    request = urllib.request.Request(f"{server}/v1/licenses/activate", body, {"Content-Type": "application/json"})
    answer = json.load(urllib.request.urlopen(request, timeout=10))
except (OSError, ValueError) as error:  # no network: the saved file has to do
    print(f"offline: {error}", file=sys.stderr)
try:
    if answer and not verify(answer["verdict"], "verdict+jwt", nonce=nonce)["valid"]:
        file.unlink(missing_ok=True)
        sys.exit(f"refused: {answer['code']}: {answer['detail']} {answer['manage_url']}")
    if answer:
        file.write_text(answer["license_file"])
    claims = verify(file.read_text(), "license+jwt", valid=True)
    if claims["activation"] and claims["activation"]["identity"] != device:
        raise jwt.InvalidTokenError("a file of another machine")
except (OSError, jwt.PyJWTError) as error:
    sys.exit(f"no license: {error}")
print(f"licensed: {claims['license']['edition']}, offline until {time.ctime(claims['exp'])}")
