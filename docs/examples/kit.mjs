// Licensing of a kit in 40 lines: `node kit.mjs SERVER SLUG KEY FOLDER`; FOLDER holds the vendor's jwks.json.
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createLocalJWKSet, jwtVerify } from "jose"; // npm install jose

const [server, slug, key, folder] = process.argv.slice(2);
const [file, deviceFile] = [`${folder}/license.jwt`, `${folder}/device`];
const jwks = JSON.parse(readFileSync(`${folder}/jwks.json`, "utf8")); // shipped with the kit
const keys = createLocalJWKSet({
  keys: jwks.keys.filter((k) => k.kitward_purpose === "document" && k.kitward_state !== "compromised"),
});
const verify = async (token, typ) => {
  const options = { algorithms: ["EdDSA"], typ, audience: slug, clockTolerance: 60, requiredClaims: ["iss", "sub", "iat", "exp", "jti"] };
  const { payload } = await jwtVerify(token, keys, options);
  if (payload.iat > Date.now() / 1000 + 60) throw new Error("this machine's clock is behind");
  return payload;
};
const stop = (why) => (console.error(why), process.exit(1));

if (!existsSync(deviceFile)) writeFileSync(deviceFile, randomUUID());
const [device, nonce] = [readFileSync(deviceFile, "utf8"), randomUUID()];
let answer;
try {
  const body = JSON.stringify({ key, kit: slug, device, nonce });
  const headers = { "content-type": "application/json" };
  const response = await fetch(`${server}/v1/licenses/activate`, { method: "POST", headers, body, signal: AbortSignal.timeout(10_000) });
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  answer = await response.json();
} catch (error) { console.error(`offline: ${error.message}`); } // the saved file has to do
if (answer) {
  const verdict = await verify(answer.verdict, "verdict+jwt").catch((error) => stop(`no license: ${error.message}`));
  if (verdict.nonce !== nonce) stop("no license: the answer to another question");
  if (!verdict.valid) rmSync(file, { force: true }), stop(`refused: ${verdict.code}: ${answer.detail} ${answer.manage_url}`);
  writeFileSync(file, answer.license_file);
}
const claims = await Promise.resolve().then(() => verify(readFileSync(file, "utf8"), "license+jwt")).catch((error) => stop(`no license: ${error.message}`));
if (!claims.valid || (claims.activation && claims.activation.identity !== device)) stop("no license: a file of another machine");
console.log(`licensed: ${claims.license.edition}, offline until ${new Date(claims.exp * 1000)}`);
