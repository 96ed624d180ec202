// What a customer does in the portal, in Chromium, with JavaScript and without.
//
// On each page: nothing on the console, no breach of the content security policy, no request to
// another origin, and no violation of WCAG 2.2 AA that axe can see, light and dark, small and wide.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

import { chromium } from "playwright-core";

import { audit, check, openPage, outcomes } from "./audit.mjs";
import { startDemo } from "./demo.mjs";
import { fromLocalStorage, fromStorageService } from "./downloads.mjs";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

async function signIn(page, demo) {
  await page.goto(demo.link);
  await page.getByRole("main").getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(`${demo.origin}/`);
  const text = await page.getByRole("main").innerText();
  check("the license is on the first page", text.includes(demo.key.slice(-6)), text.slice(0, 200));
}

async function openLicense(page) {
  await page.getByRole("main").locator('a[href^="/licenses/"]').first().click();
  await page.waitForURL(/\/licenses\/./);
}

const seats = (page) => page.getByRole("button", { name: /^Free the seat of / });

async function freeTheSeat(page) {
  check("one seat is taken", (await seats(page).count()) === 1, `${await seats(page).count()} are`);
  await seats(page).first().click();
  await page.waitForURL(/\/licenses\/./);
  await seats(page).first().waitFor({ state: "detached" });
  check("the seat is free", (await seats(page).count()) === 0);
}

async function downloadTheKit(page) {
  const button = page.getByRole("button", { name: /^Download / }).first();
  const [download] = await Promise.all([page.waitForEvent("download"), button.click()]);
  const bytes = readFileSync(await download.path());
  check("a zip comes down", bytes.subarray(0, 2).toString() === "PK", `${bytes.length} bytes`);
  const digest = createHash("sha256").update(bytes).digest("hex");
  check("its SHA-256 is on the page", (await page.content()).includes(digest), digest);
}

async function stopMails(page) {
  await page.getByRole("button", { name: /^Stop mails about security releases/ }).first().click();
  await page.waitForURL(/\/updates\?done=off/);
  const text = await page.getByRole("main").innerText();
  check("what is not mailed any more is said plainly", text.includes("Nobody tells you of holes"), text);
  check("it can be taken back", (await page.getByRole("button", { name: "Undo" }).count()) === 1);
}

async function makeAToken(page, look) {
  await page.getByRole("link", { name: "Tokens for CI and downloads" }).click();
  await page.waitForURL(/\/tokens$/);
  await look("tokens, none made");
  await page.getByLabel("Where it is used").fill("Main pipeline");
  await page.getByRole("button", { name: "Make a CI token" }).click();
  const token = await page.locator("#token").innerText();
  check("a token is shown", /^kwc_[a-z2-7]{56}$/.test(token), token.slice(0, 8));
  await look("token made");
  await page.getByRole("link", { name: "I have kept it" }).click();
  const revoke = page.getByRole("button", { name: "Revoke Main pipeline" });
  await revoke.waitFor();
  check("it is not shown again", !(await page.content()).includes(token));
  await look("tokens");
  await revoke.click();
  await revoke.waitFor({ state: "detached" });
  check("it is revoked", (await revoke.count()) === 0);
}

async function withJavaScript(browser, demo) {
  const visit = await openPage(browser, demo.origin, true);
  const { page, context } = visit;
  await page.goto(demo.link);
  await audit("sign-in link", visit);
  await signIn(page, demo);
  await audit("licenses", visit);
  await openLicense(page);
  await audit("license without a seat", visit);
  const { valid, code } = await demo.activate();
  check("the printed command activates", valid === true, code);
  await page.reload();
  await audit("license with a seat", visit);
  await freeTheSeat(page);
  await audit("license after its seat was freed", visit);
  await makeAToken(page, (name) => audit(name, visit));
  await page.goto(`${demo.origin}/downloads`);
  await audit("downloads", visit);
  await downloadTheKit(page);
  await page.goto(`${demo.origin}/updates`);
  await audit("updates", visit);
  await stopMails(page);
  await audit("updates, mails stopped", visit);
  await page.goto(`${demo.origin}/unsubscribe/nobody-made-this`);
  await audit("unsubscribe", visit);
  const answer = await page.goto(`${demo.origin}/no-such-page`);
  check("an unknown page is not found", answer.status() === 404, answer.status());
  // The browser itself reports the status.
  await audit("error", visit, (complaint) => complaint.includes("status of 404"));
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL(`${demo.origin}/sign-in*`);
  await audit("sign-in", visit);
  await page.goto(`${demo.origin}/`);
  check("signed out, nothing is shown", new URL(page.url()).pathname === "/sign-in", page.url());
  for (const place of ["/docs", "/docs/kits", "/docs/errors"]) {
    await page.goto(`${demo.origin}${place}`);
    await audit(place, visit);
  }
  await context.close();
}

async function withoutJavaScript(browser, demo) {
  const { page, context, complaints } = await openPage(browser, demo.origin, false);
  await signIn(page, demo);
  await demo.activate();
  await openLicense(page);
  await freeTheSeat(page);
  await makeAToken(page, () => {});
  await page.goto(`${demo.origin}/downloads`);
  await downloadTheKit(page);
  await page.goto(`${demo.origin}/updates`);
  await stopMails(page);
  check("without JavaScript it keeps quiet", complaints.length === 0, complaints.join("; "));
  await context.close();
}

async function scenario(name, steps) {
  console.log(`-- ${name}`);
  try {
    await steps();
  } catch (error) {
    check(name, false, error.stack);
  }
}

async function inTheDemo(browser, steps) {
  const demo = await startDemo();
  try {
    await steps(browser, demo);
  } finally {
    await demo.stop();
  }
}

const browser = await chromium.launch({
  executablePath: process.env.KITWARD_CHROMIUM,
  args: FLAGS,
});
try {
  console.log(`Chromium ${browser.version()}`);
  await scenario("with JavaScript", () => inTheDemo(browser, withJavaScript));
  await scenario("without JavaScript", () => inTheDemo(browser, withoutJavaScript));
  await scenario("downloads from local storage", () => fromLocalStorage(browser));
  await scenario("downloads from a storage service", () => fromStorageService(browser));
} finally {
  await browser.close();
}
console.log(`${outcomes.passed} passed, ${outcomes.failed} failed`);
process.exitCode = outcomes.failed > 0 ? 1 : 0;
