"""Deliveries signed by Stripe's own Python library, sent to the webhook route at KITWARD_URL."""

import hashlib
import hmac
import itertools
import json
import os
import sys
import time
import urllib.error
import urllib.request

import stripe

FIRST, SECOND, WRONG = "whsec_peers_1", "whsec_peers_2", "whsec_somebody_else"
numbers = itertools.count(1)
outcomes = {True: 0, False: 0}


def event(kind, thing):
    """A delivery with no more in it than it takes to know what it is about."""
    return json.dumps({
        "id": f"evt_python_{next(numbers)}",
        "object": "event",
        "type": kind,
        "created": int(time.time()),
        "livemode": False,
        "data": {"object": thing},
    })


def v1(body, secret, at):
    """One signature, by the library, and by hand to know that the library did what we think."""
    signature = stripe.WebhookSignature._compute_signature(f"{at}.{body}", secret)
    by_hand = hmac.new(secret.encode(), f"{at}.{body}".encode(), hashlib.sha256).hexdigest()
    assert signature == by_hand
    return signature


def header(body, *secrets, age=0, scheme="v1"):
    at = int(time.time()) - age
    return ",".join([f"t={at}"] + [f"{scheme}={v1(body, secret, at)}" for secret in secrets])


def library_accepts(body, signature, secret):
    try:
        stripe.Webhook.construct_event(body, signature, secret)
        return True
    except stripe.SignatureVerificationError:
        return False


def deliver(body, signature):
    headers = {"Content-Type": "application/json; charset=utf-8"}
    if signature is not None:
        headers["Stripe-Signature"] = signature
    request = urllib.request.Request(
        os.environ["KITWARD_URL"] + "/webhooks/stripe", body.encode(), headers, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as refusal:
        return refusal.code


def check(name, wanted, body, signature):
    status = deliver(body, signature)
    outcomes[status == wanted] += 1
    if status != wanted:
        print(f"FAILED {name}: {wanted} wanted, {status} answered")


def accepted():
    paid = event("checkout.session.completed", {"id": "cs_test_1", "object": "checkout.session"})
    assert library_accepts(paid, header(paid, FIRST), FIRST)
    check("signed with the first secret", 200, paid, header(paid, FIRST))
    check("the same delivery again", 200, paid, header(paid, FIRST))
    for name, secrets in {
        "signed with the second secret": [SECOND],
        "signed with both": [FIRST, SECOND],
        "a good signature after a wrong one": [WRONG, FIRST],
        "a good signature before a wrong one": [SECOND, WRONG],
    }.items():
        body = event("invoice.paid", {"id": "in_1", "object": "invoice"})
        check(name, 200, body, header(body, *secrets))
    body = event("charge.refunded", {"id": "ch_1", "object": "charge"})
    check("270 s old", 200, body, header(body, FIRST, age=270))
    check("beside a test signature of another scheme", 200, body, header(body, FIRST) + ",v0=" + "0" * 64)
    for kind in ["a.type.of.tomorrow", "v2.core.account.updated", "customer.subscription.created"]:
        body = event(kind, {"id": "obj_1"})
        check(f"nothing but an id in {kind}", 200, body, header(body, FIRST))
    body = event("customer.updated", {"id": "cus_1", "name": "Zoë “日本” 🎉"})
    check("text beyond ASCII", 200, body, header(body, FIRST))
    spaced = json.dumps(json.loads(event("invoice.paid", {"id": "in_2"})), indent=2) + "\n"
    check("bytes as they came, not as parsed", 200, spaced, header(spaced, FIRST))


def refused():
    body = event("invoice.paid", {"id": "in_3", "object": "invoice"})
    good = header(body, FIRST)
    tampered = body.replace("in_3", "in_4")
    assert not library_accepts(tampered, good, FIRST)
    check("a changed body", 400, tampered, good)
    check("the secret of somebody else", 400, body, header(body, WRONG))
    check("an empty secret", 400, body, header(body, ""))
    check("301 s old", 400, body, header(body, FIRST, age=301))
    check("330 s in the future", 400, body, header(body, FIRST, age=-330))
    check("no header", 400, body, None)
    check("an empty header", 400, body, "")
    check("another scheme only", 400, body, header(body, FIRST, scheme="v0"))
    check("no time", 400, body, good.split(",", 1)[1])
    check("a time that is none", 400, body, "t=soon," + good.split(",", 1)[1])
    check("another time than was signed", 400, body, f"t={int(time.time()) - 9}," + good.split(",", 1)[1])
    check("half a signature", 400, body, good[:-32])


accepted()
refused()
print(f"{outcomes[True]} passed, {outcomes[False]} failed")
sys.exit(outcomes[False] > 0)
