/**
 * Links with apps on other devices of the owner: each has a line of its own to the other daemon (docs/links.md, section 5). Whatever happened, one look
 * at all lines and links brings both together, so a crash needs no other way.
 */
import { isAppName, LINK_APP } from '../../core/encoding/app-name.ts'
import { decodeUtf8, encodeUtf8 } from '../../core/encoding/bytes.ts'
import { formatCanonicalJson, parseCanonicalObject } from '../../core/encoding/canonical-json.ts'
import type { DaemonEvent } from '../../ipc/methods/events.ts'
import { RECEIVES } from '../../ipc/methods/links.ts'
import { describeError } from '../../process/describe-error.ts'
import type { Log } from '../../process/log.ts'
import { Serial } from '../../process/serial.ts'
import type { StoredSettings } from './kinds.ts'
import type { Line, LineOffice, Lines, LineState } from '../wing/lines.ts'
import type { Heard, Link } from './link.ts'
import type { Links } from './links.ts'

const VERSION = 1
/** The first byte of a content. */
const KIND = { settings: 1, text: 2 } as const

export class Elsewhere {
  readonly #links: Links
  readonly #office: LineOffice
  readonly #log: Pick<Log, 'warn'>
  readonly #serial = new Serial()
  #isLookDue = false
  /** Takes a text of the other daemon of a link. One that comes before this is set waits. */
  onText: ((linkId: string, text: string) => Promise<void>) | null = null

  constructor(links: Links, office: LineOffice, log: Pick<Log, 'warn'>) {
    this.#links = links
    this.#office = office
    this.#log = log
  }

  /** Makes the invite of a link. Without one there is no link. */
  async invite(
    app: string,
    settings: Partial<StoredSettings>,
  ): Promise<{ readonly link: Link; readonly invite: string; readonly expiresAtSec: number }> {
    return await this.#begin(app, settings, async (lines, { id }) => await lines.invite(id))
  }

  /** Uses an invite of another device. */
  async accept(app: string, invite: string, settings: Partial<StoredSettings>): Promise<{ readonly link: Link }> {
    return await this.#begin(app, settings, async (lines, { id }) => {
      await lines.accept(id, invite)
      return {}
    })
  }

  /**
   * Gives a text to the other daemon of a link. On return it is on disk.
   * @param key at most 60 letters, digits, `-` and `_`: what was sent under the same key is not sent again
   * @returns false if the link is not open
   */
  async send(linkId: string, text: string, key: string): Promise<boolean> {
    return await this.#serial.run(async () => {
      const lines = await this.#office.open()
      const line = (await lines.list()).find(({ name, state }) => name === linkId && state === 'open')
      if (line === undefined) return false
      await lines.send(line.id, content(KIND.text, text), `t-${key}`)
      return true
    })
  }

  onEvent({ event, data }: DaemonEvent): void {
    if (!event.startsWith('channel.') || !('app' in data) || data.app !== LINK_APP) return
    if (event === 'channel.alarm' && data.code === 'MISBOUND') this.#withdraw(data.id)
    if (event === 'channel.changed' || event === 'channel.content') this.look()
  }

  /** Looks at all lines soon. */
  look(): void {
    if (this.#isLookDue) return
    this.#isLookDue = true
    this.#later(async () => {
      this.#isLookDue = false
      await this.#look()
    })
  }

  /** Resolves once nothing is done. */
  async idle(): Promise<void> {
    await this.#serial.idle()
  }

  /** An invite in the hands of somebody else is worth nothing any more. */
  #withdraw(id: string): void {
    this.#later(async () => await (await this.#office.open()).close(id))
    this.look()
  }

  #later(work: () => Promise<void>): void {
    void this.#serial.run(work).catch((error: unknown) => this.#log.warn('links.elsewhere', describeError(error)))
  }

  async #begin<T extends object>(
    app: string,
    settings: Partial<StoredSettings>,
    work: (lines: Lines, link: Link) => Promise<T>,
  ): Promise<T & { readonly link: Link }> {
    return await this.#serial.run(async () => {
      const lines = await this.#office.open()
      const link = await this.#links.begin(app, settings)
      try {
        return { ...(await work(lines, link)), link }
      } catch (error) {
        await this.#links.unlink(link.id)
        throw error
      } finally {
        this.look()
      }
    })
  }

  async #look(): Promise<void> {
    const isNeeded = this.#links.all.some(({ elsewhere }) => elsewhere !== undefined)
    if (!isNeeded && !(await this.#office.hasAny())) return
    const lines = await this.#office.open()
    const states = new Map<string, LineState>()
    for (const line of await lines.list()) {
      const link = this.#links.all.find(({ id }) => id === line.name)
      if (link === undefined || line.state === 'over') {
        await lines.close(line.id)
        continue
      }
      states.set(link.id, line.state)
      if (line.state === 'open') await this.#talk(link, line, lines)
    }
    for (const { id, elsewhere } of this.#links.all)
      if (elsewhere !== undefined && !states.has(id)) await this.#links.unlink(id)
    this.#links.noteLines(states)
  }

  /** Tells the settings, and takes what has come. */
  async #talk(link: Link, line: Line, lines: Lines): Promise<void> {
    const { told } = link.elsewhere!
    const { app, receive } = link.sides[0]
    const text = formatCanonicalJson({ app, count: told, receive: receive.how, v: VERSION })
    await lines.send(line.id, content(KIND.settings, text), `s-${told}`)
    for (const { number, bytes } of await lines.read(line.id)) {
      const [kind, taken] = [bytes[0], decodeUtf8(bytes.subarray(1))]
      const heard = kind === KIND.settings && taken !== null ? readSettings(taken) : null
      if (heard !== null) await this.#links.hear(link.id, heard)
      if (kind === KIND.text && taken !== null) {
        if (this.onText === null) return
        await this.onText(link.id, taken)
      }
      await lines.ack(line.id, number)
    }
  }
}

function content(kind: number, text: string): Uint8Array {
  return Uint8Array.of(kind, ...encodeUtf8(text))
}

/** The text of the other daemon; null for a text of another form, which changes nothing. */
function readSettings(text: string): Heard | null {
  const value = parseCanonicalObject(text)
  const { app, count, receive, v } = value ?? {}
  const how = RECEIVES.find((each) => each === receive)
  const isCount = typeof count === 'number' && Number.isSafeInteger(count) && count > 0
  if (v !== VERSION || typeof app !== 'string' || !isAppName(app) || how === undefined || !isCount) return null
  return { app, how, count }
}
