/**
 * Links with apps on other devices of the owner: each has a line of its own to the other daemon (docs/links.md, section 5). Whatever happened, one look
 * at all lines and links brings both together, so a crash needs no other way.
 */
import { isAppName, LINK_APP } from '../../core/encoding/app-name.ts'
import { concatBytes, decodeUtf8, encodeUtf8 } from '../../core/encoding/bytes.ts'
import { formatCanonicalJson, parseCanonicalObject } from '../../core/encoding/canonical-json.ts'
import type { DaemonEvent } from '../../ipc/methods/events.ts'
import { RECEIVES } from '../../ipc/methods/links.ts'
import { ProposalError } from '../../link/errors.ts'
import { formatWord, parseWord, type Word } from '../../link/word.ts'
import { describeError } from '../../process/describe-error.ts'
import type { Log } from '../../process/log.ts'
import { Serial } from '../../process/serial.ts'
import type { StoredSettings } from './kinds.ts'
import type { Line, LineOffice, Lines } from '../wing/lines.ts'
import type { Heard, Link } from './link.ts'
import type { Links } from './links.ts'

const VERSION = 1
/** The first byte of a content. */
const KIND = { settings: 1, contact: 2, heard: 3, say: 4 } as const
const WORDS = ['contact', 'heard', 'say'] as const

export class Elsewhere {
  readonly #links: Links
  readonly #office: LineOffice
  readonly #log: Pick<Log, 'warn'>
  readonly #serial = new Serial()
  #isLookDue = false
  /** The open lines by their links, as they were found last. */
  #lines: ReadonlyMap<string, Line> = new Map()
  readonly #heard = new Set<string>()
  /** Takes words of the other daemon of a link, in their order. Those that come before this is set wait. */
  onWords: ((linkId: string, words: readonly Word[]) => Promise<void>) | null = null

  constructor(links: Links, office: LineOffice, log: Pick<Log, 'warn'>) {
    this.#links = links
    this.#office = office
    this.#log = log
    office.changed = () => this.look()
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
   * Gives a word to the other daemon of a link. On return it is on disk.
   * @param note inside of the change that sends it
   * @returns false if the link is not open
   */
  async send(linkId: string, word: Word, note: () => void): Promise<boolean> {
    const line = this.#lines.get(linkId)
    if (line === undefined) return false
    const lines = await this.#office.open()
    await lines.send(line.id, content(KIND[word.kind], formatWord(word)), null, note)
    return true
  }

  onEvent({ event, data }: DaemonEvent): void {
    if (!event.startsWith('channel.') || !('app' in data) || data.app !== LINK_APP) return
    if (event === 'channel.alarm' && data.code === 'MISBOUND') this.#withdraw(data.id)
    if (event === 'channel.changed') this.look()
    if (event === 'channel.content') this.#hear(data.id)
  }

  /** Takes what has come over one line soon. */
  #hear(id: string): void {
    const found = [...this.#lines].find(([, line]) => line.id === id)
    if (found === undefined) return this.look()
    if (this.#heard.has(id)) return
    this.#heard.add(id)
    this.#later(async () => {
      this.#heard.delete(id)
      await this.#take(found[0], id, await this.#office.open())
    })
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
    // A line whose link was not read yet is none without a link.
    if (!this.#links.isRead) return
    const isNeeded = this.#links.all.some(({ elsewhere }) => elsewhere !== undefined)
    if (!isNeeded && !(await this.#office.hasAny())) return
    const lines = await this.#office.open()
    const [found, listed] = [new Map<string, Line>(), lines.listed()]
    for (const line of await lines.list()) {
      const link = this.#links.all.find(({ id }) => id === line.name)
      const device = listed.get(line.device ?? '')
      const isLeftOut = link !== undefined && device === undefined && this.#links.isLeftOut(link, listed)
      if (link === undefined || line.state === 'over' || isLeftOut) await lines.close(line.id)
      else found.set(link.id, line)
      if (link !== undefined && device !== undefined) await this.#links.noteDevice(link.id, device)
    }
    this.#lines = new Map([...found].filter(([, { state }]) => state === 'open'))
    for (const [linkId, { id }] of this.#lines) {
      // Words of one device that fail cost no other link.
      try {
        await this.#tell(linkId, id, lines)
        await this.#take(linkId, id, lines)
      } catch (error) {
        this.#log.warn('links.elsewhere', describeError(error))
      }
    }
    for (const { id, elsewhere } of this.#links.all)
      if (elsewhere !== undefined && !found.has(id)) await this.#links.unlink(id)
    this.#links.noteLines(found)
  }

  /** Tells the settings, if they were not told. */
  async #tell(linkId: string, lineId: string, lines: Lines): Promise<void> {
    const { elsewhere, sides } = this.#links.all.find(({ id }) => id === linkId)!
    const { app, receive } = sides[0]
    const count = elsewhere!.told
    const text = formatCanonicalJson({ app, count, receive: receive.how, v: VERSION })
    await lines.send(lineId, content(KIND.settings, encodeUtf8(text)), `s-${count}`)
  }

  /** Takes what has come: settings first, since words want to know the apps. */
  async #take(linkId: string, lineId: string, lines: Lines): Promise<void> {
    for (;;) {
      const contents = await lines.read(lineId)
      const last = contents.at(-1)
      if (last === undefined) return
      for (const { bytes } of contents) {
        const heard = bytes[0] === KIND.settings ? readSettings(decodeUtf8(bytes.subarray(1)) ?? '') : null
        if (heard !== null) await this.#links.hear(linkId, heard)
      }
      const words = contents.flatMap(({ bytes }) => this.#wordIn(bytes))
      if (words.length > 0) {
        if (this.onWords === null) return
        await this.onWords(linkId, words)
      }
      await lines.ack(lineId, last.number)
    }
  }

  #wordIn(bytes: Uint8Array): Word[] {
    const kind = WORDS.find((each) => KIND[each] === bytes[0])
    if (kind === undefined) return []
    try {
      return [parseWord(kind, bytes.subarray(1))]
    } catch (error) {
      if (!(error instanceof ProposalError)) throw error
      this.#log.warn('links.word', { code: error.code })
      return []
    }
  }
}

function content(kind: number, bytes: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(kind), bytes)
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
