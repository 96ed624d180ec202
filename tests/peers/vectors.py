"""Runs every JWS vector through PyJWT (with cryptography) and compares the outcome.

    python vectors.py <directory of the vectors>

Vectors marked `strict_only` ask for more than a JOSE library does and are counted apart.
Exit status 1 on any disagreement, 2 without a directory.
"""

import datetime
import json
import pathlib
import sys
from unittest import mock

import jwt


def trusted(jwks, purpose):
    """Keys of other purposes sign other things; nothing signed with a compromised key counts."""
    return {
        key["kid"]: jwt.PyJWK(key)
        for key in jwks["keys"]
        if key["kitward_purpose"] == purpose and key["kitward_state"] != "compromised"
    }


def clock_at(now):
    """PyJWT asks `datetime` for the time; here it is told the vector's."""

    class Clock(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.datetime.fromtimestamp(now, tz)

    return mock.patch("jwt.api_jwt.datetime", Clock)


def required(vector):
    """A checkpoint and a ring name no kit; a checkpoint and a stamp never end."""
    if vector["typ"] == "stamp+jwt":
        return ["iss", "aud", "sub", "iat"]
    if vector["typ"] == "checkpoint+jwt":
        return ["iss", "iat"]
    if vector["typ"] == "keyring+jwt":
        return ["iss", "iat", "exp"]
    return ["iss", "aud", "sub", "iat", "exp", "jti"]


def verify(vector, keys):
    header = jwt.get_unverified_header(vector["token"])
    # Two checks that are the caller's: which key, and which type of document.
    key = keys.get(header.get("kid"))
    if key is None:
        raise jwt.InvalidKeyError("unknown key")
    if header.get("typ") != vector["typ"]:
        raise jwt.InvalidTokenError("wrong type")
    is_ring = vector["typ"] == "keyring+jwt"
    with clock_at(vector["now"]):
        claims = jwt.decode(
            vector["token"],
            key,
            algorithms=["EdDSA"],
            audience=vector.get("audience"),
            issuer=vector["issuer"],
            leeway=vector["leeway"],
            options={"require": required(vector)},
        )
    if is_ring and claims["version"] < vector["known_version"]:
        raise jwt.InvalidTokenError("older than known")
    if vector.get("nonce") is not None and claims.get("nonce") != vector["nonce"]:
        raise jwt.InvalidTokenError("wrong nonce")
    return claims


def disagreement(vector, keys):
    try:
        claims = verify(vector, keys)
    except jwt.PyJWTError as error:
        return f"refused: {error}" if vector["result"] == "ok" else None
    if vector["result"] != "ok":
        return f"accepted, expected {vector['result']}"
    return None if claims == vector["claims"] else "other claims"


def main(directory):
    passed = failed = apart = 0
    for name in ("documents.json", "updates.json", "checkpoints.json", "stamps.json", "key_rings.json"):
        file = json.loads((directory / name).read_text("utf-8"))
        purpose = {"key_rings.json": "root", "stamps.json": "artifact"}.get(name, "document")
        keys = trusted(json.loads((directory / file["key_set"]).read_text("utf-8")), purpose)
        for vector in file["cases"]:
            if vector["strict_only"]:
                apart += 1
                continue
            problem = disagreement(vector, keys)
            if problem is None:
                passed += 1
            else:
                failed += 1
                print(f"{name}: {vector['name']}: {problem}", file=sys.stderr)
    print(f"{apart} ask for more than this library checks")
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    sys.exit(main(pathlib.Path(sys.argv[1])))
