"""Signs webhooks with the services' own SDKs. One JSON object a line in, one with the header fields out."""

import datetime
import json
import sys

import slack_sdk.signature
import standardwebhooks
import stripe


def standard_webhooks(request):
    time = datetime.datetime.fromtimestamp(request["timestamp"], tz=datetime.timezone.utc)
    signature = standardwebhooks.Webhook(request["secret"]).sign(request["id"], time, request["body"])
    return {
        "webhook-id": request["id"],
        "webhook-timestamp": str(request["timestamp"]),
        "webhook-signature": signature,
    }


def slack(request):
    verifier = slack_sdk.signature.SignatureVerifier(request["secret"])
    timestamp = str(request["timestamp"])
    signature = verifier.generate_signature(timestamp=timestamp, body=request["body"])
    return {"x-slack-request-timestamp": timestamp, "x-slack-signature": signature}


def stripe_(request):
    header = stripe.WebhookSignature.generate_signature_header(
        request["body"], request["secret"], timestamp=request["timestamp"]
    )
    return {"stripe-signature": header}


SCHEMES = {"standard-webhooks": standard_webhooks, "slack": slack, "stripe": stripe_}

for line in sys.stdin:
    request = json.loads(line)
    print(json.dumps(SCHEMES[request["scheme"]](request)), flush=True)
