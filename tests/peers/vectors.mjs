// Runs every JWS vector through the npm package `jose` and compares the outcome.
//
//   node vectors.mjs <directory of the vectors>
//
// Node 20 or later. Vectors marked `strict_only` ask for more than a JOSE library does and are
// counted apart. Exit status 1 on any disagreement, 2 without a directory.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";

import { createLocalJWKSet, jwtVerify } from "jose";

const directory = process.argv[2];
if (!directory) {
  console.error("usage: node vectors.mjs <directory of the vectors>");
  process.exit(2);
}

const read = (name) => JSON.parse(readFileSync(join(directory, name), "utf8"));

// Keys of other purposes sign other things; nothing signed with a compromised key counts.
const trusted = (jwks, purpose) =>
  createLocalJWKSet({
    keys: jwks.keys.filter(
      (key) => key.kitward_purpose === purpose && key.kitward_state !== "compromised",
    ),
  });

// A checkpoint and a ring name no kit; a checkpoint and a stamp never end.
const required = (vector) => {
  if (vector.typ === "stamp+jwt") return ["iss", "aud", "sub", "iat"];
  if (vector.typ === "checkpoint+jwt") return ["iss", "iat"];
  if (vector.typ === "keyring+jwt") return ["iss", "iat", "exp"];
  return ["iss", "aud", "sub", "iat", "exp", "jti"];
};

async function verify(vector, keys) {
  const isRing = vector.typ === "keyring+jwt";
  const { payload } = await jwtVerify(vector.token, keys, {
    algorithms: ["EdDSA"],
    typ: vector.typ,
    audience: vector.audience ?? undefined,
    issuer: vector.issuer ?? undefined,
    currentDate: new Date(vector.now * 1000),
    clockTolerance: vector.leeway,
    requiredClaims: required(vector),
  });
  // Checks that are the caller's.
  if (payload.iat > vector.now + vector.leeway) throw new Error("issued in the future");
  if (isRing && payload.version < vector.known_version) throw new Error("older than known");
  if (!isRing && vector.nonce !== null && payload.nonce !== vector.nonce) throw new Error("wrong nonce");
  return payload;
}

async function disagreement(vector, keys) {
  let claims;
  try {
    claims = await verify(vector, keys);
  } catch (error) {
    return vector.result === "ok" ? `refused: ${error.message}` : null;
  }
  if (vector.result !== "ok") return `accepted, expected ${vector.result}`;
  return isDeepStrictEqual({ ...claims }, vector.claims) ? null : "other claims";
}

let passed = 0;
let failed = 0;
let apart = 0;
for (const name of ["documents.json", "updates.json", "checkpoints.json", "stamps.json", "key_rings.json"]) {
  const file = read(name);
  const purpose = { "key_rings.json": "root", "stamps.json": "artifact" }[name] ?? "document";
  const keys = trusted(read(file.key_set), purpose);
  for (const vector of file.cases) {
    if (vector.strict_only) {
      apart += 1;
      continue;
    }
    const problem = await disagreement(vector, keys);
    if (problem === null) {
      passed += 1;
    } else {
      failed += 1;
      console.error(`${name}: ${vector.name}: ${problem}`);
    }
  }
}
console.log(`${apart} ask for more than this library checks`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
