// What must hold on every page, and the count of what did.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"];
const SCHEMES = ["light", "dark"];
const WIDTHS = [360, 1280];
export const outcomes = { passed: 0, failed: 0 };

export function check(name, good, found = "") {
  if (good) outcomes.passed += 1;
  else {
    outcomes.failed += 1;
    console.log(`FAILED ${name}: ${found}`);
  }
}

// A page that writes down what it must not do.
export async function openPage(browser, origin, javaScriptEnabled) {
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
export async function audit(name, { page, complaints }, expected = () => false) {
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
