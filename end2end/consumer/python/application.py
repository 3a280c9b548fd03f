"""A small application behind Vestibule: whoever is signed in is greeted by name."""

import base64
import hashlib
import secrets
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests


def start(known):
    vestibule = requests.get(f"{known['issuer']}/.well-known/openid-configuration", timeout=30).json()
    callback, verifiers = known["redirect_uri"], {}

    class Desk(BaseHTTPRequestHandler):
        def do_GET(self):
            query = dict(parse_qsl(urlsplit(self.path).query))
            if "code" not in query:
                state, verifier = secrets.token_urlsafe(), secrets.token_urlsafe(48)
                verifiers[state] = verifier
                challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
                way = {"client_id": known["client_id"], "redirect_uri": callback, "response_type": "code", "state": state,
                       "scope": "openid profile", "code_challenge": challenge, "code_challenge_method": "S256"}
                self.send_response(303)
                self.send_header("Location", f"{vestibule['authorization_endpoint']}?{urlencode(way)}")
                return self.end_headers()
            trade = {"grant_type": "authorization_code", "code": query["code"], "redirect_uri": callback,
                     "code_verifier": verifiers.pop(query["state"])}
            secret = (known["client_id"], known["client_secret"])
            tokens = requests.post(vestibule["token_endpoint"], data=trade, auth=secret, timeout=30).json()
            bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
            person = requests.get(vestibule["userinfo_endpoint"], headers=bearer, timeout=30).json()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(f"Hello {person['name']}".encode())

    server = ThreadingHTTPServer(("127.0.0.1", urlsplit(callback).port), Desk)
    return server
