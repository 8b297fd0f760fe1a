"""Prints who a Tox device belongs to, then the next change of any contact."""
import json
import socket
import sys


def send(number, method, **params):
    request = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
    daemon.sendall(json.dumps({"type": "rpc", "data": request}).encode() + b"\f")


def frames(buffer=b""):
    while chunk := daemon.recv(65536):
        *whole, buffer = (buffer + chunk).split(b"\f")
        yield from map(json.loads, whole)


if len(sys.argv) != 3:
    print("usage: who_is.py SOCKET TOXPK", file=sys.stderr)
    raise SystemExit(2)
daemon = socket.socket(socket.AF_UNIX)
try:
    daemon.connect(sys.argv[1])
except OSError as error:
    raise SystemExit(f"no daemon at {sys.argv[1]}: {error.strerror}")
send(1, "subscribe", events=["contact.changed"])
send(2, "lookup", query=sys.argv[2])
for frame in frames():
    data = frame["data"]
    if "error" in data:
        raise SystemExit(f"{data['error']['data']['code']}: {data['error']['message']}")
    if data.get("id") == 2 and frame["type"] == "rpc":
        contact = data["result"]["contact"]
        print("answer:", json.dumps(contact and contact["name"]), flush=True)
    if data.get("event") == "contact.changed":
        contact = data["data"]["contact"]
        print("event:", json.dumps(contact["name"]), "message goes to", contact["active"])
        break
else:
    raise SystemExit("the daemon closed the connection")
