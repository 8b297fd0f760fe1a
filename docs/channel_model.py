"""A model of channels (docs/channel.md), independent of the other code: channel_model.py VECTOR.json ... prints one JSON line for each."""
import base64
import ctypes
import ctypes.util
import hashlib
import hmac
import json
import struct
import sys

sodium = ctypes.CDLL(ctypes.util.find_library("sodium") or "libsodium.so.23")
ROLE = {"host": b"\1", "guest": b"\2"}
OTHER = {"host": "guest", "guest": "host"}


def label(name):
    return b"personad/v1/channel-" + name + b"\0"


def H(name, *parts):
    return hashlib.sha512(label(name) + b"".join(parts)).digest()[:32]


def sha256(data):
    return hashlib.sha256(data).digest()


def hkdf(secret, salt, info, length):
    key, block, out = hmac.digest(salt, secret, "sha512"), b"", b""
    while len(out) < length:
        block = hmac.digest(key, block + info + bytes([len(out) // 64 + 1]), "sha512")
        out += block
    return out[:length]


def x25519(secret, public=None):
    out = ctypes.create_string_buffer(32)
    failed = sodium.crypto_scalarmult(out, secret, public) if public else sodium.crypto_scalarmult_base(out, secret)
    return None if failed else out.raw


def open_box(box, nonce, key):
    plain = ctypes.create_string_buffer(max(1, len(box) - 16))
    failed = sodium.crypto_secretbox_open_easy(plain, box, ctypes.c_ulonglong(len(box)), nonce, key)
    return None if failed else plain.raw[: len(box) - 16]


def unbase(text):
    return base64.urlsafe_b64decode(text + "===")


def base(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def canonical(members):
    return json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def is_signed(role, members, hashes, key):
    """Whether the device made the signature; None without a card."""
    if "card" not in members:
        return None
    message = label(b"sig") + ROLE[role] + b"".join(hashes) + canonical({n: v for n, v in members.items() if n != "sig"})
    return sodium.crypto_sign_verify_detached(unbase(members["sig"]), message, ctypes.c_ulonglong(len(message)), key) == 0


def meeting(vector):
    """Both messages, after HPKE: the hashes, the keys and the words."""
    m1, m2 = vector["m1"], vector["m2"]
    bare = "connectoid" in vector
    invite = {} if bare else json.loads(vector["invite"])
    k = unbase(invite.pop("k")) if invite else None
    about = sha256(vector["connectoid"].encode() if bare else canonical(invite))
    h1, h2 = (sha256(unbase(m["data"])[1:]) for m in (m1, m2))
    first, second = json.loads(m1["text"]), json.loads(m2["text"])
    agreed = x25519(bytes.fromhex(vector["hostSecret"]), unbase(first["dh"]))
    exporters = bytes.fromhex(m1["exporter"]) + bytes.fromhex(m2["exporter"])
    nonce = bytes.fromhex(vector["nB"])
    bits = int.from_bytes(H(b"words", h1, h2, unbase(second["nA"]), nonce), "big") >> (256 - 44)
    kept = H(b"commit", nonce) == unbase(first["commit"])
    return {
        "inviteHash": about.hex().upper(),
        "psk": k and hkdf(k, b"", label(b"psk") + about, 32).hex().upper(),
        "root": hkdf(exporters + agreed, b"", label(b"root") + h1 + h2, 192).hex().upper(),
        "words": [bits >> (33 - 11 * i) & 2047 for i in range(4)] if kept else None,
        "guestSigned": is_signed("guest", first, [about], bytes.fromhex(vector["deviceKeys"]["guest"] or "")),
        "hostSigned": is_signed("host", second, [about, h1], bytes.fromhex(vector["deviceKeys"]["host"] or "")),
    }


def items(body):
    """The items of a body; None for a body that breaks the rules. The vectors begin with no content begun."""
    found, at = [], 0
    while at < len(body) and body[at]:
        tag, head = body[at], {1: 3, 2: 7, 3: 3, 4: 4}.get(body[at])
        if head is None or at + head > len(body):
            return None
        length = int.from_bytes(body[at + head - 2 : at + head], "big")
        extra = {2: lambda: int.from_bytes(body[at + 1 : at + 5], "big"), 4: lambda: body[at + 1]}.get(tag, lambda: length)()
        if at + head + length > len(body):
            return None
        found.append([tag, extra, base(body[at + head : at + head + length])])
        at += head + length
    return None if any(body[at:]) else found


def channel(vector):
    """Opens the frames of both ends in their order, and makes their keys from the secrets of the steps."""
    root = bytes.fromhex(vector["root"])
    headers = {"host": root[32:64], "guest": root[64:96]}
    secrets = {end: bytes.fromhex(vector["dh"][end]) for end in ROLE}
    ratchet, chains, starts, keys, results = root[:32], {}, {}, {}, []
    for each in vector["frames"]:
        end, frame = each["from"], unbase(each["data"])[1:]
        n1, n2, box, rest = frame[:24], frame[24:48], frame[48:122], frame[122:]
        plain = open_box(box, n1, headers[end]) if len(frame) in (256, 880, 4096, 12000) else None
        if plain is None:
            results.append("refused")
            continue
        version, kind, counter, previous, ack = struct.unpack(">BBQQQ", plain[:26])
        key, new_root, chain = plain[26:], ratchet, chains.get(end)
        is_step = counter > 0 and key != keys.get(end)
        if is_step:
            step = hkdf(x25519(secrets[OTHER[end]], key), ratchet, label(b"step") + ROLE[end], 64)
            new_root, chain = step[:32], step[32:]
        secret = H(b"key", chain) if counter else headers[end]
        body = open_box(rest, n2, H(b"frame", secret, n2, box))
        last = chains.get(end + " counter", 0)
        in_turn = counter == 0 or (counter == last + 1 and previous == (last if is_step else starts[end]))
        if body is None or version != 1 or not in_turn or items(body) is None:
            results.append("refused")
            continue
        if counter:
            ratchet, chains[end], chains[end + " counter"] = new_root, H(b"chain", chain), counter
            keys[end], starts[end] = key, previous
        if each["secret"]:
            secrets[end] = bytes.fromhex(each["secret"])
            assert x25519(secrets[end]) == key
        header = {"kind": kind, "counter": counter, "previous": previous, "ack": ack, "key": key.hex().upper()}
        results.append({"header": header, "items": items(body)})
    return results


def fingerprint(signal, members):
    """The fingerprint in the description of a signal; None for a signal that is refused."""
    found = json.loads(signal)
    if set(found) != members or not isinstance(found.get("at", 0), int) or len(unbase(found["id"])) != 8:
        return None
    lines = found["sdp"].replace("\r\n", "\n").split("\n")
    prints = [line[14:] for line in lines if line.startswith("a=fingerprint:")]
    media = [line for line in lines if line.startswith("m=")]
    whole = len(found["sdp"]) <= 4096 and len(media) == 1 and media[0].startswith("m=application ")
    digits = prints[0].removeprefix("sha-256 ").replace(":", "") if whole and len(prints) == 1 else ""
    return bytes.fromhex(digits) or None


def direct(vector):
    """The proofs of both ends of a direct way."""
    offer, answer = fingerprint(vector["offer"], {"at", "id", "sdp"}), fingerprint(vector["answer"], {"id", "sdp"})
    if offer is None or answer is None:
        return {"refused": "offer" if offer is None else "answer"}
    both = offer + answer if vector["offerBy"] == "host" else answer + offer
    key = bytes.fromhex(vector["root"])[160:]
    return {end: "00" + hmac.digest(key, ROLE[end] + both, "sha512")[:32].hex().upper() for end in ROLE}


for path in sys.argv[1:]:
    with open(path) as file:
        vector = json.load(file)
    result = {"meeting": meeting, "channel": channel, "direct": direct}[vector["kind"]](vector)
    print(json.dumps({"name": vector["name"], "result": result}))
