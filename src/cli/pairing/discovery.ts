/** Lets two devices with the same code find each other on the local network, by UDP broadcast (docs/pairing.md, section 5). */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { networkInterfaces } from 'node:os'
import type { Address } from '../../pairing/address.ts'

export const DISCOVERY_PORT = 41_827 // format: where joining devices listen
const ANNOUNCE_EVERY_MS = 1000 // sanity: a person waits at most this long; it costs some tens of bytes a second while a code is valid
const TAG_BYTES = 16 // format: too long to guess, and meaningless without the code
const DATAGRAM_BYTES = 2 + TAG_BYTES

/**
 * A datagram: the TCP port, u16 big-endian, and the first 16 bytes of HMAC-SHA-512(key, port). Only a device with the code can
 * tell it from noise or make one for another port. Anybody can replay it from another address; the handshake protects against that.
 * @param key 32 bytes, by deriveAnnounceKey
 */
export function encodeAnnouncement(key: Uint8Array, port: number): Uint8Array {
  const bytes = Buffer.alloc(DATAGRAM_BYTES)
  bytes.writeUInt16BE(port)
  bytes.set(createHmac('sha512', key).update(bytes.subarray(0, 2)).digest().subarray(0, TAG_BYTES), 2)
  return bytes
}

/** @returns the TCP port, or null if this is not an announcement of this code */
export function decodeAnnouncement(key: Uint8Array, datagram: Uint8Array): number | null {
  if (datagram.length !== DATAGRAM_BYTES) return null
  const port = Buffer.from(datagram).readUInt16BE()
  return port !== 0 && timingSafeEqual(encodeAnnouncement(key, port), datagram) ? port : null
}

/** The broadcast address of each IPv4 network of this machine, also of the loopback network, for a second daemon on this machine. */
export function broadcastAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  const found = all
    .filter(({ family }) => family === 'IPv4')
    .map(({ address, netmask }) => {
      const mask = netmask.split('.').map(Number)
      return address
        .split('.')
        .map((byte, at) => Number(byte) | (255 & ~mask[at]!))
        .join('.')
    })
  return [...new Set(found)]
}

/** The addresses at which other devices may reach this one. Link-local IPv6 is left out: it needs the zone of the other device. */
export function reachableAddresses(port: number): Address[] {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  const own = all.filter(({ internal, address }) => !internal && !address.startsWith('fe80:'))
  return own.map(({ address }) => ({ host: address, port }))
}

/** Announces a port every second until the returned function is called. Ignores networks that refuse broadcasts. */
export async function announce(
  key: Uint8Array,
  port: number,
  targets: readonly string[] = broadcastAddresses(),
  discoveryPort: number = DISCOVERY_PORT,
): Promise<() => void> {
  const socket = await openSocket()
  if (socket === null) return () => {}
  socket.setBroadcast(true)
  const datagram = encodeAnnouncement(key, port)
  const send = (): void => {
    for (const target of targets) socket.send(datagram, discoveryPort, target, () => {})
  }
  send()
  const timer = setInterval(send, ANNOUNCE_EVERY_MS)
  return () => {
    clearInterval(timer)
    socket.close()
  }
}

export interface Seeker {
  /** Waits for the next new address that announces this code. Returns null when `signal` aborts. */
  next(signal: AbortSignal): Promise<Address | null>
  close(): void
}

/** Listens for announcements of a code. @returns null if another program uses the port */
export async function seek(key: Uint8Array, discoveryPort: number = DISCOVERY_PORT): Promise<Seeker | null> {
  const socket = await openSocket(discoveryPort)
  if (socket === null) return null
  const seen = new Set<string>()
  const found: Address[] = []
  socket.on('message', (datagram, { address }) => {
    const port = decodeAnnouncement(key, datagram)
    if (port === null || seen.has(`${address} ${port}`) || seen.size >= MAX_SEEN) return
    seen.add(`${address} ${port}`)
    found.push({ host: address, port })
    socket.emit('found')
  })
  return {
    next: async (signal) => {
      while (!signal.aborted) {
        const address = found.shift()
        if (address !== undefined) return address
        await once(socket, 'found', { signal }).catch(() => {})
      }
      return null
    },
    close: () => void socket.close(),
  }
}

const MAX_SEEN = 64 // sanity: one device has a few addresses; an attacker who replays its datagrams must not keep us busy

/** @returns null if the system has no such socket or the port is taken */
async function openSocket(port?: number): Promise<Socket | null> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true })
  try {
    socket.bind(port)
    await once(socket, 'listening')
    socket.on('error', () => {})
    return socket
  } catch {
    socket.close()
    return null
  }
}
