// What a customer does in the portal, in Chromium, with JavaScript and without.
//
// On each page: nothing on the console, no breach of the content security policy, no request to
// another origin, and no violation of WCAG 2.2 AA that axe can see, light and dark, small and wide.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { chromium } from "playwright-core";

import { startDemo } from "./demo.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"];
const SCHEMES = ["light", "dark"];
const WIDTHS = [360, 1280];
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

let [passed, failed] = [0, 0];

function check(name, good, found = "") {
  if (good) passed += 1;
  else {
    failed += 1;
    console.log(`FAILED ${name}: ${found}`);
  }
}

// A page that writes down what it must not do.
async function openPage(browser, origin, javaScriptEnabled) {
  const context = await browser.newContext({ javaScriptEnabled, reducedMotion: "reduce" });
  context.setDefaultTimeout(15_000);
  const complaints = [];
  context.on("console", (message) => {
    if (message.type() === "error") complaints.push(`console: ${message.text()}`);
  });
  context.on("weberror", (error) => complaints.push(`script: ${error.error().message}`));
  context.on("request", (request) => {
    const { origin: wanted, protocol } = new URL(request.url());
    if (wanted !== origin && protocol !== "data:") complaints.push(`request to ${request.url()}`);
  });
  await context.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => {
      console.error(`policy: ${event.violatedDirective} refused ${event.blockedURI}`);
    });
  });
  return { page: await context.newPage(), context, complaints };
}

async function times(page) {
  return page.evaluate(() => {
    const [navigation] = performance.getEntriesByType("navigation");
    const paint = performance.getEntriesByName("first-contentful-paint")[0];
    const round = (value) => (value ? `${Math.round(value)} ms` : "unknown");
    return `first byte ${round(navigation.responseStart)}, first paint ${round(paint?.startTime)}`;
  });
}

async function axeViolations(page) {
  const results = await page.evaluate(
    (values) => globalThis.axe.run(document, { runOnly: { type: "tag", values } }),
    TAGS,
  );
  return results.violations.map(
    ({ id, nodes }) => `${id} at ${nodes.map((node) => node.target.join(" ")).join(", ")}`,
  );
}

// Everything that holds on every page.
async function audit(name, { page, complaints }, expected = () => false) {
  await page.waitForLoadState("load");
  console.log(`${name}: ${await times(page)}`);
  // What is folded away is part of the page.
  await page.locator("details").evaluateAll((all) => all.forEach((one) => (one.open = true)));
  await page.evaluate(AXE);
  for (const colorScheme of SCHEMES) {
    for (const width of WIDTHS) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 800 });
      const violations = await axeViolations(page);
      const place = `${name}, ${colorScheme}, ${width} px`;
      check(`${place}: axe`, violations.length === 0, violations.join("; "));
      const reach = await page.evaluate(() => document.documentElement.scrollWidth);
      check(`${place}: no sideways scrolling`, reach <= width, `${reach} px wide`);
    }
  }
  const unexpected = complaints.splice(0).filter((complaint) => !expected(complaint));
  check(`${name} keeps quiet`, unexpected.length === 0, unexpected.join("; "));
}

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

async function scenario(name, browser, steps) {
  console.log(`-- ${name}`);
  const demo = await startDemo();
  try {
    await steps(browser, demo);
  } catch (error) {
    check(name, false, error.stack);
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
  await scenario("with JavaScript", browser, withJavaScript);
  await scenario("without JavaScript", browser, withoutJavaScript);
} finally {
  await browser.close();
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
