/**
 * Histories of one persona: siblings, friends and a thief, each a real keeper, and a network that does anything with
 * their blobs.
 */
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { decodeBlob, PREV_BYTES } from '../../src/core/blob.ts'
import { encodeUtf8, formatHex, parseBase64url } from '../../src/core/encoding/bytes.ts'
import { BlobError, TableError } from '../../src/core/errors.ts'
import type { Edit } from '../../src/core/edit.ts'
import { MAX_SEQ } from '../../src/core/limits.ts'
import { compareTables } from '../../src/core/order.ts'
import { encodeTable } from '../../src/core/table.ts'
import { formatToken } from '../../src/core/token.ts'
import { decodeVerified, type VerifiedBlob } from '../../src/core/verify.ts'
import type { CryptoEngine, KeyPair } from '../../src/crypto/engine.ts'
import { compress } from '../../src/daemon/own/compress.ts'
import { Refusal } from '../../src/errors/refusal.ts'
import { positionOf } from '../../src/daemon/own/own-records.ts'
import { MAX_OPEN_SEC } from '../../src/daemon/custody/auto-lock.ts'
import { OWN, type OwnRecord } from '../../src/daemon/state/own-record.ts'
import { recordsOf } from '../../src/daemon/state/records.ts'
import type { PersonaRecord } from '../../src/daemon/state/persona-record.ts'
import { openMemoryStore } from '../../src/store/memory-store.ts'
import type { Store, Write } from '../../src/store/store.ts'
import { TestKeeper } from './keeper.ts'
import { deviceKey, engine as sodium, START_SEC } from './person.ts'
import { tempDir } from './temp-dir.ts'

const PASSPHRASE = 'only there so that a keeper can be locked'
const STEP_SEC = 100 // between two steps
const APART_SEC = 61 // so that a keeper records each report of the quiet phase
const MAX_ROUNDS = 12 // rounds in which everybody shows everybody their head; far more than ever needed

/** Devices in the table that have no daemon, so removing them silences no sibling. */
const OTHERS = ['old phone', 'work']

export const MAX_SIBLINGS = 5
export const MAX_FRIENDS = 5

/** Selects a member or device, modulo their number. */
type Index = number

export type Step =
  | {
      readonly kind: 'add' | 'again' | 'rename' | 'rekey'
      readonly who: Index
      readonly which: Index
      readonly name: string
    }
  | { readonly kind: 'remove' | 'activate'; readonly who: Index; readonly which: Index }
  /** Somebody sees a sibling's head, or any blob ever made. */
  | { readonly kind: 'show' | 'old'; readonly which: Index; readonly to: Index }
  | { readonly kind: 'crash' | 'lock' | 'unlock'; readonly who: Index }
  /** Copies the state of a sibling, or restores its last copy. */
  | { readonly kind: 'copy' | 'restore'; readonly who: Index }
  /** A sibling rotates to shut the thief out, or follows a rotation, both with the recovery words. */
  | { readonly kind: 'rotate' | 'follow'; readonly who: Index }
  /** A thief copies the state of a device. Later they forge a table, `ahead` of the head. */
  | { readonly kind: 'steal'; readonly who: Index }
  | {
      readonly kind: 'forge'
      readonly which: Index
      readonly ahead: number
      readonly list: 'himself' | 'more' | 'nobody'
    }

export interface Story {
  readonly siblings: number
  readonly friends: number
  /** Offsets of the siblings' clocks, in seconds. */
  readonly offsets: readonly number[]
  readonly steps: readonly Step[]
  /** The order in which everything finally reaches everybody. */
  readonly delivery: 'oldest first' | 'newest first' | 'heads first'
}

/** An edit made by an owner or the thief. */
export interface Made {
  readonly edit: Edit
  readonly by: Member
  /** T of the table it changed. */
  readonly onto: string
}

/** A signed table: its devices, the table below it, and the edits its writer knew beyond that table. */
interface Signed {
  readonly keys: ReadonlySet<string>
  readonly by: Member | null
  readonly onto: string | null
  readonly edits: Set<Made>
}

/**
 * Libsodium without randomness, and without costly protection that is useless here: guarded memory, Argon2id, and
 * verifying twice.
 */
function cheapEngine(): CryptoEngine {
  const verdicts = new Map<string, boolean>()
  const pairs = new Map<string, KeyPair>()
  let drawn = 0
  return {
    ...sodium,
    // The winner between two tables depends on their hashes, so a history repeats only with the same keys.
    randomBytes: (length) => sodium.sha512(encodeUtf8(`drawn ${drawn++}`)).slice(0, length),
    secret: (length) => new Uint8Array(length),
    wipe: (secret) => void secret.fill(0),
    argon2id: (passphrase, salt) => Promise.resolve(sodium.sha512(passphrase, salt).slice(0, 32)),
    verify(signature, message, publicKey) {
      const asked = formatHex(sodium.sha512(signature, publicKey, message))
      const verdict = verdicts.get(asked) ?? sodium.verify(signature, message, publicKey)
      verdicts.set(asked, verdict)
      return verdict
    },
    signKeyPair(seed) {
      const asked = formatHex(seed)
      const { publicKey, secretKey } = pairs.get(asked) ?? sodium.signKeyPair(seed)
      if (!pairs.has(asked)) pairs.set(asked, { publicKey, secretKey: Uint8Array.from(secretKey) })
      return { publicKey, secretKey: Uint8Array.from(secretKey) }
    },
  }
}

/** A store and its custody, from which histories start. */
interface Copy {
  readonly stateDir: string
  readonly writes: readonly Write[]
  /** null for a friend */
  readonly own: OwnRecord | null
}

export class Member {
  readonly name: string
  /** The device that shows its tables. */
  readonly key: string
  readonly offsetSec: number
  readonly #personaId: string
  test: TestKeeper
  readonly made: Made[] = []
  /** Edits lost when an old copy replaced the state. */
  readonly forgotten: Set<Made> = new Set()
  /** The last copy of its state, and the number of edits in it. */
  copy: { readonly writes: readonly Write[]; readonly made: number } | null = null
  /** Commands that repeat the intents which the daemon reported as dropped. */
  readonly told: string[] = []

  constructor(name: string, test: TestKeeper, personaId: string, offsetSec = 0) {
    this.name = name
    this.key = deviceKey(name)
    this.test = test
    this.#personaId = personaId
    this.offsetSec = offsetSec
  }

  get head(): VerifiedBlob {
    return decodeVerified(parseBase64url(this.#record.head!)!, sodium)
  }

  /** Whether its state was restored, and so may be older than the others'. */
  get isUnreconciled(): boolean {
    return (this.test.records.own.get(OWN)?.restoredSec ?? null) !== null
  }

  /** The head as a status message. */
  get text(): string {
    return `persona:${this.#record.head}`
  }

  /** Device keys in the order of the table. */
  get devices(): readonly string[] {
    return this.#record.devices.map(({ key }) => key)
  }

  get #record(): PersonaRecord {
    return this.test.records.personas.get(this.#personaId)!
  }
}

/** The common start of all histories of a test. Made once, because keys and files cost more than a history. */
export class Beginning {
  readonly engine: CryptoEngine
  words = ''
  /** Holds a directory of secrets for each history that rotates. */
  readonly #directory = tempDir()
  #directories = 0
  readonly #owners: Copy[] = []
  readonly #friends: Copy[] = []
  readonly #personaId: string

  private constructor(personaId: string, engine: CryptoEngine) {
    this.#personaId = personaId
    this.engine = engine
  }

  static async make(): Promise<Beginning> {
    const engine = cheapEngine()
    const owner = await TestKeeper.open({ engine })
    const friend = await TestKeeper.open({ engine })
    const first = { name: nameOf(0), key: deviceKey(nameOf(0)) }
    const { table } = await owner.call('persona.init', { device: first, passphrase: PASSPHRASE })
    const beginning = new Beginning(table.personaId, engine)
    const { words } = await owner.call('recovery.show')
    await owner.call('recovery.confirm', { words: words.map((word, i) => ({ position: i + 1, word })) })
    beginning.words = words.join(' ')
    for (const other of OTHERS) await owner.call('device.add', { name: other, key: deviceKey(other) })
    for (let n = 1; n <= MAX_SIBLINGS; n++) {
      if (n > 1) await owner.call('device.add', { name: nameOf(n - 1), key: deviceKey(nameOf(n - 1)) })
      await friend.later(APART_SEC).sees(first.key, (await owner.call('blob.get')).text, { name: 'Ada' })
      if (n > 1) await owner.keeper.change(() => owner.keeper.own.keyLeaves())
      beginning.#owners.push(await copyOf(owner))
      beginning.#friends.push(await copyOf(friend))
    }
    return beginning
  }

  /** Makes a directory for the secrets of one member, because a rotation writes them. */
  directoryOf(stateDir: string): string {
    const directory = join(this.#directory, String(this.#directories++))
    cpSync(stateDir, directory, { recursive: true })
    return directory
  }

  /**
   * Starts a history: everybody has the same head, but only the first device remembers how it came about, as after
   * pairing.
   */
  async start(story: Story): Promise<History> {
    const [owner, friend] = [this.#owners[story.siblings - 1]!, this.#friends[story.siblings - 1]!]
    const siblings: Member[] = []
    for (let n = 0; n < story.siblings; n++) {
      const rotates = story.steps.some(({ kind }) => kind === 'rotate')
      const copy = rotates ? { ...owner, stateDir: this.directoryOf(owner.stateDir) } : owner
      const begun = n === 0 ? copy : pairedWith(copy, deviceKey(nameOf(n)))
      const sibling = new Member(nameOf(n), await this.open(begun), this.#personaId, story.offsets[n] ?? 0)
      sibling.copy = { writes: begun.writes, made: 0 }
      siblings.push(sibling)
    }
    const friends: Member[] = []
    for (let n = 0; n < story.friends; n++) {
      friends.push(new Member(`friend ${n}`, await this.open(friend), this.#personaId))
    }
    const history = new History(this, this.#personaId, siblings, friends)
    for (const sibling of siblings) await history.unlock(sibling)
    return history
  }

  async open({ stateDir, writes }: Copy): Promise<TestKeeper> {
    const store = openMemoryStore()
    await store.commit(writes)
    return await this.reopen(stateDir, store)
  }

  async reopen(stateDir: string, store: Store): Promise<TestKeeper> {
    const test = await TestKeeper.open({ stateDir, store, engine: this.engine })
    test.custody.limitOpenTime({ idleSec: MAX_OPEN_SEC, atMostSec: MAX_OPEN_SEC })
    return test
  }
}

export class History {
  readonly siblings: readonly Member[]
  readonly friends: readonly Member[]
  /** The device keys of the first table. */
  readonly first: readonly string[]
  thief: Member | null = null
  /** Every blob ever made, as a status message. */
  readonly blobs: Set<string> = new Set()
  /**
   * Every table ever signed, by its T. If two make the same edit of one table, each of them signs the other's table
   * too.
   */
  readonly #tables = new Map<string, Signed>()
  readonly made: Made[] = []
  /** Tables signed in the quiet phase. */
  signedInQuiet = 0
  rounds = 0
  /** Whether the thief signed a table that no keeper would sign. */
  forged = false
  /** The member whose state the thief copied. */
  stolen: Member | null = null
  /** T of the last table that shut the thief out; null if none did. */
  rotated: string | null = null
  #epoch = 0
  readonly #carrier = deviceKey(OTHERS[0]!)
  readonly #beginning: Beginning
  readonly #personaId: string
  #nowSec = START_SEC + 10_000
  #newKeys = 0

  constructor(beginning: Beginning, personaId: string, siblings: readonly Member[], friends: readonly Member[]) {
    this.#beginning = beginning
    this.#personaId = personaId
    this.siblings = siblings
    this.friends = friends
    this.first = siblings[0]!.devices
    this.#note(siblings[0]!.text, null, null, [])
  }

  get signers(): readonly Member[] {
    return this.thief === null ? this.siblings : [...this.siblings, this.thief]
  }

  get everybody(): readonly Member[] {
    return [...this.signers, ...this.friends]
  }

  async take(step: Step): Promise<void> {
    this.#nowSec += STEP_SEC
    switch (step.kind) {
      case 'show':
        return await this.show(pick(this.signers, step.which).text, pick(this.everybody, step.to))
      case 'old':
        return await this.show(pick([...this.blobs], step.which), pick(this.everybody, step.to))
      case 'crash':
        await this.#reopen(pick(this.everybody, step.who))
        return await this.unlock(pick(this.everybody, step.who))
      case 'lock':
        return await this.#reopen(pick(this.siblings, step.who))
      case 'unlock':
        return await this.unlock(pick(this.siblings, step.who))
      case 'steal':
        return await this.#steal(pick(this.siblings, step.who))
      case 'copy': {
        const member = pick(this.siblings, step.who)
        member.copy = { writes: (await copyOf(member.test)).writes, made: member.made.length }
        return
      }
      case 'restore':
        return await this.#restore(pick(this.siblings, step.who))
      case 'rotate':
        return await this.#rotate(pick(this.siblings, step.who))
      case 'follow':
        return await this.#follow(pick(this.siblings, step.who))
      case 'forge':
        return await this.#forge(step.which, step.ahead, step.list)
      case 'add':
      case 'again':
      case 'remove':
      case 'rename':
      case 'activate':
      case 'rekey':
        return await this.#edit(pick(this.signers, step.who), step)
    }
  }

  /** Delivers every blob to everybody, and everybody's head to everybody else, until nothing changes. */
  async quiet(delivery: Story['delivery']): Promise<void> {
    const before = this.blobs.size
    for (const member of this.everybody) await this.unlock(member)
    if (delivery === 'heads first') await this.#showHeads()
    let heads: string
    do {
      heads = this.everybody.map(({ text }) => text).join(' ')
      const all = [...this.blobs]
      for (const text of delivery === 'newest first' ? all.toReversed() : all) {
        for (const member of this.everybody) await this.show(text, member)
      }
      // A table that jumps too far ahead is accepted once those in between have been.
    } while (!(await this.#showHeads()) && heads !== this.everybody.map(({ text }) => text).join(' '))
    this.signedInQuiet = this.blobs.size - before
  }

  /** @returns whether all have the same head now */
  async #showHeads(): Promise<boolean> {
    for (; ; this.rounds++) {
      const heads = this.everybody.map(({ text }) => text)
      for (const from of this.everybody) for (const to of this.everybody) await this.show(from.text, to)
      for (const sibling of this.siblings) await this.#follow(sibling)
      if (this.everybody.every(({ text }, i) => text === heads[i])) return heads.every((head) => head === heads[0])
      if (this.rounds > MAX_ROUNDS) throw new Error('they never come to an end')
    }
  }

  /** Shows a status message to a member, who judges it as coming from whichever device carries it. */
  async show(text: string, to: Member): Promise<void> {
    this.#nowSec += APART_SEC
    if (text === to.text && !to.isUnreconciled) return
    await this.#act(to, async ({ test }) => test.sees(this.#carrierOf(text, to), text), text)
  }

  /**
   * A listed device that is not the member's own. Shown by an unlisted or own device, the table would not count as a
   * copy.
   */
  #carrierOf(text: string, to: Member): string {
    const listed = decodeBlob(bytesOf(text)).deviceKeys.map(formatHex)
    if (listed.includes(this.#carrier)) return this.#carrier
    return listed.find((key) => key !== to.key) ?? this.#carrier
  }

  async unlock(member: Member): Promise<void> {
    if (!member.test.custody.isLocked || !member.test.custody.hasSecrets) return
    await this.#act(member, async ({ test }) => test.call('persona.unlock', { passphrase: PASSPHRASE }))
  }

  async #edit(member: Member, step: Extract<Step, { kind: Edit['kind'] | 'again' }>): Promise<void> {
    const edit = this.#editOf(member, step)
    if (edit === null) return
    const onto = formatHex(member.head.tableHash)
    await this.#act(member, async ({ test }) => {
      try {
        await test.keeper.change(() => test.keeper.own.edit(edit, step.kind === 'again'))
      } catch (error) {
        if (error instanceof TableError || error instanceof BlobError || error instanceof Refusal) return
        throw error
      }
      this.#makes(member, edit, onto)
    })
  }

  #makes(by: Member, edit: Edit, onto: string): void {
    const made: Made = { edit, by, onto }
    this.made.push(made)
    by.made.push(made)
  }

  /** The edits its maker knew: those of the tables below it, and their own. */
  past(made: Made): Set<Made> {
    const own = made.by.made.slice(0, made.by.made.indexOf(made))
    return new Set([...own, ...this.#below(made.onto)])
  }

  #known(member: Member): Set<Made> {
    return new Set([...member.made, ...this.#below(formatHex(member.head.tableHash))])
  }

  /** The edits in a table and in all tables below it. */
  #below(hash: string): Made[] {
    const edits: Made[] = []
    for (let at: string | null = hash; at !== null; at = this.#tables.get(at)!.onto) {
      edits.push(...this.#tables.get(at)!.edits)
    }
    return edits
  }

  /** The signers of the tables from the head down to the last rotation. */
  signersSince(rotation: string): (Member | null)[] {
    const signers: (Member | null)[] = []
    let at: string | null = hashOf(this.siblings[0]!.text)
    while (at !== null && at !== rotation) {
      const { by, onto }: Signed = this.#tables.get(at)!
      signers.push(by)
      at = onto
    }
    if (at === null) throw new Error('the head does not follow from the rotation')
    return signers
  }

  /**
   * The device that listed a key again without a chance to know that it had been removed: no table below its own ever listed it. Null if the key is not
   * listed, or was listed below.
   */
  unknowingAdder(key: string): Member | null {
    const lists = (hash: string | null): boolean => hash !== null && this.#tables.get(hash)!.keys.has(key)
    let at: string | null = hashOf(this.siblings[0]!.text)
    if (!lists(at)) return null
    while (lists(this.#tables.get(at!)!.onto)) at = this.#tables.get(at!)!.onto
    const { by, onto }: Signed = this.#tables.get(at!)!
    for (let below = onto; below !== null; below = this.#tables.get(below)!.onto) if (lists(below)) return null
    return by
  }

  #note(text: string, by: Member | null, onto: string | null, edits: readonly Made[]): void {
    this.blobs.add(text)
    const hash = hashOf(text)
    const known = this.#tables.get(hash)
    this.#tables.set(hash, {
      keys: new Set(decodeBlob(bytesOf(text)).deviceKeys.map(formatHex)),
      by: known?.by ?? by,
      onto: known === undefined ? onto : known.onto,
      edits: new Set([...(known?.edits ?? []), ...edits]),
    })
  }

  #editOf(member: Member, step: Extract<Step, { kind: Edit['kind'] | 'again' }>): Edit | null {
    const { devices } = member.test.keeper.ownTable!
    const quiet = devices.filter(({ key }) => !this.siblings.some((sibling) => sibling.key === key))
    const choice = step.kind === 'remove' ? [...quiet, ...quiet, ...quiet, ...devices] : devices
    const listed = choice.length === 0 ? undefined : pick(choice, step.which)
    const [key, first] = [listed?.key ?? '', devices[0]?.key ?? '']
    switch (step.kind) {
      case 'add':
        return { kind: 'add', key: this.#newKey(), name: step.name }
      case 'again': {
        // Add it again only where its removal is known. Elsewhere it would be the add of an unknown device.
        const past = [...this.#known(member)].map(({ edit }) => edit)
        const gone = past
          .filter(({ kind, key }) => kind === 'remove' && !devices.some((one) => one.key === key))
          .map(({ key }) => key)
        return gone.length === 0 ? null : { kind: 'add', key: pick(gone, step.which), name: step.name }
      }
      case 'remove':
        return listed === undefined ? null : { kind: 'remove', key }
      case 'rename':
        return listed === undefined ? null : { kind: 'rename', key, found: listed.name, name: step.name }
      case 'activate':
        return listed === undefined ? null : { kind: 'activate', key, found: first }
      case 'rekey':
        return listed === undefined ? null : { kind: 'rekey', key, newKey: this.#newKey() }
    }
  }

  #newKey(): string {
    return deviceKeyNumber(this.#newKeys++)
  }

  async #reopen(member: Member): Promise<void> {
    const test = await this.#beginning.reopen(member.test.stateDir, member.test.store)
    member.test.keeper.close()
    member.test = test
  }

  async #restore(member: Member): Promise<void> {
    // After a rotation a backup would also bring back its key. Other tests cover that.
    if (member.copy === null || this.#epoch > 0) return
    const { writes, made } = member.copy
    const before = member.test
    const { stateDir } = before
    const restoredSec = this.#nowSec + member.offsetSec
    const old = await this.#beginning.open({ stateDir, writes, own: null })
    const put = old.records.own.put(OWN, { ...old.records.own.get(OWN)!, restoredSec })
    member.test = await this.#beginning.open({ stateDir, writes: [...writes, put], own: null })
    for (const { keeper } of [old, before]) keeper.close()
    for (const one of member.made.splice(made)) member.forgotten.add(one)
    await this.unlock(member)
  }

  async #steal(from: Member): Promise<void> {
    if (this.thief !== null) return
    const found = await copyOf(from.test)
    const copy = { ...found, stateDir: this.#beginning.directoryOf(found.stateDir) }
    this.stolen = from
    const thief = new Member('thief', await this.#beginning.open(copy), this.#personaId)
    thief.made.push(...from.made)
    this.thief = thief
    await this.unlock(thief)
  }

  /** Rotates. The owner leaves out the stolen device, unless they are using it; they know how often they rotated. */
  async #rotate(member: Member): Promise<void> {
    const listed = member.test.keeper.ownTable!.devices
    const isElsewhere = this.stolen !== null && this.stolen !== member
    const stolen = isElsewhere ? listed.filter(({ key }) => key === this.stolen!.key) : []
    const onto = formatHex(member.head.tableHash)
    const wishes = { without: stolen.map(({ key }) => key), epoch: this.#epoch + 1 }
    await this.#act(member, async ({ test }) => {
      try {
        const { plan, leftOut } = await test.call('rotation.plan', wishes)
        await test.call('rotation.apply', { ...wishes, plan, words: this.#beginning.words })
        this.#epoch++
        for (const { key } of leftOut) this.#makes(member, { kind: 'remove', key }, onto)
        if (this.thief !== null) this.rotated = hashOf(member.text)
      } catch (error) {
        if (error instanceof Refusal) return
        throw error
      }
    })
  }

  async #follow(member: Member): Promise<void> {
    if (member.test.custody.isLocked || member.test.custody.publicKey(member.head.epoch) !== null) return
    await this.#act(member, async ({ test }) => test.call('rotation.follow', { words: this.#beginning.words }))
  }

  /** Signs a table that no keeper would sign: any seq, and any devices the thief likes. */
  async #forge(from: Index, ahead: number, list: 'himself' | 'more' | 'nobody'): Promise<void> {
    if (this.thief === null) await this.#steal(pick(this.siblings, from))
    const thief = this.thief!
    this.forged = true
    const own = thief.test.records.own.get(OWN)!
    const { head } = thief
    if (head.epoch !== own.epoch) return
    const listed = list === 'more' ? thief.test.keeper.ownTable!.devices.filter(({ key }) => key !== thief.key) : []
    const himself = list === 'nobody' ? [] : [{ name: 'not the thief', key: thief.key }]
    const draft = {
      chain: positionOf(own),
      seq: Math.min(head.seq + ahead, MAX_SEQ),
      timeSec: this.#nowSec,
      prev: head.tableHash.subarray(0, PREV_BYTES),
      devices: [...listed, ...himself],
      named: false,
      document: [],
    }
    const { blob } = encodeTable(draft, true, compress, thief.test.custody.signer(own.epoch))
    this.#note(formatToken(blob), thief, formatHex(head.tableHash), [])
    await this.show(formatToken(blob), thief)
  }

  /** Runs a step on a member, records what it signs, and checks that its head never goes down. */
  async #act(member: Member, happens: (member: Member) => Promise<unknown>, shown?: string): Promise<void> {
    const before = member.head
    const { test, isUnreconciled } = member
    test.nowSec = this.#nowSec + member.offsetSec
    await happens(member)
    for (const { command } of test.told('own.intent-dropped')) member.told.push(command)
    test.events.length = 0
    if (test.storeFailures.length > 0) throw new Error('the store failed')
    const after = member.head
    if (compareTables(after, before) < 0) throw new Error(`the head of ${member.name} sank`)
    const isTaken = shown !== undefined && compareTables(after, before) > 0
    const onto = isTaken ? hashOf(shown) : formatHex(before.tableHash)
    // A member who receives a table that already contains their edit counts among those who decided it: whoever
    // builds on that table builds on their edit too.
    if (isTaken)
      this.#note(
        shown,
        null,
        null,
        member.made.filter((made) => isDoneIn(made, shown)),
      )
    if (isUnreconciled && member.isUnreconciled && !this.blobs.has(member.text)) {
      throw new Error(`${member.name} signed before it was reconciled`)
    }
    if (!this.blobs.has(member.text)) this.#note(member.text, member, onto, member.made)
  }
}

function hashOf(text: string): string {
  return formatHex(decodeVerified(bytesOf(text), sodium).tableHash)
}

function bytesOf(text: string): Uint8Array {
  return parseBase64url(text.slice('persona:'.length))!
}

/** Whether the table shows this removal. */
function isDoneIn({ edit }: Made, text: string): boolean {
  if (edit.kind !== 'remove') return false
  const { deviceKeys } = decodeBlob(bytesOf(text))
  return !deviceKeys.some((key) => formatHex(key) === edit.key)
}

/** The state that pairing gives a new device: everything except what the sender's daemon knows of itself. */
function pairedWith({ stateDir, writes, own }: Copy, key: string): Copy {
  const records = recordsOf(openMemoryStore())
  const paired: OwnRecord = { ...own!, nextIntent: 1, localDevices: [key], soleEpoch: null, hadSeed: false }
  const others = writes.filter((write) => !write.key.startsWith('intent/') && !write.key.startsWith('own/'))
  return { stateDir, own: paired, writes: [...others, records.own.put(OWN, paired)] }
}

function nameOf(n: number): string {
  return ['laptop', 'phone', 'tablet', 'desktop', 'watch'][n]!
}

const keys: string[] = []
function deviceKeyNumber(n: number): string {
  keys[n] ??= deviceKey(`device ${n}`)
  return keys[n]
}

function pick<T>(from: readonly T[], index: Index): T {
  return from[index % from.length]!
}

async function copyOf(test: TestKeeper): Promise<Copy> {
  const writes: Write[] = []
  for await (const { key, value } of test.store.iterate({ prefix: '' })) writes.push({ key, value })
  return { stateDir: test.stateDir, writes, own: test.records.own.get(OWN) ?? null }
}
