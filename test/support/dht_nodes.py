"""libtorrent's DHT nodes on loopback for a test: dht_nodes.py COUNT [BOOTSTRAP_PORT ...]. Orders and answers are lines of JSON; bytes are hex."""
import json
import sys

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


def start(ports):
    known = ",".join(f"127.0.0.1:{port}" for port in ports)
    session = lt.session({**SETTINGS, "listen_interfaces": "127.0.0.1:0", "dht_bootstrap_nodes": known})
    wait_for(session, lt.listen_succeeded_alert, lambda alert: True)
    return session


def wait_for(session, kind, fits):
    while True:
        session.wait_for_alert(1000)
        for alert in session.pop_alerts():
            if isinstance(alert, kind) and fits(alert):
                return alert


def put(session, order):
    secret, key, salt, value = (bytes.fromhex(order[name]) for name in ("secret", "key", "salt", "value"))
    session.dht_put_mutable_item(secret, key, value, salt)
    alert = wait_for(session, lt.dht_put_alert, lambda alert: bytes(alert.public_key) == key)
    answer(stored=alert.num_success, seq=str(alert.seq))


def value_of(alert):
    value = alert.item["value"] if isinstance(alert.item, dict) else alert.item
    return value if isinstance(value, bytes) else b""


def get(session, order):
    key, salt = bytes.fromhex(order["key"]), bytes.fromhex(order["salt"])
    session.dht_get_mutable_item(key, salt)
    # The first alert with a value will do: the last one waits 15 s for a node that does not answer.
    ends = lambda alert: bytes(alert.key) == key and (value_of(alert) or alert.authoritative)
    alert = wait_for(session, lt.dht_mutable_item_alert, ends)
    answer(value=value_of(alert).hex(), seq=str(alert.seq), signature=bytes(alert.signature).hex())


others = [int(port) for port in sys.argv[2:]]
sessions, ports = [], []
for _ in range(int(sys.argv[1])):
    sessions.append(start(others + ports))
    ports.append(sessions[-1].listen_port())
answer(ports=ports)
for line in sys.stdin:
    order = json.loads(line)
    {"put": put, "get": get}[order["do"]](sessions[order.get("node", 0)], order)
