/**
 * Recovers the persona from the recovery words alone (docs/backup.md, section 5). With copies of its table it comes back with the newest
 * one, but without the key that signed it, so it can only sign a rotation. Without a copy it starts with a first table at an epoch that was
 * never used.
 */
import { ContactError } from '../contacts/errors.ts'
import { OwnPersonaError } from '../own/errors.ts'
import { equalBytes, formatBase64url, formatHex } from '../../core/encoding/bytes.ts'
import type { ChainPosition } from '../../core/chain.ts'
import { applyEdit } from '../../core/edit.ts'
import { MAX_EPOCH } from '../../core/limits.ts'
import { compareTables } from '../../core/order.ts'
import { checkRoomToRotate } from '../../core/table.ts'
import type { VerifiedBlob } from '../../core/verify.ts'
import { deriveSigningSeed } from '../../crypto/seed.ts'
import type { RecoverParams, RecoverResult } from '../../ipc/shapes/backup.ts'
import { StoreError } from '../../store/errors.ts'
import { personaExists } from '../state/errors.ts'
import { forgetContact } from '../contacts/forget.ts'
import { newPersona } from '../personas/decide.ts'
import { blobOf, headOf } from '../personas/heads.ts'
import type { Keeper } from '../keeper/keeper.ts'
import type { State } from '../state/state.ts'
import { freshUntilSec } from '../own/siblings.ts'
import { positionFields } from '../own/own-records.ts'
import { OWN_DEFAULTS, type OwnRecord } from '../state/own-record.ts'
import type { PersonaRecord } from '../state/persona-record.ts'
import { seedOf } from './rotate.ts'
import { chainOfSeed } from '../custody/seed-chain.ts'
import { installOwn } from '../snapshot/owner.ts'

/**
 * @throws {KeeperError} PERSONA_EXISTS {OwnPersonaError} EPOCH_UNSURE | EPOCH_USED {ContactError} CHAIN_DIFFERS
 * @throws {CryptoError} WORDS_COUNT | WORDS_UNKNOWN | WORDS_CHECKSUM | SEAL_PASSPHRASE_UNUSABLE @throws {BlobError} if the table cannot hold the device
 */
export async function recover(keeper: Keeper, params: RecoverParams): Promise<RecoverResult> {
  const { engine } = keeper
  const seed = seedOf(params.words, engine)
  try {
    const chain = chainOfSeed(seed, engine)
    return await keeper.serializeInit(async () => {
      const here = keeper.state.own()
      if (here !== undefined) throw personaExists(here.personaId)
      const best = newestCopy(chain[0]!, params.copies ?? [], keeper.state)
      if (best !== null) return await withTable(keeper, chain, best, params)
      return await withoutTable(keeper, chain, seed, params)
    })
  } finally {
    engine.wipe(seed)
  }
}

interface Copy {
  readonly blob: VerifiedBlob
  /** The caller gave it now; otherwise it was in the store. */
  readonly isGiven: boolean
}

/**
 * Finds the highest table of this chain, among the copies and what we know of the persona as a contact.
 * @throws {ContactError} CHAIN_DIFFERS if every table found belongs to another chain of the same PersonaID
 */
function newestCopy(first: ChainPosition, copies: readonly string[], state: State): Copy | null {
  const known = state.known(formatHex(first.personaId), formatHex(first.next))
  const here = known === undefined ? null : headOf(known, state)
  const found: Copy[] = here === null ? [] : [{ blob: here, isGiven: false }]
  for (const text of copies) {
    const blob = blobOf(text, state)
    if (blob !== null && equalBytes(blob.personaId, first.personaId)) found.push({ blob, isGiven: true })
  }
  const ours = found.filter(({ blob }) => equalBytes(blob.root, first.next))
  if (found.length > ours.length && ours.length === 0) {
    const message = 'the tables found belong to another key chain: somebody else has the first key of this persona'
    throw new ContactError('CHAIN_DIFFERS', message, 'ask a contact who has known you for long for a copy')
  }
  const readable = ours.filter(({ blob }) => blob.content.ok || blob.epoch > 0)
  return readable.reduce<Copy | null>(
    (best, copy) => (best === null || compareTables(copy.blob, best.blob) > 0 ? copy : best),
    null,
  )
}

/** Recovers with a copy of the table. Holds no key afterwards: the words give one for the rotation that must follow. */
async function withTable(
  keeper: Keeper,
  chain: readonly ChainPosition[],
  { blob, isGiven }: Copy,
  params: RecoverParams,
): Promise<RecoverResult> {
  const { passphrase, unnamed } = params
  const { state, own, nowSec } = keeper
  const position = chain[blob.epoch]!
  const head = newPersona(blob, state)
  // Nobody approved the listed devices here, and a thief may have added one of them.
  const notes = head.devices.map(({ key }) => ({ key, cameSec: nowSec, approved: false, goneSec: null }))
  const record: OwnRecord = {
    ...ownRecord(position, unnamed !== true, Math.max(blob.epoch, minEpochOf(chain, state))),
    notes,
    copySec: isGiven ? freshUntilSec(blob, nowSec) : null,
  }
  await keeper.custody.importKeys([], passphrase ?? null)
  await changeOrDiscard(keeper, () => {
    const rival = dropRival(head, state)
    const origin = { state: 'taking', source: null, withKeys: false, ownId: head.personaId } as const
    installOwn(record, { ...head, head: formatBase64url(blob.bytes) }, { intents: [], past: [] }, origin, own, state)
    checkNext(keeper, params)
    if (rival !== null) own.seeOwnBlob(rival, { verdict: 'violation' }, { from: '', copySec: null, mayNote: true })
  })
  // Read the table again: the one known here may be later than the copy.
  const table = keeper.table()
  return { table, from: { epoch: table.epoch, seq: table.seq, timeSec: table.timeSec }, mustRotate: true }
}

/**
 * Checks, before the persona is installed, the rotation and the new device that come next: a wrong nickname found only then would leave a
 * persona behind that signs nothing.
 * @throws {KeeperError} NOT_FOUND | AMBIGUOUS {OwnPersonaError} EPOCH_USED | EPOCHS_EXHAUSTED | ROTATION_TOO_LARGE {TableError} {BlobError}
 */
function checkNext({ own }: Keeper, { keep, epoch, device }: RecoverParams): void {
  const next = epoch ?? own.table().epoch + 1
  const { devices } = own.rotationPlan({ epoch: next, ...(keep === undefined ? {} : { keep }) })
  if (device === undefined || devices.some(({ key }) => key === device.key)) return
  applyEdit(devices, { kind: 'add', ...device })
  checkRoomToRotate(next, devices.length + 1)
}

/**
 * Forgets another key chain that was pinned for this persona: a thief of the first key may have been seen first. The words are the better
 * proof.
 * @returns the head of that chain, which is evidence
 */
function dropRival({ personaId, root }: PersonaRecord, state: State): VerifiedBlob | null {
  const known = state.persona(personaId)
  if (known === undefined || known.root === root) return null
  forgetContact(known, state)
  state.dropForgotten(personaId)
  return headOf(known, state)
}

/** The epoch of a contact link of this chain that was added here; 0 without one. */
function minEpochOf(chain: readonly ChainPosition[], state: State): number {
  const [personaId, root] = [formatHex(chain[0]!.personaId), formatHex(chain[0]!.next)]
  const known = state.known(personaId, root)
  return known?.root === root ? known.minEpoch : 0
}

/** Recovers without a copy of the table. The owner names the epoch, and we cannot check it. */
async function withoutTable(
  keeper: Keeper,
  chain: readonly ChainPosition[],
  seed: Uint8Array,
  { epoch, device, passphrase, unnamed }: RecoverParams,
): Promise<RecoverResult> {
  const { engine, custody, state } = keeper
  const highest = minEpochOf(chain, state)
  if (epoch !== undefined && epoch <= highest) {
    const message = `epoch ${epoch} is already used: a contact link of epoch ${highest} is known here`
    throw new OwnPersonaError('EPOCH_USED', message, `choose ${highest + 1} or higher`, { highest, next: highest + 1 })
  }
  if (epoch === undefined) {
    throw new OwnPersonaError(
      'EPOCH_UNSURE',
      'without a copy of your table this daemon cannot know how often the key was rotated',
      `give a copy; or name the epoch: 1 if you never rotated, else a higher one up to ${MAX_EPOCH} (skipping costs nothing)`,
      { epoch: 1, copySec: null },
    )
  }
  const signingSeed = deriveSigningSeed(seed, epoch, engine)
  try {
    await custody.importKeys([{ epoch, seed: signingSeed }], passphrase ?? null)
  } finally {
    engine.wipe(signingSeed)
  }
  await changeOrDiscard(keeper, () => {
    // The owner may have been a contact here, known by a link. They are the owner from now on.
    const known = state.persona(formatHex(chain[epoch]!.personaId))
    if (known?.entry != null) state.names.drop(known.entry)
    keeper.own.begin(chain[epoch]!, device === undefined ? [] : [device], unnamed !== true)
    keeper.own.confirmRecovery()
  })
  return { table: keeper.table(), from: null, mustRotate: false }
}

/** Runs the change. If it throws, discards the secrets that were written for it; after a failed write the next start decides. */
async function changeOrDiscard(keeper: Keeper, decide: () => void): Promise<void> {
  try {
    await keeper.change(decide)
  } catch (error) {
    if (!(error instanceof StoreError)) await keeper.custody.discard()
    throw error
  }
}

function ownRecord(position: ChainPosition, named: boolean, highestEpoch: number): OwnRecord {
  return {
    personaId: formatHex(position.personaId),
    ...positionFields(position),
    named,
    // The owner just typed the words.
    recoveryConfirmed: true,
    tombstones: [],
    replayDue: false,
    nextIntent: 1,
    ...OWN_DEFAULTS,
    highestEpoch,
  }
}
