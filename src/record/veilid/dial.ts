/** Where veilid-server listens, and a connection to it: its unix sockets first, then a port, which is off unless its owner turned it on. */
import { existsSync } from 'node:fs'
import { connect, type NetConnectOpts, type Socket } from 'node:net'
import { join } from 'node:path'
import { RecordError } from '../errors.ts'

const DEFAULT_HOST = 'localhost'
const PLACE = /^(?:\[([^\]]+)\]|([^:\s]+))(?::([0-9]{1,6}))?$/
const MAX_PORT = 65_535 // format: of TCP
const DEFAULT_PORT = 5959 // format: the port of veilid-server's API
const SYSTEM_PATH = '/var/db/veilid-server/ipc/0' // format: of a veilid-server that the system runs

export interface VeilidPlaces {
  /** Unix sockets, tried in order. One that is not there is passed by. */
  readonly paths: readonly string[]
  /** Null to try no port. A numeric address is tried as it is; `localhost` is tried as 127.0.0.1 and ::1. */
  readonly tcp: { readonly host: string; readonly port: number } | null
}

/**
 * The places that veilid-server's own clients try.
 * @param env VEILID_SERVER_IPC names a unix socket, VEILID_SERVER_NETWORK a host with or without a port
 * @param home the home directory
 * @throws {RecordError} RECORD_AWAY
 */
export function defaultVeilidPlaces(env: Readonly<Record<string, string | undefined>>, home: string): VeilidPlaces {
  const own = env['VEILID_SERVER_IPC']
  return {
    paths: own === undefined ? [SYSTEM_PATH, join(home, '.local/share/veilid/ipc/0')] : [own],
    tcp: placeOf(env['VEILID_SERVER_NETWORK'] ?? DEFAULT_HOST),
  }
}

function placeOf(text: string): { readonly host: string; readonly port: number } {
  const [, inBrackets, plain, digits] = PLACE.exec(text) ?? []
  const host = inBrackets ?? plain
  const port = digits === undefined ? DEFAULT_PORT : Number(digits)
  if (host !== undefined && port >= 1 && port <= MAX_PORT) return { host, port }
  throw new RecordError(
    'RECORD_AWAY',
    `VEILID_SERVER_NETWORK is "${text}", which names no host and port`,
    `write it like localhost:${DEFAULT_PORT}; a port is at most ${MAX_PORT}`,
  )
}

/** @throws {RecordError} RECORD_AWAY */
export async function dialVeilid({ paths, tcp }: VeilidPlaces): Promise<Socket> {
  const hosts = tcp === null ? [] : tcp.host === 'localhost' ? ['127.0.0.1', '::1'] : [tcp.host]
  const places: NetConnectOpts[] = [
    ...paths.filter((path) => existsSync(path)).map((path) => ({ path })),
    ...hosts.map((host) => ({ host, port: tcp!.port, noDelay: true })),
  ]
  for (const place of places) {
    const socket = await connected(place)
    if (socket !== null) return socket
  }
  const tried = [...paths, ...hosts.map((host) => `${host} port ${tcp!.port}`)].join(', ')
  throw new RecordError(
    'RECORD_AWAY',
    `no veilid-server answers; tried ${tried}`,
    'start veilid-server, or name its place',
  )
}

/** @returns null if nobody listens there, or nobody may connect */
async function connected(place: NetConnectOpts): Promise<Socket | null> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect(place)
  socket.once('connect', () => resolve(true))
  socket.once('error', () => resolve(false))
  return (await promise) ? socket : null
}
