"""merged_friends.py SOCKET PROFILE: the friend list of a Tox profile, one line for each person, and what to do with each device."""
import json
import socket
import struct
import sys


def read_profile(path):
    """A client has its friends in memory. This one reads them and its own key from the save file."""
    data, at, own, friends = open(path, "rb").read(), 8, "", []
    while at + 8 <= len(data):
        length, kind = struct.unpack_from("<IH", data, at)
        section, at = data[at + 8 : at + 8 + length], at + 8 + length
        if kind == 1:
            own = section[4:36].hex().upper()
        for i in range(0, len(section), 2216) if kind == 3 else ():
            name = section[i + 1060 : i + 1060 + struct.unpack_from(">H", section, i + 1188)[0]]
            if section[i]:
                friends.append((section[i + 1 : i + 33].hex().upper(), name.decode(errors="replace")))
    return own, friends


class Daemon:
    def __init__(self, path):
        self.socket, self.number = socket.socket(socket.AF_UNIX), 0
        self.socket.connect(path)
        self.frames = self.read()

    def read(self, buffer=b""):
        while chunk := self.socket.recv(65536):
            *whole, buffer = (buffer + chunk).split(b"\f")
            yield from map(json.loads, whole)
        raise SystemExit("the daemon closed the connection")

    def call(self, method, **params):
        self.number += 1
        request = {"jsonrpc": "2.0", "id": self.number, "method": method, "params": params}
        self.socket.sendall(json.dumps({"type": "rpc", "data": request}).encode() + b"\f")
        answer = next(frame["data"] for frame in self.frames if frame["data"].get("id") == self.number and frame["type"] == "rpc")
        if "error" in answer:
            raise SystemExit(f"{answer['error']['data']['code']}: {answer['error']['message']}")
        return answer["result"]


def show(name, key):
    """Anybody can choose any name: print nothing that could control a terminal, and the end of the key beside it."""
    return f"{''.join(c if c.isprintable() else '?' for c in name)} (...{key[-8:]})"


if len(sys.argv) != 3:
    raise SystemExit("usage: merged_friends.py SOCKET PROFILE")
sys.stdout.reconfigure(errors="replace")  # for a terminal that lacks some letters
own, friends = read_profile(sys.argv[2])
known = [own] + [key for key, _ in friends]
daemon = Daemon(sys.argv[1])
daemon.call("subscribe", events=["contact.changed"])  # a client that keeps running asks again for the contact that an event names
people = {}
for key, name in friends:
    contact = daemon.call("lookup", query=key)["contact"]
    people.setdefault(contact and contact["personaId"] or key, None if contact else name)
for person, unknown in people.items():
    if unknown is not None:
        print(f"{show(unknown, person)}: unknown")
        continue
    merged = daemon.call("contact.devices", contact=person, known=known)
    devices = ", ".join(f"{show(device['name'], device['key'])} {device['advice']}" for device in merged["devices"])
    print(f"{show(merged['name'], person)}: {devices}")
