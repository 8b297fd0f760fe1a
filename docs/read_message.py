"""Reads messages (docs/messages.md), independent of the other code: read_message.py VECTOR.json ... prints one JSON line for each."""
import base64
import ctypes
import ctypes.util
import hashlib
import hmac
import json
import sys

sodium = ctypes.CDLL(ctypes.util.find_library("sodium") or "libsodium.so.23")
sodium.sodium_init()
if not sodium.crypto_aead_aes256gcm_is_available():
    sys.exit("this processor has no AES-256-GCM for libsodium")
KEM, HPKE = b"KEM\0\x20", b"HPKE\0\x20\0\1\0\2"
MEMBERS = {"v", "id", "kind", "n", "from", "device", "to", "app", "keys", "iat"}
KINDS = {1: "message", 2: "receipt", 3: "invite"}
CHUNK = 49152


class Refused(Exception):
    pass


def check(holds, code):
    if not holds:
        raise Refused(code)


def decode(text):
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    check(encode(data) == text, "MALFORMED")
    return data


def encode(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def label(name):
    return b"personad/v1/" + name + b"\0"


def sha256(data):
    return hashlib.sha256(data).digest()


def size(data):
    return ctypes.c_ulonglong(len(data))


def verifies(signature, message, key):
    return sodium.crypto_sign_verify_detached(signature, message, size(message), key) == 0


def x25519(secret, public=None):
    """None where the result is zero."""
    out = ctypes.create_string_buffer(32)
    failed = sodium.crypto_scalarmult(out, secret, public) if public else sodium.crypto_scalarmult_base(out, secret)
    return None if failed else out.raw


def extract(suite, salt, name, secret):
    return hmac.digest(salt, b"HPKE-v1" + suite + name + secret, "sha256")


def expand(suite, secret, name, info, length):
    """One block of HMAC suffices for 32 bytes."""
    text = length.to_bytes(2, "big") + b"HPKE-v1" + suite + name + info + b"\1"
    return hmac.digest(secret, text, "sha256")[:length]


def open_seal(secret, info, aad, seal):
    """HPKE in base mode (RFC 9180); None if the seal does not open."""
    one_time, box = seal[:32], seal[32:]
    agreed = x25519(secret, one_time)
    if agreed is None:
        return None
    shared = expand(KEM, extract(KEM, b"", b"eae_prk", agreed), b"shared_secret", one_time + x25519(secret), 32)
    context = b"\0" + extract(HPKE, b"", b"psk_id_hash", b"") + extract(HPKE, b"", b"info_hash", info)
    scheduled = extract(HPKE, shared, b"secret", b"")
    key, nonce = expand(HPKE, scheduled, b"key", context, 32), expand(HPKE, scheduled, b"base_nonce", context, 12)
    plain = ctypes.create_string_buffer(len(box) - 16)
    failed = sodium.crypto_aead_aes256gcm_decrypt(plain, None, None, box, size(box), aad, size(aad), nonce, key)
    return None if failed else plain.raw


def open_own(vector, name, aad, seals):
    """The first seal that opens, its place, and the key that opened it."""
    for place, seal in enumerate(seals):
        for secret in map(bytes.fromhex, vector["secrets"]):
            plain = open_seal(secret, label(name), aad, seal)
            if plain is not None:
                return plain, place, x25519(secret)
    raise Refused("NOT_SEALED_TO_ME")


def open_box(box, key, number, last):
    plain = ctypes.create_string_buffer(max(1, len(box) - 16))
    nonce = bytes(15) + number.to_bytes(8, "big") + bytes([last])
    failed = len(box) < 16 or sodium.crypto_secretbox_open_easy(plain, box, size(box), nonce, key)
    return None if failed else plain.raw[: len(box) - 16]


def open_boxes(boxes, key):
    check(boxes, "CUT_SHORT")
    for at in range(0, len(boxes), CHUNK + 16):
        box, last = boxes[at : at + CHUNK + 16], at + CHUNK + 16 >= len(boxes)
        plain = open_box(box, key, at // (CHUNK + 16), last)
        check(plain is not None or not last or open_box(box, key, at // (CHUNK + 16), False) is None, "CUT_SHORT")
        check(plain is not None, "TAMPERED")
        yield plain


def is_key(key):
    return len(key) == 32 and int.from_bytes(key, "little") < 2**255 - 19 and x25519(b"\1" * 32, key) is not None


def read_header(text):
    header = json.loads(text)
    canonical = json.dumps(header, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    check(canonical == text and isinstance(header["v"], int), "MALFORMED")
    check(header["v"] == 1, "UNKNOWN_VERSION")
    check(header["kind"] in ("message", "invite"), "UNKNOWN_KIND")
    keys = [decode(key) for key in header["keys"]]
    check(set(header) == MEMBERS and header["n"] >= 1 and keys and all(map(is_key, keys)), "MALFORMED")
    check(len(set(keys)) == len(keys), "DUPLICATE_KEYS")
    return header, keys


def read_object(vector, route):
    data, entry = decode(vector["object"]), vector["entry"]
    check(data[:1] in (b"", b"\1"), "UNKNOWN_VERSION")
    check(len(data) >= 34, "CUT_SHORT")
    check(data[33], "MALFORMED")
    end = 34 + 80 * data[33]
    check(len(data) >= end, "CUT_SHORT")
    seals = [data[at : at + 80] for at in range(34, end, 80)]
    key, place, own = open_own(vector, b"message-object", bytes.fromhex(entry["id"]) + route, seals)
    check(hashlib.sha512(label(b"cek") + key).digest()[:32] == data[1:33], "WRONG_KEY")
    boxes = open_boxes(data[end:], key)
    first = next(boxes)
    length = 2 + int.from_bytes(first[:2], "big")
    check(len(first) >= length + 64, "MALFORMED")
    header, keys = read_header(first[2:length])
    check(len(keys) == len(seals) and keys[place] == own, "KEY_NOT_LISTED")
    check(decode(header["id"]).hex().upper() == entry["id"] and header["kind"] == entry["kind"], "WRONG_ENTRY")
    check(header["app"] == vector["app"], "WRONG_APP")
    check(header["from"] == vector["from"], "WRONG_SENDER")
    check(vector["reader"] in (header["to"], header["from"]), "NOT_FOR_ME")
    device = decode(header["device"])
    check(device.hex().upper() in vector["devices"], "UNKNOWN_DEVICE")
    content = first[length + 64 :] + b"".join(boxes)
    check(sha256(data).hex().upper() == entry["hash"], "WRONG_HASH")
    signed = label(b"message-sig") + first[:length] + sha256(content)
    check(verifies(first[length : length + 64], signed, device), "WRONG_SIGNATURE")
    facts = {"count": header["n"], "to": header["to"], "issuedAtSec": header["iat"], "content": encode(content)}
    return {**facts, "device": device.hex().upper(), "keys": [key.hex().upper() for key in keys]}


def read_entry(vector, route):
    data = decode(vector["entry"])
    sizes = [each for each in (115, 146) if data and len(data) % each == 0 and len(data) // each <= 20]
    check(sizes, "MALFORMED")
    text = open_own(vector, b"message-entry", route, [data[at : at + sizes[0]] for at in range(0, len(data), sizes[0])])[0]
    check(text[0] == 1, "UNKNOWN_VERSION")
    check(text[1] in KINDS, "UNKNOWN_KIND")
    kind, name = KINDS[text[1]], text[2:34]
    check((kind == "receipt") == (sizes[0] == 146), "MALFORMED")
    found = {"kind": kind, "id": name.hex().upper()}
    if kind != "receipt":
        return {**found, "store": text[34], "hash": text[35:].hex().upper()}
    signed = label(b"message-receipt") + name + bytes.fromhex(vector["hash"])
    signers = [key for key in vector["devices"] if verifies(text[34:], signed, bytes.fromhex(key))]
    check(signers, "WRONG_RECEIPT")
    return {**found, "device": signers[0]}


for path in sys.argv[1:]:
    with open(path) as file:
        vector = json.load(file)
    route = bytes.fromhex(vector["from"] + vector["reader"]) + vector["app"].encode()
    try:
        result = {"message": read_object, "entry": read_entry}[vector["kind"]](vector, route)
    except Refused as refusal:
        result = {"code": str(refusal)}
    except (ValueError, TypeError, KeyError):
        result = {"code": "MALFORMED"}
    print(json.dumps({"name": vector["name"], "result": result}))
