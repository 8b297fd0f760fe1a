"""Reads cards (docs/card.md), independent of the other code: read_card.py VECTOR.json ... prints one JSON line for each."""
import base64
import ctypes
import ctypes.util
import hashlib
import json
import sys

sodium = ctypes.CDLL(ctypes.util.find_library("sodium") or "libsodium.so.23")
HEADER = b'{"alg":"EdDSA","typ":"persona-card+jwt"}'
MEMBERS = {"v", "persona", "app", "seq", "prev", "iat", "exp", "epoch", "chain", "devices", "inbox", "store"}


def decode(text):
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encode(data) != text:
        raise ValueError("not base64url")
    return data


def encode(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def H(label, *parts):
    return hashlib.sha512(b"personad/v1/" + label + b"\0" + b"".join(parts)).digest()


def verifies(signature, message, key):
    lengths = (len(signature), len(key)) == (64, 32)
    return lengths and sodium.crypto_sign_verify_detached(signature, message, ctypes.c_ulonglong(len(message)), key) == 0


def root_of(epoch, key, links, following):
    """c_0, from the links h_1 .. h_(e-1) and the key and commitment of epoch e."""
    if epoch == 0:
        return following
    links = [links[at : at + 16] for at in range(0, len(links), 16)] + [H(b"key", key)[:16]]
    for link in reversed(links):
        following = H(b"next", link, following)[:32]
    return following


def read(text):
    """What a vector expects of a good card, or None."""
    header, payload, signature = (text.split(".") + ["", ""])[:3]
    if text.count(".") != 2 or len(text) > 8192 or header != encode(HEADER):
        return None
    card = json.loads(decode(payload))
    canonical = json.dumps(card, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    if encode(canonical) != payload or card["v"] != 1 or set(card) - MEMBERS or ("prev" in card) != (card["seq"] > 1):
        return None
    chain, epoch, persona = card["chain"], card["epoch"], bytes.fromhex(card["persona"])
    key = decode(chain["key"]) if epoch else persona
    if not verifies(decode(signature), f"{header}.{payload}".encode(), key):
        return None
    following = decode(chain["next"])
    root = root_of(epoch, key, decode(chain.get("h", "")), following)
    if any(following) != (epoch < 16) or (epoch and key == persona):
        return None
    if epoch and not verifies(decode(chain["inception"]), b"personad/v1/inception\0" + persona + root, persona):
        return None
    devices = [{name: decode(entry[name]).hex().upper() for name in ("tag", "sig", "enc")} for entry in card["devices"]]
    return {
        "personaId": card["persona"],
        "root": root.hex().upper(),
        "epoch": epoch,
        "seq": card["seq"],
        "hash": hashlib.sha256(text.encode()).hexdigest().upper(),
        "at": encode(H(b"card-at", root, persona, card["app"].encode())[:16]),
        "devices": devices,
    }


for path in sys.argv[1:]:
    with open(path) as file:
        vector = json.load(file)
    try:
        card = read(vector["text"])
    except (ValueError, TypeError, KeyError, AttributeError):
        card = None
    print(json.dumps({"name": vector["name"], "card": card}))
