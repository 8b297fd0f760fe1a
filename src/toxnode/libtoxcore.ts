/**
 * The libtoxcore functions that a companion needs, called through koffi (tox.h of c-toxcore 0.2). Only the child
 * process loads this file.
 */
import koffi, { type LibraryHandle } from 'koffi'
import { formatHex, parseHex } from '../core/encoding/bytes.ts'
import { LiveError } from './errors.ts'
import { loopbackSystem, LOOPBACK_VERSION } from './loopback.ts'
import type { Connection, NodeOptions } from './protocol.ts'

type Pointer = unknown

/**
 * Events of the node, called from inside {@link ToxNode.iterate}. Texts are bytes; keys are 64 upper-case hex digits.
 */
export interface NodeEvents {
  readonly self: (connection: Connection) => void
  readonly friend: (key: string, connection: Connection) => void
  readonly name: (key: string, text: Uint8Array) => void
  readonly status: (key: string, text: Uint8Array) => void
  readonly request: (key: string, text: Uint8Array) => void
  /** A lossless custom packet, starting with its packet id. */
  readonly packet: (key: string, bytes: Uint8Array) => void
}

const KEY_BYTES = 32 // toxcore: TOX_PUBLIC_KEY_SIZE
const SAVEDATA_SECRET_KEY = 2 // toxcore: TOX_SAVEDATA_TYPE_SECRET_KEY
const PROXY_SOCKS5 = 2 // toxcore: TOX_PROXY_TYPE_SOCKS5
const CONNECTIONS: readonly Connection[] = ['none', 'tcp', 'udp'] // toxcore: TOX_CONNECTION
const NO_FRIEND = 0xffff_ffff // toxcore: UINT32_MAX, returned instead of a friend number
const ERR_NEW_PORT = 3 // toxcore: TOX_ERR_NEW_PORT_ALLOC
const ERR_NEW_PROXY: ReadonlySet<number> = new Set([4, 5, 6, 7]) // toxcore: TOX_ERR_NEW_PROXY_*
const LIBRARY = 'libtoxcore.so.2'

const lib = load()

function load(): LibraryHandle {
  try {
    return koffi.load(LIBRARY)
  } catch (cause) {
    throw new LiveError('LIVE_LIBRARY_MISSING', `cannot load ${LIBRARY}: install the package libtoxcore2`, { cause })
  }
}

/** The version of libtoxcore, such as `0.2.18`. */
export const version: string = ['major', 'minor', 'patch']
  .map((part) => String(lib.func(`uint32_t tox_version_${part}()`)()))
  .join('.')

const fn = {
  optionsNew: lib.func('void *tox_options_new(void *error)'),
  optionsFree: lib.func('void tox_options_free(void *options)'),
  setData: lib.func('void tox_options_set_savedata_data(void *options, const uint8_t *data, size_t length)'),
  setProxyHost: lib.func('void tox_options_set_proxy_host(void *options, const char *host)'),
  toxNew: lib.func('void *tox_new(void *options, _Out_ int *error)'),
  kill: lib.func('void tox_kill(void *tox)'),
  iterate: lib.func('void tox_iterate(void *tox, void *user)'),
  interval: lib.func('uint32_t tox_iteration_interval(void *tox)'),
  bootstrap: lib.func(
    'bool tox_bootstrap(void *tox, const char *host, uint16_t port, const uint8_t *key, void *error)',
  ),
  addRelay: lib.func(
    'bool tox_add_tcp_relay(void *tox, const char *host, uint16_t port, const uint8_t *key, void *error)',
  ),
  setNospam: lib.func('void tox_self_set_nospam(void *tox, uint32_t nospam)'),
  publicKey: lib.func('void tox_self_get_public_key(void *tox, _Out_ uint8_t *key)'),
  dhtKey: lib.func('void tox_self_get_dht_id(void *tox, _Out_ uint8_t *key)'),
  udpPort: lib.func('uint16_t tox_self_get_udp_port(void *tox, void *error)'),
  setName: lib.func('bool tox_self_set_name(void *tox, const uint8_t *name, size_t length, void *error)'),
  setStatus: lib.func('bool tox_self_set_status_message(void *tox, const uint8_t *text, size_t length, void *error)'),
  friendAdd: lib.func(
    'uint32_t tox_friend_add(void *tox, const uint8_t *id, const uint8_t *text, size_t length, _Out_ int *error)',
  ),
  friendAddNoRequest: lib.func('uint32_t tox_friend_add_norequest(void *tox, const uint8_t *key, _Out_ int *error)'),
  sendLossless: lib.func(
    'bool tox_friend_send_lossless_packet(void *tox, uint32_t friend, const uint8_t *bytes, size_t length, void *error)',
  ),
}

/** A Tox node. The library is not reentrant, and any call after {@link ToxNode.kill} would crash the process. */
export class ToxNode {
  #tox: Pointer
  readonly #events: NodeEvents
  readonly #numbers = new Map<string, number>()
  readonly #keys = new Map<number, string>()
  readonly #callbacks: bigint[] = []

  /**
   * @param secretKey 32 bytes; wiped
   * @param clockRate see {@link loopbackSystem}
   * @throws {LiveError} LIVE_LIBRARY_VERSION | LIVE_LOOPBACK_UNSUPPORTED | LIVE_PORT_BUSY | LIVE_PROXY_BAD | LIVE_START_FAILED
   */
  constructor(options: NodeOptions, secretKey: Uint8Array, events: NodeEvents, clockRate: number) {
    if (!version.startsWith('0.2.')) {
      throw new LiveError('LIVE_LIBRARY_VERSION', `libtoxcore ${version} is not supported: install 0.2`)
    }
    if (options.loopback && version !== LOOPBACK_VERSION) {
      const message = `libtoxcore ${version} cannot be kept on loopback: only ${LOOPBACK_VERSION} can`
      throw new LiveError('LIVE_LOOPBACK_UNSUPPORTED', message)
    }
    this.#tox = newTox(options, secretKey, clockRate)
    this.#events = events
    this.#listen()
    fn.setNospam(this.#tox, options.nospam)
    this.show(options.text)
    const name = bytesOf(options.name)
    fn.setName(this.#tox, name, name.length, null)
    for (const { host, port, key } of options.bootstrap) {
      const bytes = parseHex(key)!
      fn.bootstrap(this.#tox, host, port, bytes, null)
      if (!options.loopback) fn.addRelay(this.#tox, host, port, bytes, null)
    }
  }

  /** The node's ToxPk, 64 upper-case hex digits. */
  get key(): string {
    return this.#bytes32(fn.publicKey)
  }

  /** The DHT key with which other nodes bootstrap from this one; new at each start. */
  get dhtKey(): string {
    return this.#bytes32(fn.dhtKey)
  }

  /** The UDP port; null without UDP. */
  get port(): number | null {
    const port = Number(fn.udpPort(this.#tox, null))
    return port === 0 ? null : port
  }

  /** Milliseconds until {@link iterate} should be called again. */
  get intervalMs(): number {
    return Number(fn.interval(this.#tox))
  }

  /** Lets the node work; calls the events. */
  iterate(): void {
    fn.iterate(this.#tox, null)
  }

  /** Sets the status message that friends see. */
  show(text: string): void {
    const bytes = bytesOf(text)
    fn.setStatus(this.#tox, bytes, bytes.length, null)
  }

  /**
   * Adds a friend.
   * @param request the friend request to send; null if the other side has our key or will have it
   * @returns 0, or the number of a TOX_ERR_FRIEND_ADD
   */
  addFriend(key: string, request: { readonly id: Uint8Array; readonly text: string } | null): number {
    if (this.#numbers.has(key)) return 0
    const error = [0]
    const text = bytesOf(request?.text ?? '')
    const number = Number(
      request === null
        ? fn.friendAddNoRequest(this.#tox, parseHex(key), error)
        : fn.friendAdd(this.#tox, request.id, text, text.length, error),
    )
    if (number === NO_FRIEND) return error[0]!
    this.#numbers.set(key, number)
    this.#keys.set(number, key)
    return 0
  }

  /** Sends a packet. If the friend is not connected, the packet is lost. */
  sendPacket(key: string, bytes: Uint8Array): void {
    const number = this.#numbers.get(key)
    if (number !== undefined) fn.sendLossless(this.#tox, number, bytes, bytes.length, null)
  }

  /** Tells friends that we go offline, and frees everything. */
  kill(): void {
    fn.kill(this.#tox)
    this.#tox = null
    for (const callback of this.#callbacks) koffi.unregister(callback)
  }

  #bytes32(get: (tox: Pointer, bytes: Uint8Array) => void): string {
    const bytes = new Uint8Array(KEY_BYTES)
    get(this.#tox, bytes)
    return formatHex(bytes)
  }

  #listen(): void {
    const events = this.#events
    const withKey = (number: number, emit: (key: string) => void): void => {
      const key = this.#keys.get(number)
      if (key !== undefined) emit(key)
    }
    const bytesFor =
      (emit: (key: string, bytes: Uint8Array) => void) =>
      (_: Pointer, number: number, bytes: bigint | null, length: number): void =>
        withKey(number, (key) => emit(key, copy(bytes, length)))
    this.#on('self_connection_status', 'int status, void *user', (_: Pointer, status: number) =>
      events.self(CONNECTIONS[status] ?? 'none'),
    )
    this.#on(
      'friend_connection_status',
      'uint32_t friend, int status, void *user',
      (_: Pointer, number: number, status: number) =>
        withKey(number, (key) => events.friend(key, CONNECTIONS[status] ?? 'none')),
    )
    const text = 'uint32_t friend, const uint8_t *bytes, size_t length, void *user'
    this.#on('friend_name', text, bytesFor(events.name))
    this.#on('friend_status_message', text, bytesFor(events.status))
    this.#on('friend_lossless_packet', text, bytesFor(events.packet))
    const request = 'const uint8_t *key, const uint8_t *bytes, size_t length, void *user'
    this.#on('friend_request', request, (_: Pointer, key: bigint, bytes: bigint | null, length: number) =>
      events.request(formatHex(copy(key, KEY_BYTES)), copy(bytes, length)),
    )
  }

  #on(name: string, args: string, run: (...args: never[]) => void): void {
    const callback = koffi.register(run, koffi.pointer(koffi.proto(`void live_${name}(void *tox, ${args})`)))
    this.#callbacks.push(callback)
    lib.func(`void tox_callback_${name}(void *tox, void *callback)`)(this.#tox, callback)
  }
}

function newTox(options: NodeOptions, secretKey: Uint8Array, clockRate: number): Pointer {
  const set = (name: string, type: string, value: unknown): void =>
    void lib.func(`void tox_options_set_${name}(void *options, ${type} value)`)(opts, value)
  const opts: Pointer = fn.optionsNew(null)
  // Until tox_new returns, libtoxcore keeps only pointers to host and key.
  const host = Buffer.from(`${options.proxy?.host ?? ''}\0`)
  set('udp_enabled', 'bool', options.udp)
  set('ipv6_enabled', 'bool', !options.loopback)
  // Local discovery would broadcast the DHT key into every network that the machine joins.
  set('local_discovery_enabled', 'bool', false)
  set('hole_punching_enabled', 'bool', !options.loopback)
  if (options.port !== null) {
    set('start_port', 'uint16_t', options.port)
    set('end_port', 'uint16_t', options.port)
  }
  if (options.proxy !== null) {
    set('proxy_type', 'int', PROXY_SOCKS5)
    set('proxy_host', 'const uint8_t *', host)
    set('proxy_port', 'uint16_t', options.proxy.port)
  }
  if (options.loopback) set('operating_system', 'void *', loopbackSystem(clockRate))
  set('savedata_type', 'int', SAVEDATA_SECRET_KEY)
  fn.setData(opts, secretKey, secretKey.length)
  const error = [0]
  const tox: Pointer = fn.toxNew(opts, error)
  secretKey.fill(0)
  fn.optionsFree(opts)
  // tox_new may return a node together with an error; that node ignores some option.
  if (tox === null || error[0] !== 0) throw startError(error[0]!, options)
  return tox
}

function startError(error: number, { port }: NodeOptions): LiveError {
  if (error === ERR_NEW_PORT) {
    const which = port === null ? 'all ports from 33445 to 33545 are' : `port ${port} is`
    return new LiveError('LIVE_PORT_BUSY', `${which} used by other programs`)
  }
  if (ERR_NEW_PROXY.has(error))
    return new LiveError('LIVE_PROXY_BAD', 'libtoxcore refuses the proxy: check its address')
  return new LiveError('LIVE_START_FAILED', `libtoxcore cannot start a node: TOX_ERR_NEW ${error}`)
}

function copy(bytes: bigint | null, length: number): Uint8Array {
  // libtoxcore passes an empty text as a null pointer, which cannot be read.
  if (bytes === null || length === 0) return new Uint8Array()
  return koffi.decode(bytes, 'uint8_t', length) as Uint8Array
}

function bytesOf(text: string): Uint8Array {
  return Buffer.from(text)
}
