/** Histories of one persona: siblings, friends and a thief, each a real keeper, and whatever a network does with the blobs that they make. */
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { decodeBlob, PREV_BYTES } from '../../src/core/blob.ts'
import { encodeUtf8, formatHex, parseBase64url } from '../../src/core/encoding/bytes.ts'
import { BlobError, TableError } from '../../src/core/errors.ts'
import type { Edit } from '../../src/core/intents.ts'
import { MAX_SEQ } from '../../src/core/limits.ts'
import { compareTables } from '../../src/core/order.ts'
import { encodeTable } from '../../src/core/table.ts'
import { formatToken } from '../../src/core/token.ts'
import { decodeVerified, type VerifiedBlob } from '../../src/core/verify.ts'
import type { CryptoEngine, KeyPair } from '../../src/crypto/engine.ts'
import { compress } from '../../src/daemon/own/compress.ts'
import { Refusal } from '../../src/errors/refusal.ts'
import { positionOf } from '../../src/daemon/own/table.ts'
import { MAX_OPEN_SEC } from '../../src/daemon/custody/auto-lock.ts'
import { OWN, recordsOf, type OwnRecord, type PersonaRecord } from '../../src/daemon/state/records.ts'
import { openMemoryStore } from '../../src/store/memory-store.ts'
import type { Store, Write } from '../../src/store/store.ts'
import { TestKeeper } from './keeper.ts'
import { deviceKey, engine as sodium, START_SEC } from './person.ts'
import { tempDir } from './temp-dir.ts'

const PASSPHRASE = 'only there so that a keeper can be locked'
const STEP_SEC = 100 // between two things that happen
const APART_SEC = 61 // so that a keeper notes each report of the quiet phase
const MAX_ROUNDS = 12 // of everybody showing everybody a head; far more than it ever takes

/** Devices of the table without a daemon, which can be removed without silencing a sibling. */
const OTHERS = ['old phone', 'work']

export const MAX_SIBLINGS = 5
export const MAX_FRIENDS = 5

/** Who is meant: taken modulo those who can be. */
type Index = number

export type Step =
  | {
      readonly kind: 'add' | 'again' | 'rename' | 'rekey'
      readonly who: Index
      readonly which: Index
      readonly name: string
    }
  | { readonly kind: 'remove' | 'activate'; readonly who: Index; readonly which: Index }
  /** A sibling's head, or any blob ever made, reaches anybody. */
  | { readonly kind: 'show' | 'old'; readonly which: Index; readonly to: Index }
  | { readonly kind: 'crash' | 'lock' | 'unlock'; readonly who: Index }
  /** The state of a sibling is copied; an old copy is put back in its place. */
  | { readonly kind: 'copy' | 'restore'; readonly who: Index }
  /** A sibling shuts the thief out, or takes up the new key, both by the recovery words. */
  | { readonly kind: 'rotate' | 'follow'; readonly who: Index }
  /** Somebody has the state of a device from now on; what he then does with it, `which` ahead of the head. */
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
  /** Of the siblings' clocks, in seconds. */
  readonly offsets: readonly number[]
  readonly steps: readonly Step[]
  /** In what order everything reaches everybody in the end. */
  readonly delivery: 'oldest first' | 'newest first' | 'heads first'
}

/** An edit that an owner, or the thief, made. */
export interface Made {
  readonly edit: Edit
  readonly by: Member
  /** T of the table that it changed. */
  readonly onto: string
}

/** A table as somebody signed it: the one below it, and the edits that its writer knew of beside those of that one. */
interface Signed {
  readonly by: Member | null
  readonly onto: string | null
  readonly edits: Set<Made>
}

/** Libsodium, without chance, and without what costs time and guards nothing here: guarded memory, Argon2id, judging twice what was judged before. */
function cheapEngine(): CryptoEngine {
  const verdicts = new Map<string, boolean>()
  const pairs = new Map<string, KeyPair>()
  let drawn = 0
  return {
    ...sodium,
    // Which of two tables wins hangs on their hashes: a history is the same again only with the same keys.
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

/** A store and its custody, to begin histories from. */
interface Copy {
  readonly stateDir: string
  readonly writes: readonly Write[]
  /** null for a friend. */
  readonly own: OwnRecord | null
}

export class Member {
  readonly name: string
  /** The device that shows what it has to show. */
  readonly key: string
  readonly offsetSec: number
  readonly #personaId: string
  test: TestKeeper
  readonly made: Made[] = []
  /** Edits that went with the state in whose place an old copy was put. */
  readonly forgotten: Set<Made> = new Set()
  /** The last copy of its state, and how many edits it knows of. */
  copy: { readonly writes: readonly Write[]; readonly made: number } | null = null
  /** What the owner was told of intents that could not be kept, as the commands that repeat them. */
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

  /** Its state is an old one, and may be behind what others have. */
  get isUnreconciled(): boolean {
    return (this.test.records.own.get(OWN)?.restoredSec ?? null) !== null
  }

  /** The head as a status message. */
  get text(): string {
    return `persona:${this.#record.head}`
  }

  /** In the order of the table. */
  get devices(): readonly string[] {
    return this.#record.devices.map(({ key }) => key)
  }

  get #record(): PersonaRecord {
    return this.test.records.personas.get(this.#personaId)!
  }
}

/** What all histories of a test begin with; made once, since keys and files cost more than a history. */
export class Beginning {
  readonly engine: CryptoEngine
  words = ''
  /** Below it each history that rotates has directories for secrets of its own. */
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

  /** A directory for the secrets of one member, whom a rotation makes write them. */
  directoryOf(stateDir: string): string {
    const directory = join(this.#directory, String(this.#directories++))
    cpSync(stateDir, directory, { recursive: true })
    return directory
  }

  /** Everybody has the same head; only the first device remembers how it came to be, as after pairing. */
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
  /** Keys of the table that all begin with. */
  readonly first: readonly string[]
  thief: Member | null = null
  /** Every blob ever made, as a status message. */
  readonly blobs: Set<string> = new Set()
  /** Every table ever signed, by its T: of two who did the same to one table each signs the table of the other. */
  readonly #tables = new Map<string, Signed>()
  readonly made: Made[] = []
  /** Tables that anybody signed while all was quiet, and rounds that it took. */
  signedInQuiet = 0
  rounds = 0
  /** The thief signed a table that no keeper would. */
  forged = false
  /** Whose state the thief has. */
  stolen: Member | null = null
  /** T of the last table by which the thief was shut out; null when he was not. */
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

  /** Everything that was ever made reaches everybody, and everybody's head everybody else, until nothing changes. */
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
      // What jumps too far ahead is taken once what lies between has been.
    } while (!(await this.#showHeads()) && heads !== this.everybody.map(({ text }) => text).join(' '))
    this.signedInQuiet = this.blobs.size - before
  }

  /** @returns whether all have one head now */
  async #showHeads(): Promise<boolean> {
    for (; ; this.rounds++) {
      const heads = this.everybody.map(({ text }) => text)
      for (const from of this.everybody) for (const to of this.everybody) await this.show(from.text, to)
      for (const sibling of this.siblings) await this.#follow(sibling)
      if (this.everybody.every(({ text }, i) => text === heads[i])) return heads.every((head) => head === heads[0])
      if (this.rounds > MAX_ROUNDS) throw new Error('they never come to an end')
    }
  }

  /** Somebody is shown a status message, and judges it as whatever device it comes from. */
  async show(text: string, to: Member): Promise<void> {
    this.#nowSec += APART_SEC
    if (text === to.text && !to.isUnreconciled) return
    await this.#act(to, async ({ test }) => test.sees(this.#carrierOf(text, to), text), text)
  }

  /** A device that the table lists and that is not the member's own: another's word, or that of the own device, would be no copy. */
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

  /** The edits that whoever made this one knew of: those of the tables below his, and his own. */
  past(made: Made): Set<Made> {
    const own = made.by.made.slice(0, made.by.made.indexOf(made))
    return new Set([...own, ...this.#below(made.onto)])
  }

  #known(member: Member): Set<Made> {
    return new Set([...member.made, ...this.#below(formatHex(member.head.tableHash))])
  }

  /** The edits in a table and those below it. */
  #below(hash: string): Made[] {
    const edits: Made[] = []
    for (let at: string | null = hash; at !== null; at = this.#tables.get(at)!.onto) {
      edits.push(...this.#tables.get(at)!.edits)
    }
    return edits
  }

  /** Who signed the tables from the head down to the last rotation. */
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

  #note(text: string, by: Member | null, onto: string | null, edits: readonly Made[]): void {
    this.blobs.add(text)
    const hash = hashOf(text)
    const known = this.#tables.get(hash)
    this.#tables.set(hash, {
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
        // Wanted back where it is known to be gone; anywhere else it would be the add of a device that nobody there has heard of.
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
    // After a rotation a backup would bring its key too; those have tests of their own.
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

  /** The owner leaves the stolen device out, unless it is the one that he sits at; he knows how often he rotated. */
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

  /** A table that no keeper would make: any seq, and whatever devices the thief likes. */
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

  /** Something happens to a member; what it does about its table is noted, and the head must not have sunk. */
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
    // Who finds done what he did himself counts among those who decided so: what others build on that table they build on his word too.
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

/** A removal that the table shows. */
function isDoneIn({ edit }: Made, text: string): boolean {
  if (edit.kind !== 'remove') return false
  const { deviceKeys } = decodeBlob(bytesOf(text))
  return !deviceKeys.some((key) => formatHex(key) === edit.key)
}

/** What pairing hands to a new device: all but what its sender's daemon knows of itself. */
function pairedWith({ stateDir, writes, own }: Copy, key: string): Copy {
  const records = recordsOf(openMemoryStore())
  const paired: OwnRecord = { ...own!, nextIntent: 1, localDevices: [key], soleEpoch: null }
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
