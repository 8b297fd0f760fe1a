"""list.py SOCKET LINK ITEM...: joins a shopping list by its link, adds items, prints the list at each change. LIST_TOKEN is the token of the app."""
import base64
import json
import os
import socket
import sys
import time


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
call("app.hello", token=os.environ["LIST_TOKEN"])
call("subscribe", events=["channel.changed", "channel.content"])
channel = call("channel.accept", invite=sys.argv[2], name="Shopping list")["id"]
items, read, stamp = {}, 0, time.time_ns() // 10**6
own = [{"id": f"{stamp}-{i}", "text": text, "isTicked": False, "isRemoved": False, "stamp": stamp} for i, text in enumerate(sys.argv[3:])]
while True:
    event = waiting.pop(0) if waiting else next(incoming)["data"]
    state = event["data"].get("state")
    if state in ("closing", "closed", "gone", "broken"):
        break
    if state == "open" and own:
        call("channel.send", id=channel, text=json.dumps(own))
        items, own = {item["id"]: item for item in own}, []
    if event["event"] != "channel.content":
        continue
    for content in call("channel.read", id=channel, after=read)["contents"]:
        for item in json.loads(base64.b64decode(content["content"])):
            items[item["id"]] = max(items.get(item["id"], item), item, key=lambda edit: edit["stamp"])
        read = content["number"]
        call("channel.ack", id=channel, upTo=read)
        shown = [f"[{'x' if item['isTicked'] else ' '}] {item['text']}" for item in items.values() if not item["isRemoved"]]
        print(*sorted(shown, key=ascii), "", sep="\n", flush=True)
