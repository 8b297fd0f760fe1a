/**
 * Runs one request on Debian's libtoxcore in a separate process, because a native crash ends it. Never iterates, so
 * it sends nothing.
 */
import { stdin, stdout } from 'node:process'
import { text } from 'node:stream/consumers'
import koffi from 'koffi'
import type { LibtoxProfile, LibtoxRequest } from './libtoxcore.ts'

const lib = koffi.load('libtoxcore.so.2')
const SAVEDATA_TOX_SAVE = 1

type Pointer = unknown

const setBool = (name: string): ((options: Pointer, value: boolean) => void) =>
  lib.func(`void tox_options_set_${name}(void *options, bool value)`)
const optionsNew: (error: null) => Pointer = lib.func('void *tox_options_new(void *error)')
const setType: (options: Pointer, type: number) => void = lib.func(
  'void tox_options_set_savedata_type(void *o, int type)',
)
const setData: (options: Pointer, data: Uint8Array, length: number) => void = lib.func(
  'void tox_options_set_savedata_data(void *o, const uint8_t *data, size_t length)',
)
const toxNew: (options: Pointer, error: number[]) => Pointer = lib.func('void *tox_new(void *o, _Out_ int *error)')
const toxKill: (tox: Pointer) => void = lib.func('void tox_kill(void *tox)')

/** Calls a getter that fills a buffer, whose size another call returns. */
function selfBytes(tox: Pointer, name: string, length: number): Uint8Array {
  const bytes = new Uint8Array(Math.max(length, 1))
  lib.func(`void ${name}(void *tox, _Out_ uint8_t *bytes)`)(tox, bytes)
  return bytes.subarray(0, length)
}

function selfSize(tox: Pointer, name: string): number {
  return Number(lib.func(`size_t ${name}(void *tox)`)(tox))
}

function friendBytes(tox: Pointer, friend: number, name: string, length: number): Uint8Array {
  const bytes = new Uint8Array(Math.max(length, 1))
  const done: unknown = lib.func(`bool ${name}(void *tox, uint32_t friend, _Out_ uint8_t *bytes, void *error)`)(
    tox,
    friend,
    bytes,
    null,
  )
  if (done !== true) throw new Error(`${name} failed for friend ${friend}`)
  return bytes.subarray(0, length)
}

function friendNumber(tox: Pointer, friend: number, type: string, name: string): number {
  return Number(lib.func(`${type} ${name}(void *tox, uint32_t friend, void *error)`)(tox, friend, null))
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex').toUpperCase()
}

function confer(tox: Pointer, title: string): void {
  const conference: unknown = lib.func('uint32_t tox_conference_new(void *tox, void *error)')(tox, null)
  const bytes = new TextEncoder().encode(title)
  const setTitle = lib.func(
    'bool tox_conference_set_title(void *tox, uint32_t conference, const uint8_t *title, size_t length, void *error)',
  )
  if (setTitle(tox, conference, bytes, bytes.length, null) !== true) throw new Error('the title was refused')
}

function load(save: Uint8Array, conference: string | null): LibtoxProfile {
  const options = optionsNew(null)
  for (const name of [
    'udp_enabled',
    'ipv6_enabled',
    'local_discovery_enabled',
    'hole_punching_enabled',
    'dht_announcements_enabled',
  ]) {
    setBool(name)(options, false)
  }
  setType(options, SAVEDATA_TOX_SAVE)
  setData(options, save, save.length)
  const error = [0]
  const tox = toxNew(options, error)
  if (tox === null)
    return {
      error: error[0]!,
      isNull: true,
      publicKey: '',
      address: '',
      name: '',
      statusMessage: '',
      friends: [],
      resaved: '',
    }
  if (conference !== null) confer(tox, conference)
  const count = selfSize(tox, 'tox_self_get_friend_list_size')
  const friends = Array.from({ length: count }, (_, friend) => ({
    publicKey: hex(friendBytes(tox, friend, 'tox_friend_get_public_key', 32)),
    name: hex(
      friendBytes(tox, friend, 'tox_friend_get_name', friendNumber(tox, friend, 'size_t', 'tox_friend_get_name_size')),
    ),
    statusMessage: hex(
      friendBytes(
        tox,
        friend,
        'tox_friend_get_status_message',
        friendNumber(tox, friend, 'size_t', 'tox_friend_get_status_message_size'),
      ),
    ),
    lastSeenSec: friendNumber(tox, friend, 'uint64_t', 'tox_friend_get_last_online'),
  }))
  const profile: LibtoxProfile = {
    error: error[0]!,
    isNull: false,
    publicKey: hex(selfBytes(tox, 'tox_self_get_public_key', 32)),
    address: hex(selfBytes(tox, 'tox_self_get_address', 38)),
    name: hex(selfBytes(tox, 'tox_self_get_name', selfSize(tox, 'tox_self_get_name_size'))),
    statusMessage: hex(
      selfBytes(tox, 'tox_self_get_status_message', selfSize(tox, 'tox_self_get_status_message_size')),
    ),
    friends,
    resaved: hex(selfBytes(tox, 'tox_get_savedata', selfSize(tox, 'tox_get_savedata_size'))),
  }
  toxKill(tox)
  return profile
}

/** tox_pass_encrypt or tox_pass_decrypt; null when it refuses. */
function pass(
  name: 'tox_pass_encrypt' | 'tox_pass_decrypt',
  input: Uint8Array,
  passphrase: string,
  length: number,
): string | null {
  const word = new TextEncoder().encode(passphrase)
  const output = new Uint8Array(length)
  const call = lib.func(
    `bool ${name}(const uint8_t *in, size_t length, const uint8_t *word, size_t wordLength, _Out_ uint8_t *out, void *error)`,
  )
  const done: unknown = call(input, input.length, word, word.length, output, null)
  return done === true ? hex(output) : null
}

const request = JSON.parse(await text(stdin)) as LibtoxRequest
const bytes = new Uint8Array(Buffer.from(request.bytes, 'hex'))
switch (request.operation) {
  case 'load':
    stdout.write(JSON.stringify(load(bytes, null)))
    break
  case 'confer':
    stdout.write(JSON.stringify(load(bytes, request.passphrase)))
    break
  case 'encrypt':
    stdout.write(JSON.stringify(pass('tox_pass_encrypt', bytes, request.passphrase, bytes.length + 80)))
    break
  case 'decrypt':
    stdout.write(JSON.stringify(pass('tox_pass_decrypt', bytes, request.passphrase, bytes.length - 80)))
    break
}
