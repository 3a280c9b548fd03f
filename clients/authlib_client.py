"""PyPI authlib: sign in, verify by the published keys, userinfo, refresh, step up; with both ways to send a secret."""

import os
import sys
import uuid

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.jose import JsonWebKey, jwt

BASE = sys.argv[1]
CALLBACK = "http://127.0.0.1:4000/callback"
# What an application asks for, by what the session has proved.
PROOFS = {"password": "urn:vestibule:acr:password", "email_code": "urn:vestibule:acr:mail-code"}


def kit(path, body):
    answer = requests.post(f"{BASE}/_test/{path}", json=body, timeout=30)
    answer.raise_for_status()
    return answer.json()


def sign_in(company, algorithm, method, proof):
    application = kit("applications", {"company": company, "name": f"{algorithm} {method} {proof}", "redirect_uris": [CALLBACK], "id_token_signed_response_alg": algorithm})
    session = kit("sessions", {"company": company, "account": "alice", "proof": proof})
    document = requests.get(f"{BASE}/.well-known/openid-configuration", timeout=30).json()
    client = OAuth2Session(
        application["client_id"],
        application["client_secret"],
        scope="openid email offline_access",
        redirect_uri=CALLBACK,
        token_endpoint_auth_method=method,
        code_challenge_method="S256",
        default_timeout=30,
    )
    verifier = "v" * 50
    url, state = client.create_authorization_url(document["authorization_endpoint"], code_verifier=verifier, nonce="nonce", acr_values=PROOFS[proof])
    answer = requests.get(url, cookies={session["cookie"]: session["value"]}, allow_redirects=False, timeout=30)
    tokens = client.fetch_token(document["token_endpoint"], authorization_response=answer.headers["location"], state=state, code_verifier=verifier)
    keys = JsonWebKey.import_key_set(requests.get(document["jwks_uri"], timeout=30).json())
    wanted = {name: {"essential": True, "value": value} for name, value in [("iss", document["issuer"]), ("aud", application["client_id"]), ("nonce", "nonce")]}
    claims = jwt.decode(tokens["id_token"], keys, claims_options=wanted)
    claims.validate()
    user = client.get(document["userinfo_endpoint"]).json()
    assert claims["acr"] == PROOFS[proof], claims
    assert (user["sub"], user["email"]) == (claims["sub"], "alice@acme.test"), user
    fresh = client.refresh_token(document["token_endpoint"], refresh_token=tokens["refresh_token"])
    assert fresh["refresh_token"] != tokens["refresh_token"]
    print(f"authlib: {algorithm} {method} {proof} good")


company = f"Acme {uuid.uuid4()}"
kit("companies", {"name": company})
kit("accounts", {"company": company, "account": "alice", "email": "alice@acme.test", "first_name": "Alice", "password": "violet harbour kettle"})
for algorithm in ["RS256", "ES256"]:
    for method in ["client_secret_basic", "client_secret_post"]:
        for proof in PROOFS:
            sign_in(company, algorithm, method, proof)
