"""One call to the daemon, with the standard library alone: client.py SOCKET METHOD [PARAMS as JSON]."""
import json
import socket
import sys


def call(path, method, params):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(path)
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        sock.sendall(json.dumps({"type": "rpc", "data": request}).encode() + b"\f")
        received = b""
        while b"\f" not in received:
            chunk = sock.recv(65536)
            if not chunk:
                raise SystemExit("the daemon closed the connection")
            received += chunk
    reply = json.loads(received.split(b"\f")[0])["data"]
    if "error" in reply:
        raise SystemExit(f"{reply['error']['data']['code']}: {reply['error']['message']}")
    return reply["result"]


print(json.dumps(call(sys.argv[1], sys.argv[2], json.loads(sys.argv[3] if len(sys.argv) > 3 else "{}"))))
