/** The methods of policies and pending changes (docs/ipc.md, section 3). A policy never holds back a change that shuts a thief out. */
import { formatHex } from '../../core/encoding/bytes.ts'
import type { Policy } from '../../core/consent.ts'
import type { VerifiedBlob } from '../../core/verify.ts'
import type { Handlers } from '../../ipc/methods/method.ts'
import type { Methods } from '../../ipc/methods/all-methods.ts'
import { MAX_PAGE } from '../../ipc/shapes/limits.ts'
import type { Contact } from '../../ipc/shapes/contact.ts'
import type { ContactChange } from '../../ipc/shapes/events.ts'
import type { PendingKind, PendingUpdate } from '../../ipc/shapes/pending.ts'
import { KeeperError } from '../state/errors.ts'
import { ContactError } from '../contacts/errors.ts'
import { findContact, gone } from '../contacts/find.ts'
import { apply } from '../personas/apply.ts'
import { decide, decideMinEpoch } from '../personas/decide.ts'
import { decodeStored } from '../personas/heads.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { acceptUpgrade } from '../contacts/observe.ts'
import { pendingOf, standsUpgrade } from '../contacts/pending.ts'
import { acceptSuccessor } from '../contacts/successor.ts'
import { joinedHere } from '../contacts/join.ts'
import { isJoined } from '../state/joined.ts'
import type { PersonaRecord } from '../state/persona-record.ts'
import { answered, questionOf } from '../state/elsewhere.ts'
import type { State } from '../state/state.ts'
import { applyConsent } from '../contacts/consent.ts'
import { keyOfProvisional } from '../state/view.ts'
import { OWNER_SOURCE } from '../state/sources.ts'

export type PendingMethods = Pick<Methods, 'pending.list' | 'pending.accept' | 'pending.reject' | 'contact.policy'>

interface Answer {
  readonly contact: string
  readonly kind?: PendingKind
  readonly tableHash?: string
}

export function pendingHandlers(keeper: Keeper): Handlers<PendingMethods> {
  return {
    'pending.list': async ({ after, limit }) => await list(keeper, after, limit ?? MAX_PAGE),
    'pending.accept': async (params) => await answer(keeper, params, accept),
    'pending.reject': async (params) => await answer(keeper, params, reject),
    'contact.policy': async ({ contact, policy }) => await setPolicy(keeper, contact, policy),
  }
}

async function list(
  keeper: Keeper,
  after: string | undefined,
  limit: number,
): Promise<{ pending: PendingUpdate[]; next: string | null }> {
  const pending: PendingUpdate[] = []
  const from = after === undefined ? {} : { after }
  for await (const [id] of keeper.onDisk.pending.iterate(from)) {
    pending.push(...pendingOf(id, keeper.onDisk, keeper.state))
    if (pending.length >= limit) return { pending, next: id }
  }
  return { pending, next: null }
}

/** The id of the record with the contact's entry: a PersonaID, or the key of a friend without a persona. */
async function idOf(query: string, keeper: Keeper): Promise<string> {
  const contact = await findContact(query, keeper.reader())
  if (contact.kind === 'own')
    throw new ContactError('OWN_PERSONA', 'that is your own persona', 'policies are for the tables of others')
  return contact.personaId ?? keyOfProvisional(contact)
}

/** Answers exactly the change that the owner looked at. A table that came since is another question. */
async function answer(
  keeper: Keeper,
  { contact, kind, tableHash }: Answer,
  act: (keeper: Keeper, id: string, update: PendingUpdate) => void,
): Promise<PendingUpdate> {
  const id = await idOf(contact, keeper)
  return await keeper.change(() => {
    const { state } = keeper
    const ids = [id, ...joinedHere(id, state).map(({ key }) => key)]
    const waiting = [...new Set(ids)].flatMap((each) => pendingOf(each, state.records, state))
    const ofKind = waiting.filter((update) => kind === undefined || update.kind === kind)
    // Several friends of a joined contact may show a persona: the key of one of them, or its table, says which one is meant.
    const narrower = ofKind.filter((update) => update.key === contact || update.tableHash === tableHash)
    const named = ofKind.length > 1 && narrower.length > 0 ? narrower : ofKind
    const [update] = named
    if (update === undefined)
      throw new ContactError('NOTHING_PENDING', `${contact} has no pending change`, 'list the pending changes')
    if (named.length > 1) {
      const hint = `choose one kind: ${named.map((each) => each.kind).join(' or ')}`
      throw new KeeperError('AMBIGUOUS', `${contact} has ${named.length} pending changes`, hint, {
        what: 'pending',
        kinds: named.map((each) => each.kind),
      })
    }
    if (tableHash !== undefined && tableHash !== update.tableHash) {
      throw new ContactError(
        'PENDING_CHANGED',
        `${contact} has shown another table since you looked`,
        'look at it again',
      )
    }
    act(keeper, id, update)
    keeper.state.emit({
      event: 'pending.answered',
      data: {
        contact: update.contact,
        personaId: update.personaId,
        key: update.key,
        kind: update.kind,
        accepted: act === accept,
      },
    })
    return update
  })
}

function accept(keeper: Keeper, id: string, { kind, key }: PendingUpdate): void {
  const { state } = keeper
  if (kind === 'upgrade') return acceptUpgrade(key!, keeper.own, state)
  const persona = state.persona(id)!
  if (kind === 'elsewhere') return acceptReport(persona, state)
  if (kind === 'successor') return acceptSuccessor(persona, state)
  const blob = decodeStored(kind === 'held' ? persona.held! : persona.head!, state)
  const before = kind === 'held' ? { ...persona, held: null } : persona
  acceptTable(before, blob, state)
}

function acceptTable(before: PersonaRecord, blob: VerifiedBlob, state: State): void {
  const outcome = decide(before, blob, { verdict: 'accepted' }, true, state)
  apply(outcome, state)
  applyConsent(before, outcome.record, outcome.changes, { source: OWNER_SOURCE, spoke: null }, state)
}

/** The owner says that what the other device reports is so. */
function acceptReport(persona: PersonaRecord, state: State): void {
  const { verifiedAtSec, minEpoch } = questionOf(persona)!
  const agreed = { ...answered(persona, true), verifiedAtSec: verifiedAtSec ?? persona.verifiedAtSec }
  const outcome = decideMinEpoch(agreed, minEpoch, state)
  apply({ ...outcome, before: persona }, state)
  const verified: ContactChange[] = verifiedAtSec === null ? [] : [{ kind: 'verified', key: null, name: null }]
  state.emitContact(persona.personaId, [...verified, ...outcome.changes], OWNER_SOURCE)
}

function reject(keeper: Keeper, id: string, { kind, key }: PendingUpdate): void {
  const { state } = keeper
  if (kind === 'upgrade') {
    const device = state.device(key!)
    state.putDevice(key!, { ...device, pending: { ...device.pending!, rejected: true } })
    return
  }
  const persona = state.persona(id)!
  if (kind === 'elsewhere') state.putPersona(answered(persona, false))
  else if (kind === 'successor') state.putPersona({ ...persona, successor: { ...persona.successor!, rejected: true } })
  else if (kind === 'held') state.putPersona({ ...persona, held: null })
  else state.putPersona({ ...persona, pending: { ...persona.pending!, rejected: true } })
}

function personaIdOf(blob: string, state: State): string {
  return formatHex(decodeStored(blob, state).personaId)
}

async function setPolicy(keeper: Keeper, query: string, policy: Policy): Promise<Contact> {
  const id = await idOf(query, keeper)
  await keeper.change(() => {
    const { state } = keeper
    const persona = state.persona(id)
    if (persona !== undefined) {
      if (persona.entry === null) throw gone(query)
      const entry = { ...persona.entry, policy }
      state.putPersona({ ...persona, entry })
      if (policy !== persona.entry.policy)
        state.emitContact(id, [{ kind: 'policy', key: null, name: policy }], OWNER_SOURCE)
      // The owner trusts this contact now, so its pending change needs no answer.
      if (policy === 'auto' && persona.pending !== null)
        acceptTable({ ...persona, entry }, decodeStored(persona.head!, state), state)
      return
    }
    const device = state.device(id)
    // Since we found it, it may have become a contact's device, or the owner may have forgotten it.
    if (device.entry === null) throw gone(query)
    const isWaiting = standsUpgrade(device, state)
    const pending = isWaiting ? device.pending : null
    state.putDevice(id, { ...device, pending, entry: { ...device.entry, policy } })
    for (const one of joinedHere(id, state).slice(1))
      state.putDevice(one.key, { ...one.device, entry: { ...one.device.entry, policy } })
    if (policy !== device.entry.policy)
      state.emitContact(id, [{ kind: 'policy', key: null, name: policy }], OWNER_SOURCE)
    // A friend who would join a contact, or become the owner's device, waits under every policy.
    const isFirstTable = pending !== null && state.persona(personaIdOf(pending.blob, state)) === undefined
    if (policy === 'auto' && isFirstTable && !isJoined(device)) acceptUpgrade(id, keeper.own, state)
  })
  return await findContact(id, keeper.reader())
}
