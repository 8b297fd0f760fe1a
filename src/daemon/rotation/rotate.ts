/**
 * Rotation: the next table is signed by a later key of the chain, which only the recovery words give, so that a thief of the present
 * key is shut out (docs/format.md, section 4). Crash order: the secrets file with both keys, then the head, then the secrets file
 * without the old key; {@link HeldKeys} finishes or discards at the next start.
 */
import { equalBytes, parseHex } from '../../core/bytes.ts'
import { PREV_BYTES } from '../../core/blob.ts'
import type { ChainPosition } from '../../core/chain.ts'
import type { CryptoEngine } from '../../crypto/engine.ts'
import { copySecret } from '../../crypto/seal.ts'
import { deriveSigningSeed, parseWords } from '../../crypto/seed.ts'
import type { EditResult, OwnTable } from '../../ipc/shapes/own.ts'
import type { RotationPlan, RotationWishes } from '../../ipc/shapes/rotation.ts'
import { StoreError } from '../../store/errors.ts'
import { approvedNotes } from '../own/notes.ts'
import { KeeperError } from '../state/errors.ts'
import type { Journal } from '../own/journal.ts'
import type { Keeper } from '../keeper/keeper.ts'
import type { OwnHead } from '../own/head.ts'
import { pointOf, positionFields, rememberOwnNames, tombstonesAfter } from '../own/table.ts'
import type { PersonaRecord } from '../state/records.ts'
import { planRotation } from '../own/rotation-plan.ts'
import { chainOfSeed } from '../custody/seed-chain.ts'
import type { Siblings } from '../own/siblings.ts'

const UNPROTECTED =
  'the seed is still on this device: until you have confirmed the recovery words, whoever takes it takes the persona: persona recovery show'
const OTHERS_NEED_IT =
  'your other devices cannot sign until they have the new key: persona pair here, or persona rotate --follow on each'

/** What runs inside of a change. */
export class Rotation {
  readonly #own: OwnHead
  readonly #journal: Journal
  readonly #siblings: Siblings

  constructor(own: OwnHead, journal: Journal, siblings: Siblings) {
    this.#own = own
    this.#journal = journal
    this.#siblings = siblings
  }

  /** The table that would be published. @throws {KeeperError} those of planRotation, NO_PERSONA */
  plan(wishes: RotationWishes): RotationPlan {
    const { own, persona, head, ledger, custody } = this.#own
    const { nowSec, engine } = ledger
    return planRotation({ own, persona, head, nowSec, hasSeed: custody.hasSeed, engine }, wishes)
  }

  /**
   * Signs the planned table by the key of the planned epoch, which custody has beside the present one.
   * @param plan name of the plan that the owner has seen: this table is signed, or none
   * @throws {KeeperError} PLAN_CHANGED | LOCKED, and those of {@link plan}
   */
  apply(wishes: RotationWishes, plan: string, position: ChainPosition): EditResult {
    const planned = this.checked(wishes, plan)
    const { own, persona, head, ledger } = this.#own
    const { devices, epoch } = planned
    const { blob, named, gaveUpNames } = this.#own.sign(
      {
        chain: position,
        seq: 1,
        timeSec: ledger.nowSec,
        prev: head.tableHash.subarray(0, PREV_BYTES),
        devices,
        named: own.named,
        document: head.content.ok ? head.content.document : [],
      },
      true,
    )
    const removed = persona.devices.filter(({ key }) => !devices.some((device) => device.key === key))
    let { tombstones, nextIntent } = own
    // A sibling's intents may bring a device back, by a table of the new epoch; these take it out again.
    for (const { key } of removed) {
      tombstones = tombstonesAfter(tombstones, { kind: 'remove', key })
      this.#journal.add(nextIntent++, { kind: 'remove', key }, blob)
    }
    for (const { key } of devices) tombstones = tombstones.filter((other) => other !== key)
    const rotation = { ...pointOf(blob), rival: null }
    this.#own.put({ ...positionFields(position), named, tombstones, nextIntent, rotation })
    // What was too far ahead in the old epoch is behind the new one.
    const names = rememberOwnNames(devices, persona.names)
    this.#own.letOut({ ...persona, held: null, names }, blob, 'rotate')
    this.#decideNotes(devices.map(({ key }) => key))
    this.#own.put({ highestEpoch: Math.max(this.#own.own.highestEpoch, epoch) })
    ledger.trustClock()
    this.#siblings.replay()
    const notices = [...(devices.length > 1 ? [OTHERS_NEED_IT] : []), ...(planned.hasSeed ? [UNPROTECTED] : [])]
    return { table: this.#own.table(), gaveUp: gaveUpNames ? ['names'] : [], notices }
  }

  /** The plan of this name. @throws {KeeperError} PLAN_CHANGED, and those of {@link plan} */
  checked(wishes: RotationWishes, plan: string): RotationPlan {
    const planned = this.plan(wishes)
    if (planned.plan === plan) return planned
    const hint = 'look at the table once more: the same command shows it'
    throw new KeeperError('PLAN_CHANGED', 'your table changed since it was shown: nothing was signed', hint)
  }

  // The owner has looked at the table: who is in it is approved, and of who is not nothing is asked any more.
  #decideNotes(keys: readonly string[]): void {
    const notes = approvedNotes(this.#own.own, keys).filter(({ key }) => keys.includes(key))
    this.#own.put({ notes })
  }
}

/**
 * Rotates the key of the own persona, and shuts out whoever has the present one. The old key is erased when this returns. `recover` calls
 * it too: it needs the owner's record and a head (of any epoch; no key need be held), open secrets to add the key to, and words.
 * @param plan name of the plan that the owner has seen
 * @param words the 24 words; null where the seed is on this device still. A string cannot be wiped: the caller lets go of it
 * @throws {KeeperError} NO_PERSONA | LOCKED | PLAN_CHANGED | WORDS_NEEDED | WORDS_FOREIGN, and those of planRotation
 * @throws {CryptoError} WORDS_COUNT | WORDS_UNKNOWN | WORDS_CHECKSUM @throws {StoreError}
 */
export async function rotate(
  keeper: Keeper,
  wishes: RotationWishes,
  plan: string,
  words: string | null,
): Promise<EditResult> {
  return await keeper.keys.inTurn(async () => {
    const { epoch } = await keeper.commit(() => keeper.own.rotation.checked(wishes, plan))
    return await withSeed(keeper, words, async (seed) => {
      const position = ownChain(keeper, seed)[epoch]!
      await addKeyOf(keeper, seed, epoch)
      // Crash here: both keys are on disk and the head is old. The next start erases the new one.
      const result = await applied(keeper, () => keeper.own.rotation.apply(wishes, plan, position))
      // Crash here: both keys and the new head. The next start erases the old one.
      await keeper.keys.settleNow()
      return result
    })
  })
}

/**
 * Takes the key of the head, after a rotation elsewhere, from the words: from then on this device signs again, and makes good what it
 * wanted meanwhile.
 * @throws {KeeperError} NO_PERSONA | LOCKED | NOTHING_TO_FOLLOW | WORDS_NEEDED | WORDS_FOREIGN @throws {CryptoError} WORDS_*
 */
export async function follow(keeper: Keeper, words: string | null): Promise<OwnTable> {
  return await keeper.keys.inTurn(async () => {
    const { epoch, personaId } = keeper.table()
    if (keeper.custody.publicKey(epoch) !== null) {
      const message = `this device has the key of epoch ${epoch} already: nobody is known to have rotated since`
      throw new KeeperError('NOTHING_TO_FOLLOW', message, 'show it a newer table first: persona tox scan FILE')
    }
    await withSeed(keeper, words, async (seed) => {
      const { signingKey } = ownChain(keeper, seed)[epoch]!
      const head = await keeper.commit(() => keeper.own.headKey())
      if (!equalBytes(signingKey, head)) throw foreignWords(personaId)
      await addKeyOf(keeper, seed, epoch)
      // Crash here: the key is on disk, and the next start takes it up.
      await keeper.keys.settleNow()
    })
    return keeper.table()
  })
}

/**
 * Whether these words are those of the own persona; nothing is changed.
 * @throws {KeeperError} NO_PERSONA @throws {CryptoError} WORDS_COUNT | WORDS_UNKNOWN | WORDS_CHECKSUM
 */
export function checkWords(keeper: Keeper, words: string): boolean {
  const seed = seedOf(words, keeper.engine)
  try {
    return isChainOf(keeper.ownPersona(), chainOfSeed(seed, keeper.engine))
  } finally {
    keeper.engine.wipe(seed)
  }
}

/** The seed in secret memory for as long as `use` runs. */
async function withSeed<T>(keeper: Keeper, words: string | null, use: (seed: Uint8Array) => Promise<T>): Promise<T> {
  const seed = words === null ? keeper.custody.copySeed() : seedOf(words, keeper.engine)
  if (seed === null) {
    const hint = 'give the 24 words that you wrote down'
    throw new KeeperError(
      'WORDS_NEEDED',
      'only the recovery words give another key, and they are not on this device',
      hint,
    )
  }
  try {
    return await use(seed)
  } finally {
    keeper.engine.wipe(seed)
  }
}

/** @returns 32 bytes in secret memory: the caller wipes them */
export function seedOf(words: string, engine: CryptoEngine): Uint8Array {
  const parsed = parseWords(words)
  const seed = copySecret(parsed, engine)
  engine.wipe(parsed)
  return seed
}

/** The chain of the seed, if it is the own persona's. @throws {KeeperError} WORDS_FOREIGN */
function ownChain(keeper: Keeper, seed: Uint8Array): ChainPosition[] {
  const persona = keeper.ownPersona()
  const chain = chainOfSeed(seed, keeper.engine)
  if (!isChainOf(persona, chain)) throw foreignWords(persona.personaId)
  return chain
}

function isChainOf(persona: Pick<PersonaRecord, 'personaId' | 'root'>, chain: readonly ChainPosition[]): boolean {
  const [first] = chain
  const [personaId, root] = [parseHex(persona.personaId), parseHex(persona.root)]
  if (first === undefined || personaId === null || root === null) return false
  return equalBytes(first.personaId, personaId) && equalBytes(first.next, root)
}

function foreignWords(personaId: string): KeeperError {
  const message = `these words are good, but not those of the persona ${personaId}`
  return new KeeperError('WORDS_FOREIGN', message, 'look for the sheet of this persona')
}

async function addKeyOf(keeper: Keeper, seed: Uint8Array, epoch: number): Promise<void> {
  const signingSeed = deriveSigningSeed(seed, epoch, keeper.engine)
  try {
    await keeper.custody.addKey(epoch, signingSeed)
  } finally {
    keeper.engine.wipe(signingSeed)
  }
}

/** The change; given up, the key that was added for it is erased again. After a failed write the next start decides. */
async function applied<T>(keeper: Keeper, decide: () => T): Promise<T> {
  try {
    return await keeper.commit(decide)
  } catch (error) {
    if (!(error instanceof StoreError)) await keeper.custody.keepOnly(keeper.table().epoch).catch(() => {})
    throw error
  }
}
