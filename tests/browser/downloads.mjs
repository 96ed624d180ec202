// A large file comes down in Chromium, is cut, and goes on to the same bytes; and how pages look where
// there are several releases.
import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { audit, check, openPage } from "./audit.mjs";
import { startServer, startStorage } from "./server.mjs";

const KIT = "example-kit";
const BUYER = "buyer@example.com";
const LARGE = "example kit-1.1.0.bin";
const SIZE = 24_000_000;

const digest = (bytes) => createHash("sha256").update(bytes).digest("hex");

// The source of one version, as tar packs it.
function packed(version, files) {
  const folder = mkdtempSync(join(tmpdir(), "kitward-browser-"));
  try {
    const root = join(folder, `kit-${version}`);
    mkdirSync(root);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(root, name), text);
    return execFileSync("tar", ["-cf", "-", "-C", folder, `kit-${version}`]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function publish(server, version, files) {
  const notes = `# ${version}\n\nWhat is **new**:\n\n- \`widget.ts\` says more.`;
  const release = await server.call("POST", "/releases", { kit: KIT, version, notes });
  for (const [name, bytes] of files) {
    await server.call("PUT", `/releases/${release.id}/artifacts/${name}`, bytes);
  }
  await server.call("POST", `/releases/${release.id}/publish`);
}

// A kit with two releases, a large file in the newer one, and whoever bought it.
async function open(server, large) {
  const kit = { slug: KIT, name: "Example Kit", description: "A kit.", ecosystems: ["npm"], status: "released" };
  await server.call("POST", "/kits", kit);
  const policy = { name: "personal", edition: "Personal", scope: "kits", kits: [KIT], seat_kind: "none" };
  await server.call("POST", "/policies", policy);
  const before = { "widget.ts": "export const text = 'old';\n", "gone.ts": "export {};\n", "same.ts": "//\n" };
  const after = { "widget.ts": "export const text = 'new';\n", "more.ts": "export {};\nlet a;\n", "same.ts": "//\n" };
  await publish(server, "1.0.0", [["kit-1.0.0.tar", packed("1.0.0", before)]]);
  const files = [
    ["kit-1.1.0.tar", packed("1.1.0", after)],
    [`${encodeURIComponent(LARGE)}?kind=binary`, large],
  ];
  await publish(server, "1.1.0", files);
  await server.call("POST", "/licenses", { policy: "personal", email: BUYER });
}

async function signIn(page, server) {
  await page.goto(`${server.origin}/sign-in`);
  await page.getByLabel("Mail address").fill(BUYER);
  await page.getByRole("button", { name: "Mail me a link and a code" }).click();
  await page.goto(await server.mailedLink("/sign-in/link/"));
  await page.getByRole("main").getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(`${server.origin}/`);
}

// Downloads the large file; `front` stands before whoever sends it, and cuts it once.
async function isCutAndGoesOn(page, server, front, large) {
  await page.goto(`${server.origin}/downloads?kit=${KIT}`);
  const sends = ({ method, status }) => method === "GET" && (status === 200 || status === 206);
  front.asked.length = 0;
  front.cutOnce((entry) => sends(entry) && isOfTheFile(entry), SIZE / 2);
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: `Download ${LARGE}` }).click(),
  ]);
  check("it is saved under its name", download.suggestedFilename() === LARGE, download.suggestedFilename());
  const patience = sleep(60_000, "it takes more than a minute", { ref: false });
  const failure = await Promise.race([download.failure(), patience]);
  check("it comes down, cut or not", failure === null, failure);
  if (failure !== null) return;
  const bytes = readFileSync(await download.path());
  check("it has the same bytes", digest(bytes) === digest(large), `${bytes.length} bytes of ${SIZE}`);
  const [first, second, ...more] = front.asked.filter((entry) => sends(entry) && isOfTheFile(entry));
  const told = JSON.stringify([first, second, more]);
  check("the first answer was cut", first?.status === 200 && first.cut === true, told);
  check("the second was asked for the rest", /^bytes=[1-9]\d*-$/.test(second?.range ?? ""), told);
  check("if the file is still that one", second?.ifRange !== undefined && second.ifRange === first?.etag, told);
  check("and gave no more than that", second?.status === 206 && more.length === 0, told);
}

// By a ticket here, by the hash of its bytes in a storage service.
const isOfTheFile = ({ url }) => url.startsWith("/v1/downloads/") || url.includes("/sha256/");

async function looksAtReleases(visit, server) {
  const { page } = visit;
  await page.goto(`${server.origin}/downloads`);
  await audit("downloads, newest of each kit", visit);
  await page.getByRole("link", { name: "All releases of Example Kit" }).click();
  await audit("downloads, releases of a kit", visit);
  const text = await page.getByRole("main").innerText();
  check("the page says how a signature is checked", text.includes(`minisign -Vm '${LARGE}' -P RW`), text);
  await page.getByRole("link", { name: "What changed since 1.0.0" }).click();
  await page.getByRole("heading", { name: "What changed from 1.0.0 to 1.1.0" }).waitFor();
  await audit("comparison", visit);
  await page.goto(`${server.origin}/downloads/${KIT}/compare/1.1.0...1.1.0`);
  await audit("comparison of a version with itself", visit);
}

export async function fromLocalStorage(browser) {
  const server = await startServer();
  try {
    const large = randomBytes(SIZE);
    await open(server, large);
    const visit = await openPage(browser, server.origin, true);
    await signIn(visit.page, server);
    await looksAtReleases(visit, server);
    await isCutAndGoesOn(visit.page, server, server.front, large);
    await visit.context.close();
  } finally {
    await server.stop();
  }
}

export async function fromStorageService(browser) {
  const storage = await startStorage();
  try {
    const server = await startServer(storage.settings);
    try {
      const large = randomBytes(SIZE);
      await open(server, large);
      const { page, context } = await openPage(browser, server.origin, true);
      await signIn(page, server);
      await isCutAndGoesOn(page, server, storage.front, large);
      await context.close();
    } finally {
      await server.stop();
    }
  } finally {
    await storage.stop();
  }
}
