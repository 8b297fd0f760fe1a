/** The successor of the own persona: the plan, its first table, and what a sibling does that sees one (docs/format.md, section 14). Inside of a change. */
import { concatBytes, encodeUtf8, formatBase64url, formatHex } from '../../core/encoding/bytes.ts'
import { PREV_BYTES } from '../../core/blob.ts'
import type { ChainPosition } from '../../core/chain.ts'
import type { Engine } from '../../core/engine.ts'
import { MAX_EPOCH } from '../../core/limits.ts'
import { MAX_STATEMENT_BYTES, readStatement, shorterStatements } from '../../core/succession/statement.ts'
import { encodeTable } from '../../core/table.ts'
import type { EditResult } from '../../ipc/shapes/own.ts'
import type { SuccessionPlan, SuccessionWishes } from '../../ipc/shapes/rotation.ts'
import { hide } from '../contacts/forget.ts'
import { rebindDevices } from '../contacts/successor.ts'
import { newPersona } from '../personas/decide.ts'
import { OWN_DEFAULTS, type OwnRecord } from '../state/own-record.ts'
import { alarmSucceeded } from './alarms.ts'
import { compress } from './compress.ts'
import { noticeOf, OTHERS_MUST_JOIN, UNPROTECTED, withNotices } from './conditions.ts'
import { OwnPersonaError } from './errors.ts'
import type { Journal } from './journal.ts'
import { positionFields, rememberOwnNames, tombstonesAfter } from './own-records.ts'
import { chooseDevices, settingsAfter } from './rotation-plan.ts'
import type { OwnHead } from './sign-table.ts'
import { fitStatement } from './fit-statement.ts'

const PLAN_BYTES = 32
const FIRST_EPOCH = 0

/** The secrets of the new persona, and the word of the old one. */
export interface Successor {
  /** Epoch 0 of the new persona. */
  readonly first: ChainPosition
  /** The whole statement, 368 bytes. */
  readonly statement: Uint8Array
  /** Signs with the key of epoch 0 of the new persona. */
  readonly sign: (message: Uint8Array) => Uint8Array
}

export class Succession {
  readonly #head: OwnHead
  readonly #journal: Journal

  constructor(head: OwnHead, journal: Journal) {
    this.#head = head
    this.#journal = journal
  }

  /**
   * The table with which a successor would begin.
   * @throws {KeeperError} NO_PERSONA | NOT_FOUND | AMBIGUOUS {OwnPersonaError} RESTORE_UNRECONCILED | PERSONA_SUCCEEDED | ROTATION_TOO_LARGE
   */
  plan(wishes: SuccessionWishes): SuccessionPlan {
    const { record: own, persona, blob: head, state, custody } = this.#head
    this.#head.checkReconciled()
    this.#head.checkNotSucceeded()
    const { devices, leftOut } = chooseDevices({ own, persona }, wishes)
    const forms = shorterStatements(sizedStatement(state.engine))
    const { settings, followFrom, gaveUp } = fitStatement(devices, settingsAfter(own, head), own.named, forms)
    const facts = ['succession', persona.personaId, formatHex(head.tableHash), own.named, devices, settings]
    const hash = state.engine.sha512(encodeUtf8(JSON.stringify(facts)))
    const plan = formatHex(hash.subarray(0, PLAN_BYTES))
    const { personaId, epoch } = persona
    return { personaId, epoch, devices, leftOut, settings, gaveUp, followFrom, hasSeed: custody.hasSeed, plan }
  }

  /** The plan, if it still has this name. @throws {OwnPersonaError} PLAN_CHANGED, and those of {@link plan} */
  check(wishes: SuccessionWishes, plan: string): SuccessionPlan {
    const planned = this.plan(wishes)
    if (planned.plan === plan) return planned
    const hint = 'look at the table once more: the same command shows it'
    throw new OwnPersonaError('PLAN_CHANGED', 'your table changed since it was shown: nothing was signed', hint)
  }

  /**
   * The new persona takes the place of the old one, which stays out of sight.
   * @throws as {@link check}
   */
  apply(wishes: SuccessionWishes, plan: string, { first, statement, sign }: Successor): EditResult {
    const planned = this.check(wishes, plan)
    const { record, persona: old, state } = this.#head
    const { devices, settings } = planned
    const draft = {
      chain: first,
      seq: 1,
      timeSec: state.nowSec,
      prev: new Uint8Array(PREV_BYTES),
      devices,
      named: record.named && !planned.gaveUp.includes('names'),
      settings,
      document: [],
      predecessor: shorterStatements(statement),
    }
    const { blob, named, gaveUpPredecessor } = encodeTable(draft, true, compress, sign)
    // The real statement may compress a little worse than the one that was planned with.
    if (gaveUpPredecessor) throw statementTooLarge(devices.length)
    const table = this.#head.checked(blob)
    for (const intent of this.#journal.live) this.#journal.forget(intent)
    this.#head.past.clear()
    const keys = devices.map(({ key }) => key)
    const personaId = formatHex(first.personaId)
    const others = rebindDevices(old, { personaId, epoch: FIRST_EPOCH, seq: 1, keys }, state)
    state.removePersona(old.personaId, { ...hide(old), replacedBy: personaId })
    state.putOwn(ownAfter(record, first, planned, { named, predecessor: formatBase64url(statement) }))
    const names = rememberOwnNames(devices, old.names)
    this.#head.install({ ...newPersona(table, state), devices: [], others, names }, table, 'succeed')
    state.trustClock()
    const findings = [
      ...(devices.length > 1 ? [noticeOf('OTHERS_MUST_JOIN', OTHERS_MUST_JOIN)] : []),
      noticeOf('UNPROTECTED', UNPROTECTED),
    ]
    return { table: this.#head.table(), gaveUp: planned.gaveUp, ...withNotices(findings) }
  }

  /**
   * Signs a table without the statement. Friends who have not followed by then never do.
   * @throws {OwnPersonaError} NO_STATEMENT, and those of OwnHead.draft
   */
  end(): EditResult {
    const { record, persona, blob: head } = this.#head
    const isCarried = head.content.ok && readStatement(head.content.document) !== null
    if (!isCarried && (record.predecessor ?? null) === null) {
      const message = 'your table does not say that your persona follows another one'
      throw new OwnPersonaError('NO_STATEMENT', message, 'there is nothing to end')
    }
    const signed = this.#head.sign({ ...this.#head.draft(this.#head.devices), predecessor: [] })
    this.#head.put({ named: signed.named, predecessor: null })
    this.#head.install(persona, signed.blob, 'succession-end')
    return { table: this.#head.table(), gaveUp: [...signed.gaveUp], ...withNotices([]) }
  }

  /** Some device shows a persona that the last key of the own one names. Another of the owner's devices made it, if only the words gave this key. */
  see(successorId: string, verdict: 'proven' | 'unproven'): void {
    const { record, state } = this.#head
    if (record.succeededBy === successorId) return
    const isProven = verdict === 'proven' && record.highestEpoch < MAX_EPOCH
    alarmSucceeded(record.personaId, successorId, isProven ? 'proven' : 'unproven', state)
    if (!isProven || (record.succeededBy ?? null) !== null) return
    this.#head.put({ succeededBy: successorId })
    this.#head.emitChanged('succeeded')
  }
}

/** As long as a real statement, which only the words give, and as hard to compress. */
function sizedStatement(engine: Engine): Uint8Array {
  const blocks = Array.from({ length: Math.ceil(MAX_STATEMENT_BYTES / 64) }, (_, i) => engine.sha512(Uint8Array.of(i)))
  return concatBytes(...blocks).subarray(0, MAX_STATEMENT_BYTES)
}

function statementTooLarge(devices: number): OwnPersonaError {
  const message = `the statement that names your persona does not fit beside ${devices} devices`
  return new OwnPersonaError('ROTATION_TOO_LARGE', message, 'leave out 1 more', { room: devices - 1, leaveOut: 1 })
}

/** The owner's record of the new persona. Facts about this machine stay as the old one had them. */
function ownAfter(
  before: OwnRecord,
  first: ChainPosition,
  { devices, leftOut }: SuccessionPlan,
  signed: Required<Pick<OwnRecord, 'named' | 'predecessor'>>,
): OwnRecord {
  const isListed = (key: string): boolean => devices.some((device) => device.key === key)
  const removed = leftOut.reduce((keys, { key }) => tombstonesAfter(keys, { kind: 'remove', key }), before.tombstones)
  return {
    personaId: formatHex(first.personaId),
    ...positionFields(first),
    ...OWN_DEFAULTS,
    ...signed,
    recoveryConfirmed: false,
    tombstones: removed.filter((key) => !isListed(key)),
    replayDue: false,
    nextIntent: 1,
    localDevices: before.localDevices.filter(isListed),
    companion: before.companion,
    // A later rotation keeps of `announce` and `at` only what the owner set here.
    ...(before.settings === undefined ? {} : { settings: before.settings }),
    soleEpoch: FIRST_EPOCH,
    hadSeed: true,
  }
}
