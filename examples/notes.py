"""notes.py SOCKET [NAME NOTE]: sends a note, and prints those that come or that your other devices send. NOTES_TOKEN is the token of the app."""
import base64
import json
import os
import socket
import sys


def frames(buffer=b""):
    while chunk := daemon.recv(65536):
        *whole, buffer = (buffer + chunk).split(b"\f")
        yield from map(json.loads, whole)
    raise SystemExit("the daemon closed the connection")


def call(method, **params):
    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    daemon.sendall(json.dumps({"type": "rpc", "data": request}).encode() + b"\f")
    while (frame := next(incoming))["type"] != "rpc":
        waiting.append(frame["data"])
    if "error" in frame["data"]:
        raise SystemExit(f"{frame['data']['error']['data']['code']}: {frame['data']['error']['message']}")
    return frame["data"]["result"]


def name_of(persona):
    contact = call("lookup", query=persona)["contact"]
    return f"{ascii(contact['name'] if contact else 'somebody')} ...{persona[-8:]}"


daemon, incoming, waiting = socket.socket(socket.AF_UNIX), frames(), []
daemon.connect(sys.argv[1])
call("app.hello", token=os.environ["NOTES_TOKEN"])
call("subscribe", events=["message.arrived", "message.changed"])
print("notes come to", call("message.open")["inboxes"][0]["url"], flush=True)
if len(sys.argv) > 3:
    contact = call("lookup", query=sys.argv[2])["contact"] or sys.exit("no contact has this name")
    call("message.put", to=contact["personaId"], text=sys.argv[3])
while True:
    page = call("message.read", after=0)
    for note in page["messages"]:
        text = note["failed"] or base64.b64decode(note["content"]).decode(errors="replace")
        print(f"{name_of(note['from'])} to {name_of(note['to'])}: {ascii(text)}", flush=True)
        call("message.ack", upTo=note["number"])
    event = {"event": "page"} if page["next"] is not None else waiting.pop(0) if waiting else next(incoming)["data"]
    if event["event"] == "message.changed":
        print("note", event["data"]["number"], event["data"]["state"], flush=True)
