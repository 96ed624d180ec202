// Verifies a license file with jose: {jwks, token, tampered, audience} on standard input.
import { readFileSync } from "node:fs";
import assert from "node:assert/strict";
import { createLocalJWKSet, errors, jwtVerify } from "jose";

const { jwks, token, tampered, audience } = JSON.parse(readFileSync(0, "utf8"));
const keys = createLocalJWKSet(jwks);
const expected = {
  algorithms: ["EdDSA"],
  typ: "license+jwt",
  audience,
  requiredClaims: ["iss", "sub", "iat", "exp"],
};

const { payload, protectedHeader } = await jwtVerify(token, keys, expected);
assert.equal(protectedHeader.typ, "license+jwt");
assert.ok(payload.exp > payload.iat);

await assert.rejects(jwtVerify(tampered, keys, expected), errors.JWSSignatureVerificationFailed);
await assert.rejects(
  jwtVerify(token, keys, { ...expected, audience: "another-kit" }),
  errors.JWTClaimValidationFailed,
);
await assert.rejects(
  jwtVerify(token, keys, { ...expected, typ: "verdict+jwt" }),
  errors.JWTClaimValidationFailed,
);
