import os
import socket
import threading
import unittest
from uuid import uuid4

import requests

from application import start

KIT = os.environ["VESTIBULE_URL"] + "/_test/"


def post(path, body):
    answer = requests.post(KIT + path, json=body, timeout=30)
    assert answer.ok, answer.text
    return answer.json()


class Application(unittest.TestCase):
    def setUp(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{free.getsockname()[1]}"
        self.company, callback = f"Acme {uuid4()}", f"{self.url}/callback"
        post("companies", {"name": self.company})
        known = post("applications", {"company": self.company, "name": "Desk", "redirect_uris": [callback]})
        server = start({**known, "redirect_uri": callback})
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)

    def test_greets_whoever_is_signed_in(self):
        who = {"company": self.company, "account": "sue"}
        post("accounts", {**who, "email": "sue@acme.test", "first_name": "Sue", "password": "violet harbour kettle"})
        session = post("sessions", who)
        answer = requests.get(self.url, cookies={session["cookie"]: session["value"]}, timeout=30)
        self.assertEqual(answer.text, "Hello Sue")

    def test_asks_who_it_is(self):
        self.assertIn('action="/login"', requests.get(self.url, timeout=30).text)
