/**
 * The words of this device about senders at one inbox: contacts have more room there, and those whom the owner blocks have none. The relay drops what
 * comes of a blocked one, so no entry of theirs reminds this device of the end of the block. It keeps on disk about whom the relay has heard, and
 * tells all of it again when it begins to read.
 */
import type { SenderChange } from '../../../relay/inboxes.ts'
import { hashed } from '../../sealed/hashed.ts'
import { TOLD } from '../records/kinds.ts'
import { inChange, onDisk, type MessagesMeans } from '../records/means.ts'
import { hasAsked, senderKind, type Sender } from '../records/senders.ts'

const MAX_TOLD_AT_ONCE = 500 // format: docs/inbox.md, section 2: 65536 bytes, and 67 for each

type Rule = 'allow' | 'block' | 'forget'

/** The owner's own devices need no word. */
const RULES: Readonly<Record<Sender, Rule | null>> = { own: null, known: 'allow', blocked: 'block', stranger: 'forget' }

export class SenderWords {
  readonly #app: string
  readonly #id: string
  readonly #means: MessagesMeans
  /** Words that the relay is to hear, by PersonaID. */
  readonly #due = new Map<string, Rule>()
  /** The last word about each sender since this device began to read. */
  readonly #last = new Map<string, Rule>()
  /** PersonaIDs of which the relay may have heard. */
  readonly #told = new Set<string>()
  #isOpen = false

  /** @param persona whose inbox it is */
  constructor(url: string, persona: string, app: string, means: MessagesMeans) {
    this.#app = app
    this.#id = hashed(app, `${url} ${persona}`, means.keeper.engine)
    this.#means = means
  }

  /** All words of before are due again: a crash may have come between an answer of the owner and its word. @throws {CustodyError} APPS_LOCKED */
  async open(): Promise<void> {
    if (this.#isOpen) return
    for await (const [, persona] of onDisk(this.#means, TOLD).iterate(`${this.#id}/`)) {
      this.#told.add(persona)
      this.say(persona)
    }
    this.#isOpen = true
  }

  /** An entry of somebody has come. */
  see(from: string): void {
    const rule = this.#ruleOf(from)
    // The relay takes everybody for a stranger of whom it has heard nothing.
    if (rule !== null && rule !== (this.#last.get(from) ?? 'forget')) this.#note(from, rule)
  }

  /** The owner thinks otherwise of somebody. */
  say(persona: string): void {
    const rule = this.#ruleOf(persona)
    if (rule !== null) this.#note(persona, rule)
  }

  /** Whether the relay knows of somebody: it has heard of them, or they have left an entry as a stranger. */
  knows(persona: string): boolean {
    return this.#told.has(persona) || hasAsked(persona, this.#app, this.#means)
  }

  /** Tells all that is due. @throws whatever `send` throws @throws {CustodyError} APPS_LOCKED */
  async tell(send: (change: SenderChange) => Promise<void>): Promise<void> {
    while (this.#due.size > 0) {
      const some = [...this.#due].slice(0, MAX_TOLD_AT_ONCE)
      const of = (wanted: Rule): string[] => some.flatMap(([persona, rule]) => (rule === wanted ? [persona] : []))
      const [allow, block, forget] = [of('allow'), of('block'), of('forget')]
      // Crash after this: the word is told at the next start, whether the relay has heard it or not.
      await this.#keep([...allow, ...block])
      await send({ allow, block, forget })
      // The owner may have answered otherwise meanwhile.
      for (const [persona, rule] of some) if (this.#due.get(persona) === rule) this.#due.delete(persona)
      await this.#drop(forget)
    }
  }

  #ruleOf(persona: string): Rule | null {
    return RULES[senderKind(persona, this.#app, this.#means)]
  }

  #note(persona: string, rule: Rule): void {
    this.#last.set(persona, rule)
    this.#due.set(persona, rule)
  }

  async #keep(personas: readonly string[]): Promise<void> {
    const fresh = personas.filter((persona) => !this.#told.has(persona))
    if (fresh.length === 0) return
    await this.#means.keeper.change(() => {
      for (const persona of fresh) inChange(this.#means, TOLD).put(this.#recordOf(persona), persona)
    })
    for (const persona of fresh) this.#told.add(persona)
  }

  async #drop(personas: readonly string[]): Promise<void> {
    const gone = personas.filter((persona) => this.#told.has(persona))
    if (gone.length === 0) return
    await this.#means.keeper.change(() => {
      for (const persona of gone) inChange(this.#means, TOLD).delete(this.#recordOf(persona))
    })
    for (const persona of gone) this.#told.delete(persona)
  }

  #recordOf(persona: string): string {
    return hashed(this.#id, persona, this.#means.keeper.engine)
  }
}
