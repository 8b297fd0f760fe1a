/** Callers: the address of a client, as the relay may know it. It is never an address, only an HMAC under a key that lives for a day. */
import { createHmac, createSecretKey, randomBytes, type KeyObject } from 'node:crypto'
import { BlockList, isIP } from 'node:net'

const DAY_MS = 86_400_000
const NAME_BYTES = 12 // sanity: two callers of one day share a name with a chance below 2^-60 among a million
const MAX_NAMES = 10_000 // sanity: some 2 MB; names of callers that come again, each of which takes as long as the rest of a read
const MAX_HOPS = 16 // sanity: proxies that forwarded one request; longer lists are made up

export interface CallersOptions {
  /** Addresses or networks such as `10.0.0.0/8`, whose `X-Forwarded-For` counts. */
  readonly trustProxy: readonly string[]
  readonly nowMs: () => number
  /** Makes the key of a day, 32 bytes: a random one, unless several processes share their limits. @param day since 1970 */
  readonly keyOfDay?: (day: number) => Uint8Array
}

/** Whether a text is an address, or a network as `address/bits`. */
export function isNetwork(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/')
  const version = isIP(address)
  if (version === 0 || rest.length > 0) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128))
}

/**
 * Names callers. The key is only in memory, and each day has another one: neither a log nor the disk leads back to an address, and no
 * counter follows a caller for longer than a day.
 */
export class Callers {
  readonly #trusted = new BlockList()
  readonly #nowMs: () => number
  readonly #keyOfDay: (day: number) => Uint8Array
  #day = -1
  #key: KeyObject | null = null
  /** Names of this day by network, and by the address of a connection that needs no header, in memory only. */
  readonly #names = new Map<string, string>()

  constructor({ trustProxy, nowMs, keyOfDay = () => randomBytes(32) }: CallersOptions) {
    this.#nowMs = nowMs
    this.#keyOfDay = keyOfDay
    for (const network of trustProxy) {
      const [address = '', bits] = network.split('/')
      const family = isIP(address) === 4 ? 'ipv4' : 'ipv6'
      if (bits === undefined) this.#trusted.addAddress(address, family)
      else this.#trusted.addSubnet(address, Number(bits), family)
    }
  }

  /** Whether a connection comes from a proxy of the operator. */
  isProxy(remote: string | undefined): boolean {
    return this.#isTrusted(plainAddress(remote ?? ''))
  }

  /**
   * Names the caller of a request.
   * @param remote the other end of the connection
   * @param forwarded the header `X-Forwarded-For`; each proxy adds the address that it saw at the end
   * @returns 16 characters of base64url; the same for all addresses of one /64 of IPv6
   */
  nameOf(remote: string | undefined, forwarded?: string): string {
    const key = this.#keyOfToday()
    const known = forwarded === undefined ? this.#names.get(remote ?? '') : undefined
    if (known !== undefined) return known
    const network = this.#networkOf(remote ?? '', forwarded)
    const name = this.#names.get(network) ?? nameUnder(key, network)
    this.#keep(network, name)
    // The address itself as well: to read it takes as long as the rest of a name.
    if (forwarded === undefined) this.#keep(remote ?? '', name)
    return name
  }

  /** The address of the caller, or its /64 of IPv6. */
  #networkOf(remote: string, forwarded: string | undefined): string {
    let address = plainAddress(remote)
    if (forwarded !== undefined && this.#isTrusted(address)) {
      const hops = forwarded
        .split(',')
        .slice(-MAX_HOPS)
        .map((hop) => plainAddress(hop.trim()))
      // Only a proxy of ours is believed about the hop before it: a client may write whatever it likes in front.
      for (let hop = hops.pop(); hop !== undefined && isIP(hop) !== 0 && this.#isTrusted(address); hop = hops.pop())
        address = hop
    }
    return isIP(address) === 6 ? firstHalf(address) : address
  }

  #keep(network: string, name: string): void {
    if (this.#names.has(network)) return
    if (this.#names.size >= MAX_NAMES) this.#names.clear()
    this.#names.set(network, name)
  }

  #isTrusted(address: string): boolean {
    const version = isIP(address)
    return version !== 0 && this.#trusted.check(address, version === 4 ? 'ipv4' : 'ipv6')
  }

  #keyOfToday(): KeyObject {
    const day = Math.floor(this.#nowMs() / DAY_MS)
    if (this.#key !== null && day === this.#day) return this.#key
    this.#day = day
    this.#names.clear()
    // Made once: of raw bytes Node would make one at each call, which takes four times as long as the HMAC.
    return (this.#key = createSecretKey(this.#keyOfDay(day)))
  }
}

function nameUnder(key: KeyObject, network: string): string {
  return createHmac('sha256', key).update(network).digest().subarray(0, NAME_BYTES).toString('base64url')
}

/** Without the zone of a link-local address, and as IPv4 where IPv6 only wraps it. */
function plainAddress(text: string): string {
  const address = text.replace(/%.*$/, '')
  const [, wrapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address) ?? []
  return wrapped ?? address
}

/** The first 64 bits of an IPv6 address: a provider gives each customer at least so many. */
function firstHalf(address: string): string {
  const [head = '', tail] = address.split('::')
  const groups = head === '' ? [] : head.split(':')
  // An address that ends in figures with dots has two groups there.
  const after = tail === undefined || tail === '' ? [] : tail.replace(/[\d.]+\.[\d.]+$/, '0:0').split(':')
  if (tail !== undefined) while (groups.length + after.length < 8) groups.push('0')
  return [...groups, ...after]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')
}
