"""Opens announcements (docs/announce.md), independent of the other code: open_announcement.py VECTOR.json ... prints one JSON line for each."""
import base64
import ctypes
import ctypes.util
import hashlib
import json
import sys

sodium = ctypes.CDLL(ctypes.util.find_library("sodium") or "libsodium.so.23")
OPEN_SALT = b"personad/1"


def H(label, *parts):
    return hashlib.sha512(b"personad/v1/" + label + b"\0" + b"".join(parts)).digest()[:32]


def is_signed(s):
    salt = b"4:salt%d:%s" % (len(s["salt"]), s["salt"]) if s["salt"] else b""
    message = salt + b"3:seqi%de1:v" % s["seq"] + s["bencoded"]
    return sodium.crypto_sign_verify_detached(s["signature"], message, ctypes.c_ulonglong(len(message)), s["publicKey"]) == 0


def open_box(box, nonce, key):
    plain = ctypes.create_string_buffer(max(0, len(box) - 16))
    failed = sodium.crypto_secretbox_open_easy(plain, box, ctypes.c_ulonglong(len(box)), nonce, key)
    return None if failed else plain.raw


def open_value(s, r, device_keys):
    """The blob of an item, or None."""
    length, _, v = s["bencoded"].partition(b":")
    if not length.isdigit() or int(length) != len(v) or v[0] != 1:
        return None
    head, form, k = v[:2], v[1] & ~1, s["publicKey"]
    if form == 4 and s["salt"] == OPEN_SALT:
        return v[2:]
    nonce, plain = v[2:26], None
    if form == 0 and s["salt"] != OPEN_SALT and r:
        plain = open_box(v[26:], nonce, H(b"announce-key", r, k, head))
    elif form == 2 and s["salt"] == OPEN_SALT:
        end = 27 + 16 * v[26]
        for opener in ([r] if r else []) + device_keys:
            mask = H(b"announce-slot", opener, k, nonce)
            for at in range(27, end, 16):
                cek = bytes(a ^ b for a, b in zip(v[at : at + 16], mask))
                plain = plain or open_box(v[end:], nonce, H(b"announce-key", cek, k, head, v[26:end]))
    if plain is None:
        return None
    end = 2 + int.from_bytes(plain[:2], "big")
    return plain[2:end] if end <= len(plain) and not any(plain[end:]) else None


for path in sys.argv[1:]:
    with open(path) as file:
        vector = json.load(file)
    reader, fields = vector["reader"], vector["signed"]
    s = {name: bytes.fromhex(fields[name]) for name in ("publicKey", "salt", "signature")}
    s.update(seq=int(fields["seq"]), bencoded=base64.urlsafe_b64decode(fields["bencoded"] + "==="))
    r = reader["root"] and H(b"announce-read", bytes.fromhex(reader["root"]), bytes.fromhex(reader["read"]))
    places = [OPEN_SALT] + ([H(b"announce-at", r, s["publicKey"])[:20]] if r else [])
    blob = None
    if s["publicKey"].hex().upper() == reader["signingKey"] and s["salt"] in places and is_signed(s):
        blob = open_value(s, r, [bytes.fromhex(key) for key in reader["deviceKeys"]])
    print(json.dumps({"name": vector["name"], "blob": blob and base64.urlsafe_b64encode(blob).decode().rstrip("=")}))
