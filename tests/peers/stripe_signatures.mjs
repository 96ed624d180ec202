// Deliveries signed by Stripe's own Node library, sent to the webhook route at KITWARD_URL.
import Stripe from "stripe";

const [FIRST, SECOND, WRONG] = ["whsec_peers_1", "whsec_peers_2", "whsec_somebody_else"];
const stripe = new Stripe("sk_test_peers");
const now = () => Math.floor(Date.now() / 1000);
let [number, passed, failed] = [0, 0, 0];

// A delivery with no more in it than it takes to know what it is about.
const event = (type, object) =>
  JSON.stringify({
    id: `evt_node_${++number}`,
    object: "event",
    type,
    created: now(),
    livemode: false,
    data: { object },
  });

const header = (payload, secret, options = {}) =>
  stripe.webhooks.generateTestHeaderString({ payload, secret, ...options });

// The signatures of several secrets over one time, as while a secret is rolled.
function headerOfAll(payload, secrets) {
  const timestamp = now();
  const signatures = secrets.map((secret) => header(payload, secret, { timestamp }).split(",")[1]);
  return [`t=${timestamp}`, ...signatures].join(",");
}

async function check(name, wanted, body, signature) {
  const headers = { "content-type": "application/json; charset=utf-8" };
  if (signature !== undefined) headers["stripe-signature"] = signature;
  const answer = await fetch(`${process.env.KITWARD_URL}/webhooks/stripe`, {
    method: "POST",
    headers,
    body,
  });
  await answer.arrayBuffer();
  if (answer.status === wanted) passed += 1;
  else {
    failed += 1;
    console.log(`FAILED ${name}: ${wanted} wanted, ${answer.status} answered`);
  }
}

const body = event("checkout.session.completed", { id: "cs_test_1", object: "checkout.session" });
stripe.webhooks.constructEvent(body, header(body, FIRST), FIRST);

await check("signed with the first secret", 200, body, header(body, FIRST));
await check("the same delivery again", 200, body, header(body, FIRST));
for (const [name, secrets] of [
  ["signed with the second secret", [SECOND]],
  ["signed with both", [FIRST, SECOND]],
  ["a good signature after a wrong one", [WRONG, FIRST]],
  ["a good signature before a wrong one", [SECOND, WRONG]],
]) {
  const paid = event("invoice.paid", { id: "in_1", object: "invoice" });
  await check(name, 200, paid, headerOfAll(paid, secrets));
}
for (const type of ["a.type.of.tomorrow", "customer.subscription.created"]) {
  const bare = event(type, { id: "obj_1" });
  await check(`nothing but an id in ${type}`, 200, bare, header(bare, FIRST));
}

await check("a changed body", 400, body.replace("cs_test_1", "cs_test_2"), header(body, FIRST));
await check("the secret of somebody else", 400, body, header(body, WRONG));
await check("301 s old", 400, body, header(body, FIRST, { timestamp: now() - 301 }));
await check("330 s in the future", 400, body, header(body, FIRST, { timestamp: now() + 330 }));
await check("no header", 400, body, undefined);
await check("another scheme only", 400, body, header(body, FIRST, { scheme: "v0" }));

console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
