/** A relay's HTTP server over boxes of a test, and raw connections to it. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { RELAY_LIMITS, type RelayLimits } from '../../src/relay/limits.ts'
import type { BoxService } from '../../src/relayd/boxes/box-service.ts'
import type { About } from '../../src/relayd/http/about.ts'
import { Callers } from '../../src/relayd/http/callers.ts'
import { HTTP_LIMITS, type HttpLimits } from '../../src/relayd/http/http-limits.ts'
import { listenHttp, type TlsFiles } from '../../src/relayd/http/listener.ts'
import { RelayServer } from '../../src/relayd/http/relay-server.ts'
import type { CardService } from '../../src/relayd/cards/card-service.ts'
import type { InboxService } from '../../src/relayd/inbox/inbox-service.ts'
import { systemClock, type Clock } from '../../src/process/pulse.ts'
import type { ObjectService } from '../../src/relayd/objects/object-service.ts'
import type { PersonaService } from '../../src/relayd/personas/persona-service.ts'
import { testCards } from './relay-cards.ts'
import { testObjects } from './relay-objects.ts'
import { tempDir } from './temp-dir.ts'

export interface TestServer {
  readonly server: RelayServer
  readonly port: number
  readonly url: string
  readonly errors: unknown[]
}

export interface TestServerOptions {
  readonly boxes: BoxService
  readonly cards?: CardService
  readonly inboxes?: InboxService
  readonly limits?: Partial<RelayLimits>
  readonly kept?: { readonly objects: ObjectService; readonly personas: PersonaService; readonly limits: RelayLimits }
  readonly wait?: Partial<RelayLimits['wait']>
  readonly http?: Partial<HttpLimits>
  readonly trustProxy?: readonly string[]
  readonly about?: Partial<About>
  readonly clock?: Clock
  readonly isHealthy?: () => boolean
  readonly tls?: TlsFiles
}

export async function serveBoxes(options: TestServerOptions): Promise<TestServer> {
  const kept = options.kept ?? (await testObjects(tempDir()))
  const limits = { ...kept.limits, ...options.limits, wait: { ...RELAY_LIMITS.wait, ...options.wait } }
  const errors: unknown[] = []
  const about: About = {
    version: '0.0.0',
    url: 'https://relay.example',
    operator: { name: 'Ada & Co', contact: 'mailto:ada@relay.example' },
    terms: { text: 'Be kind.', price: '', url: null },
    senders: 'everybody',
    limits,
    ...options.about,
  }
  const http = { ...HTTP_LIMITS, ...options.http }
  const listener = await listenHttp({ host: '127.0.0.1', port: 0, http, tls: options.tls })
  const server = new RelayServer(listener, {
    boxes: options.boxes,
    cards: options.cards ?? testCards().cards,
    inboxes: options.inboxes ?? testCards().inboxes,
    objects: kept.objects,
    personas: kept.personas,
    callers: new Callers({ trustProxy: options.trustProxy ?? [], nowMs: () => 0 }),
    limits,
    http,
    about: () => about,
    isHealthy: options.isHealthy ?? ((): boolean => true),
    clock: options.clock ?? systemClock,
    onError: (error) => void errors.push(error),
  })
  const { port } = listener
  onTestFinished(() => server.close())
  return { server, port, url: `http://127.0.0.1:${port}`, errors }
}

/** A connection that sends and reads raw bytes. */
export class RawConnection {
  readonly socket: Socket
  /** Everything that came so far. */
  text = ''
  readonly closed: Promise<void>

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('error', () => {})
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()))
    socket.on('data', (bytes) => (this.text += bytes.toString('latin1')))
  }

  static async open(port: number): Promise<RawConnection> {
    const socket = connect(port, '127.0.0.1')
    const connection = new RawConnection(socket)
    onTestFinished(() => void socket.destroy())
    await once(socket, 'connect')
    return connection
  }

  /** Resolves when this text has come. Rejects if the connection closes before. */
  async received(text: string): Promise<void> {
    while (!this.text.includes(text)) {
      if (this.socket.closed) throw new Error(`closed after ${JSON.stringify(this.text)}`)
      await Promise.race([new Promise((resolve) => this.socket.once('data', resolve)), this.closed])
    }
  }
}

/** A POST request as bytes. */
export function postText(path: string, body: string, headers: readonly string[] = []): string {
  const lines = [
    `POST ${path} HTTP/1.1`,
    'Host: relay.example',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...headers,
  ]
  return `${lines.join('\r\n')}\r\n\r\n${body}`
}
