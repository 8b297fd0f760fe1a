"""ping.py SOCKET [INVITE]: makes an invite and answers pings; with an invite it sends three. PING_TOKEN holds the token of the app."""
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


daemon, incoming, waiting = socket.socket(socket.AF_UNIX), frames(), []
daemon.connect(sys.argv[1])
call("app.hello", token=os.environ["PING_TOKEN"])
call("subscribe", events=["channel.changed", "channel.content"])
is_guest, read = len(sys.argv) > 2, 0
print(call("channel.accept", invite=sys.argv[2])["state"] if is_guest else call("channel.invite")["invite"], flush=True)
while True:
    event = waiting.pop(0) if waiting else next(incoming)["data"]
    channel, state = event["data"]["id"], event["data"].get("state")
    if state in ("closing", "closed", "gone", "broken"):
        break
    if state == "open" and is_guest:
        call("channel.send", id=channel, text="ping 1")
    if event["event"] == "channel.content":
        for content in call("channel.read", id=channel, after=read)["contents"]:
            read, text = content["number"], base64.b64decode(content["content"]).decode()
            print("got", ascii(text), flush=True)
            call("channel.ack", id=channel, upTo=read)
            if not is_guest:
                call("channel.send", id=channel, text=f"pong {read}")
            elif read == 3:
                call("channel.close", id=channel)
            else:
                call("channel.send", id=channel, text=f"ping {read + 1}")
