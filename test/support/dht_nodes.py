"""libtorrent's DHT nodes on loopback for a test: dht_nodes.py COUNT [--routers] [BOOTSTRAP_PORT ...]. Orders and answers are lines of JSON; bytes
are hex. libtorrent keeps no node in its table that it begins at. With --routers these are the given ones alone, and each node has found others
before the next one starts. Else a node begins at all nodes before it."""
import json
import os
import sys
import time

import libtorrent as lt

# All nodes have one address here, and every packet comes from it: what protects a node on the Internet is off.
SETTINGS = {
    "enable_dht": True,
    "enable_lsd": False,
    "enable_upnp": False,
    "enable_natpmp": False,
    "dht_restrict_routing_ips": False,
    "dht_restrict_search_ips": False,
    "dht_prefer_verified_node_ids": False,
    "dht_ignore_dark_internet": False,
    "dht_block_ratelimit": 100000,
    "dht_upload_rate_limit": 10_000_000,
    "alert_mask": lt.alert.category_t.dht_notification | lt.alert.category_t.status_notification,
}


def answer(**fields):
    print(json.dumps(fields), flush=True)


def start(port, ports, waits):
    known = ",".join(f"127.0.0.1:{port}" for port in ports)
    session = lt.session({**SETTINGS, "listen_interfaces": f"127.0.0.1:{port}", "dht_bootstrap_nodes": known})
    wait_for(session, lt.dht_bootstrap_alert if waits else lt.listen_succeeded_alert, lambda alert: True)
    return session


def wait_for(session, kind, fits):
    while True:
        session.wait_for_alert(1000)
        for alert in session.pop_alerts():
            if isinstance(alert, kind) and fits(alert):
                return alert


def took_since(started, order):
    return {"tookMs": (time.perf_counter() - started) * 1000} if order.get("timed") else {}


def put(session, order):
    secret, key, salt, value = (bytes.fromhex(order[name]) for name in ("secret", "key", "salt", "value"))
    started = time.perf_counter()
    session.dht_put_mutable_item(secret, key, value, salt)
    alert = wait_for(session, lt.dht_put_alert, lambda alert: bytes(alert.public_key) == key)
    answer(stored=alert.num_success, seq=str(alert.seq), **took_since(started, order))


def value_of(alert):
    try:
        value = alert.item["value"] if isinstance(alert.item, dict) else alert.item
    except RuntimeError:  # the binding finds no type in an item without a value
        return b""
    return value if isinstance(value, bytes) else b""


def get(session, order):
    key, salt = bytes.fromhex(order["key"]), bytes.fromhex(order["salt"])
    started = time.perf_counter()
    session.dht_get_mutable_item(key, salt)
    # The first alert with a value will do: the last one waits 15 s for a node that does not answer. A timed order waits for the last one.
    ends = lambda alert: bytes(alert.key) == key and (alert.authoritative or value_of(alert) and not order.get("timed"))
    alert = wait_for(session, lt.dht_mutable_item_alert, ends)
    took = took_since(started, order)
    answer(value=value_of(alert).hex(), seq=str(alert.seq), signature=bytes(alert.signature).hex(), **took)


has_routers = "--routers" in sys.argv
others = [int(port) for port in sys.argv[2:] if port != "--routers"]
sessions, ports = [], []
given = os.environ.get("LISTEN_AT", "").split()
for n in range(int(sys.argv[1])):
    port = given[n] if n < len(given) else 0
    sessions.append(start(port, others if has_routers else others + ports, has_routers))
    ports.append(sessions[-1].listen_port())
answer(ports=ports)
for line in sys.stdin:
    order = json.loads(line)
    {"put": put, "get": get}[order["do"]](sessions[order.get("node", 0)], order)
