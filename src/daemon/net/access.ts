/** Opens the network of the daemon: at once if the configuration needs it, else at the first call of a server. Before that it loads nothing. */
import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Engine } from '../../core/engine.ts'
import type { Finding } from '../../ipc/shapes/doctor.ts'
import type { NetStatus } from '../../ipc/shapes/net.ts'
import { NetError } from '../../netnode/errors.ts'
import { MAX_CA_CHARS, type NetSettings } from '../../netnode/settings.ts'
import { expandHome } from '../../process/config-values.ts'
import type { Log } from '../../process/log.ts'
import { needsNetwork, type NetConfig } from './config.ts'
import { netFindings, privateFindings, proxyFindings, rtcFindings } from './findings.ts'
import type { Net } from './net.ts'
import type { Rtc } from './rtc.ts'
import type { WebRequest } from './web.ts'
import type { WebResponse } from './web-answer.ts'

export interface AccessOptions {
  readonly config: NetConfig
  readonly log: Log
  readonly verify: Engine['verify']
  /** PERSONAD_NET_SOCKET and PERSONAD_RTC_SOCKET name the sockets of the units of personad-net and personad-rtc. The daemon's own unit sets them. */
  readonly env: Readonly<Record<string, string | undefined>>
}

/** The network, as wings and the daemon see it. */
export interface NetAccess {
  /** The DHT; null if nothing in the configuration needs it. */
  readonly net: Net | null
  /** Calls a server over HTTP through personad-net: see Web.fetch. @throws {NetError} @throws the reason of the signal */
  fetch(url: string, request: WebRequest): Promise<WebResponse>
  /** Connections of WebRTC, through personad-rtc; null if the configuration does not allow them. */
  rtc(): Promise<Rtc | null>
  /** null while nothing has needed the network. */
  status(): NetStatus | null
  findings(): Finding[]
  close(): Promise<void>
}

export async function openAccess(options: AccessOptions): Promise<NetAccess> {
  const access = new Access(options)
  if (needsNetwork(options.config)) await access.openForDht()
  if (isDirectAllowed(options.config))
    access.isRtcInstalled = (await import('../../rtcnode/installed.ts')).isLibraryInstalled()
  return access
}

class Access implements NetAccess {
  readonly #options: AccessOptions
  /** For the DHT, from the start on. */
  net: Net | null = null
  isRtcInstalled = false
  #opened: Net | null = null
  #opening: Promise<Net> | null = null
  #rtc: Promise<Rtc> | null = null
  #openedRtc: Rtc | null = null
  #isClosed = false

  constructor(options: AccessOptions) {
    this.#options = options
  }

  async openForDht(): Promise<void> {
    this.net = await this.#open()
  }

  async fetch(url: string, request: WebRequest): Promise<WebResponse> {
    if (this.#isClosed) throw new NetError('NET_DOWN', 'the daemon stops')
    const net = await this.#open()
    // A second start would skip the pause after a crash.
    if (net.status().state === 'down') net.start()
    return await net.fetch(url, request)
  }

  async rtc(): Promise<Rtc | null> {
    if (!isDirectAllowed(this.#options.config)) return null
    this.#rtc ??= this.#loadRtc()
    return await this.#rtc
  }

  async #loadRtc(): Promise<Rtc> {
    const { config, log, env } = this.#options
    const [{ Rtc }, { connectRtc, startRtc }] = await Promise.all([import('./rtc.ts'), import('./program.ts')])
    const path = env['PERSONAD_RTC_SOCKET']
    const open = path === undefined || path === '' ? startRtc : () => connectRtc(path)
    this.#openedRtc = new Rtc({ settings: { ice: config.ice, address: config.directAddress }, log, open })
    return this.#openedRtc
  }

  status(): NetStatus | null {
    return this.#opened?.status() ?? null
  }

  findings(): Finding[] {
    const { config } = this.#options
    const ofNet = this.#opened === null ? [] : netFindings(this.#opened.status())
    return [
      ...proxyFindings(config),
      ...privateFindings(config),
      ...ofNet,
      ...rtcFindings(config, this.#openedRtc?.problem ?? null, this.isRtcInstalled),
    ]
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await (await this.#opening)?.stop()
    await (await this.#rtc)?.close()
  }

  async #open(): Promise<Net> {
    this.#opening ??= this.#load()
    return await this.#opening
  }

  async #load(): Promise<Net> {
    const { config, log, verify, env } = this.#options
    const [{ Net }, { connectNet, startNet }] = await Promise.all([import('./net.ts'), import('./program.ts')])
    const path = env['PERSONAD_NET_SOCKET']
    const common = { settings: () => settingsOf(config, env), log, verify }
    this.#opened =
      path === undefined || path === ''
        ? new Net({ ...common, how: 'child', open: startNet })
        : new Net({ ...common, how: 'unit', open: () => connectNet(path) })
    return this.#opened
  }
}

/** The file is read at each start of personad-net, which reads none itself. @throws {NetError} NET_CA */
async function settingsOf(config: NetConfig, env: AccessOptions['env']): Promise<NetSettings> {
  const { bootstrap, proxy, private: hosts, caFile } = config
  return { bootstrap, proxy, private: hosts, ca: caFile === null ? null : await readCa(expandHome(caFile, env)) }
}

async function readCa(path: string): Promise<string> {
  let text: string
  try {
    text = await readFile(path, 'latin1')
  } catch (cause) {
    throw new NetError('NET_CA', `${path}, the file of net.ca_file, cannot be read`, { cause })
  }
  const blocks = [...text.matchAll(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g)]
  const ca = blocks.map(([block]) => block).join('\n')
  if (blocks.length > 0 && ca.length <= MAX_CA_CHARS && blocks.every(([block]) => isCertificate(block))) return ca
  const message = `${path}, the file of net.ca_file, must hold certificates as PEM, of ${MAX_CA_CHARS} characters at most`
  throw new NetError('NET_CA', message)
}

/** TLS would leave out without a word what it cannot read. */
function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0
  } catch {
    return false
  }
}

/** UDP would go around a proxy, and show the address that it hides. */
export function isDirectAllowed({ direct, proxy }: Pick<NetConfig, 'direct' | 'proxy'>): boolean {
  return direct && proxy === null
}
