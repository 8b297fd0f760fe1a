/** Two devices with one code find each other on the local network, by UDP broadcast (docs/pairing.md, section 5). */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { networkInterfaces } from 'node:os'
import type { Address } from '../../pairing/address.ts'

export const DISCOVERY_PORT = 41_827 // format: where joining devices listen
const ANNOUNCE_EVERY_MS = 1000 // sanity: a person waits that long at most; some tens of bytes a second while a code is alive
const TAG_BYTES = 16 // format: nobody guesses it, and it says nothing to who has not the code
const DATAGRAM_BYTES = 2 + TAG_BYTES

/**
 * A datagram: the TCP port, u16 big-endian, and the first 16 bytes of HMAC-SHA-512(key, port). Only who has the code can
 * tell it from noise, and nobody else can make one for another port. From whom it comes is not protected: the handshake is.
 * @param key 32 bytes, by deriveAnnounceKey
 */
export function encodeAnnouncement(key: Uint8Array, port: number): Uint8Array {
  const bytes = Buffer.alloc(DATAGRAM_BYTES)
  bytes.writeUInt16BE(port)
  bytes.set(createHmac('sha512', key).update(bytes.subarray(0, 2)).digest().subarray(0, TAG_BYTES), 2)
  return bytes
}

/** @returns the TCP port, or null for anything that is not an announcement of this code */
export function decodeAnnouncement(key: Uint8Array, datagram: Uint8Array): number | null {
  if (datagram.length !== DATAGRAM_BYTES) return null
  const port = Buffer.from(datagram).readUInt16BE()
  return port !== 0 && timingSafeEqual(encodeAnnouncement(key, port), datagram) ? port : null
}

/** Where broadcasts of this machine go: each IPv4 network that it is in, the loopback one for a second daemon on it among them. */
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

/** The addresses at which other devices may reach a port of this one; link-local IPv6 is left out, since it needs the zone of the other. */
export function reachableAddresses(port: number): Address[] {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  const own = all.filter(({ internal, address }) => !internal && !address.startsWith('fe80:'))
  return own.map(({ address }) => ({ host: address, port }))
}

/** Announces a port every second until the returned function is called. A network that takes no broadcast is left alone. */
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
  /** The next address that announces this code and was not given before; null when `signal` says to stop. */
  next(signal: AbortSignal): Promise<Address | null>
  close(): void
}

/** Listens for announcements of a code. @returns null when the port is taken by another program */
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

const MAX_SEEN = 64 // sanity: one device has a few addresses; who replays its datagrams from others shall not keep us busy

/** @returns null when the system has no such socket or the port is taken */
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
