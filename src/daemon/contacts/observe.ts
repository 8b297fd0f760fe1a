/** Observations: what a device showed, judged, bound to its persona by its own consent, and kept (docs/format.md, sections 8 and 10). */
import { ContactError } from './errors.ts'
import { checkDeviceKey } from '../../core/blob.ts'
import { formatHex, parseBase64url, parseHex } from '../../core/encoding/bytes.ts'
import { BlobError } from '../../core/errors.ts'
import type { OrderVerdict } from '../../core/order.ts'
import { deviceKeysOf, fallbackName } from '../../core/table.ts'
import { formatToken } from '../../core/token.ts'
import {
  consentsToChain,
  consentsToPersona,
  isOfHigherTable,
  newestSighting,
  clampReports,
  reportBare,
  reportToken,
} from '../../core/trust.ts'
import { judgeStatus, type VerifiedBlob } from '../../core/verify.ts'
import { applyConsent } from './consent.ts'
import { holdUpgrade, standsUpgrade } from './pending.ts'
import { alarmSwitched } from '../personas/alarms.ts'
import { applyVerdict, judgeAgainst, newPersona, setHead } from '../personas/heads.ts'
import type { OwnHeads } from '../personas/own-sight.ts'
import { pairOf } from '../state/pair.ts'
import type { DeviceRecord, PersonaRecord } from '../state/records.ts'
import type { State } from '../state/state.ts'
import type { ContactChange } from '../../ipc/shapes/events.ts'
import type { ObservationParams, ObserveResult } from '../../ipc/shapes/judged.ts'
import { tableDeviceOf } from '../../ipc/shapes/judgement.ts'

const QUIET_SEC = 60 // sanity: what does not move a head is written at most once a device in so many seconds, however fast an app reports

/** Codes that mean that a client cut or altered a token, and not that somebody forged one. */
const DAMAGED: ReadonlySet<string> = new Set([
  'TOKEN_DAMAGED',
  'TOKEN_NOT_CANONICAL',
  'BLOB_TRUNCATED',
  'TOKEN_TOO_LONG',
])

type Shown =
  | { readonly shown: 'valid'; readonly blob: VerifiedBlob }
  | { readonly shown: 'none' | 'empty' }
  | { readonly shown: 'damaged' | 'invalid'; readonly code: string }

/** Takes one observation into the state. Call it inside of a change. */
export function observe(params: ObservationParams, source: string, own: OwnHeads, state: State): ObserveResult {
  return new Observation(params, source, own, state).run()
}

/**
 * The owner accepts that a friend without a persona is the one that its device shows. Call it inside of a change.
 * @throws {ContactError} PENDING_CHANGED when the device shows something else by now
 */
export function acceptUpgrade(key: string, own: OwnHeads, state: State): void {
  const device = state.device(key)
  const blob = standsUpgrade(device, state) ? parseBase64url(device.pending!.blob) : null
  const newest = newestSighting(device.reports)
  const report = device.reports.find(({ token }) => token === newest)
  if (blob !== null && report !== undefined && newest !== null) {
    const params = { from: key, text: formatToken(blob), seenAtSec: newest.atSec }
    new Observation(params, report.source, own, state, true).run()
  }
  if (state.device(key).entry === null) return
  const message = `the device ${key} shows something else by now, or nothing`
  throw new ContactError('PENDING_CHANGED', message, 'see what it shows: persona pending')
}

class Observation {
  readonly #state: State
  readonly #own: OwnHeads
  readonly #key: string
  readonly #text: string
  readonly #name: string
  readonly #source: string
  readonly #atSec: number
  /** The owner said that the device may become part of the contact. */
  readonly #isAccepted: boolean
  /** The device as it was before. */
  readonly #before: DeviceRecord
  #verdict: OrderVerdict | null = null
  #personaId: string | null = null
  readonly #changes: ContactChange['kind'][] = []

  constructor(params: ObservationParams, source: string, own: OwnHeads, state: State, isAccepted = false) {
    this.#isAccepted = isAccepted
    this.#state = state
    this.#own = own
    this.#key = params.from
    this.#text = params.text
    this.#name = params.name ?? ''
    this.#source = source
    // A report from the future would outrank everything that comes after it.
    this.#atSec = Math.min(params.seenAtSec ?? state.nowSec, state.nowSec)
    this.#before = state.device(params.from)
  }

  run(): ObserveResult {
    const keyFault = deviceKeyFault(this.#key)
    if (keyFault !== null) return refusedKey(this.#key, keyFault)
    const shown = this.#judge()
    if (shown.shown === 'valid') this.#takeBlob(shown.blob)
    else if (shown.shown === 'none') this.#report((reports) => reportBare(reports, this.#source, this.#atSec))
    this.#ensureEntry()
    return this.#result(shown)
  }

  #judge(): Shown {
    if (this.#text === '') return { shown: 'empty' }
    try {
      const { blob, fragment } = judgeStatus(this.#text, this.#state.engine, this.#state.inceptions)
      if (blob !== null) return { shown: 'valid', blob }
      const hadBlob = newestSighting(this.#state.device(this.#key).reports) !== null
      return fragment && hadBlob ? { shown: 'damaged', code: 'TOKEN_DAMAGED' } : { shown: 'none' }
    } catch (error) {
      if (!(error instanceof BlobError)) throw error
      return { shown: DAMAGED.has(error.code) ? 'damaged' : 'invalid', code: error.code }
    }
  }

  #takeBlob(blob: VerifiedBlob): void {
    const personaId = formatHex(blob.personaId)
    const lists = deviceKeysOf(blob).includes(this.#key)
    const known = this.#state.persona(personaId)
    const verdict = judgeAgainst(known ?? this.#state.forgotten(personaId), blob, this.#state)
    this.#personaId = personaId
    this.#verdict = verdict
    // Another chain or an unreadable table says nothing about whose the device is.
    if (verdict.verdict === 'refused') return
    const mayNote = !this.#isQuiet()
    if (verdict.verdict !== 'violation') {
      const table = { epoch: blob.epoch, seq: blob.seq }
      const sighting = { atSec: this.#atSec, personaId, lists, root: formatHex(blob.root), table }
      this.#report((reports) => reportToken(reports, this.#source, sighting))
    }
    if (personaId === this.#own.personaId) {
      // What a profile on this machine shows was written here, most likely.
      const copySec = this.#source === `profile:${this.#key}` ? null : this.#atSec
      if (this.#own.adopt(blob, verdict, { from: this.#key, copySec, mayNote })) this.#noteHeard()
    } else if (known === undefined) this.#meet(blob, verdict)
    else this.#follow(known, blob, verdict, mayNote)
  }

  /**
   * A persona that nobody here knew: only a device that it lists and that shows it to this day introduces it (an old profile is no such
   * day), and only one that belongs to nobody yet.
   */
  #meet(blob: VerifiedBlob, { verdict }: OrderVerdict): void {
    const device = this.#state.device(this.#key)
    // Whom the owner forgot is met again by the table that was known or a later one, and by no other chain.
    if (verdict !== 'new' && verdict !== 'accept' && verdict !== 'refresh') return
    if (device.bound !== null || !consentsToChain(device.reports, formatHex(blob.personaId), formatHex(blob.root)))
      return
    if (!this.#isAccepted && (device.entry?.policy ?? this.#state.defaultPolicy) !== 'auto') {
      this.#ensureEntry()
      return holdUpgrade(this.#key, blob, this.#source, this.#state)
    }
    const empty: PersonaRecord = this.#state.forgotten(formatHex(blob.personaId)) ?? {
      ...newPersona(blob),
      devices: [],
    }
    const { persona, changes } = setHead(empty, blob, this.#state, true)
    const leadsTo = { kind: 'persona', id: persona.personaId } as const
    const provisional = device.entry
    const entry =
      provisional === null
        ? this.#state.names.make(this.#name || persona.devices[0]!.name, leadsTo)
        : this.#state.names.move(provisional, leadsTo)
    this.#state.putDevice(this.#key, { ...this.#state.device(this.#key), entry: null, pending: null })
    const first: ContactChange = { kind: provisional === null ? 'created' : 'upgraded', key: null, name: entry.name }
    this.#finish(null, { ...persona, entry }, [first, ...changes.filter((change) => change.kind === 'added')])
  }

  #follow(known: PersonaRecord, blob: VerifiedBlob, verdict: OrderVerdict, mayNote: boolean): void {
    const { persona, changes } = applyVerdict(known, blob, verdict, mayNote, this.#state)
    for (const change of changes) {
      // All devices of the first table of a linked contact are new, and so none is.
      if (change.kind !== 'added' || known.head === null) continue
      const device = tableDeviceOf(persona.devices.find(({ key }) => key === change.key)!)
      this.#state.emit({
        event: 'device.added',
        data: { personaId: persona.personaId, contact: persona.entry?.name ?? '', device },
      })
    }
    this.#finish(known, persona, changes)
  }

  #finish(before: PersonaRecord | null, persona: PersonaRecord, changes: readonly ContactChange[]): void {
    const spoke = { key: this.#key, before: this.#before }
    const occasion = { source: this.#source, spoke, ...(this.#isAccepted ? { accepted: this.#key } : {}) }
    const { told, isWritten } = applyConsent(before, persona, changes, occasion, this.#state)
    if (isWritten) this.#noteHeard()
    this.#changes.push(...told.map(({ kind }) => kind))
  }

  #report(add: (reports: DeviceRecord['reports']) => DeviceRecord['reports']): void {
    const device = this.#state.device(this.#key)
    const known = clampReports(device.reports, this.#state.nowSec)
    const reports = add(known)
    if (reports === known) return
    const isNews = !this.#isQuiet() || !saysTheSame(reports, device.reports)
    // A higher table on a device of the owner, of which there are few, is kept at once; it begins no minute for what else may be kept.
    const isOwners = device.bound !== null && device.bound === this.#own.personaId
    if (!isNews && !(isOwners && isOfHigherTable(newestSighting(reports), newestSighting(device.reports)))) return
    const seenAtSec = Math.max(device.seenAtSec ?? 0, this.#atSec)
    this.#state.putDevice(this.#key, {
      ...device,
      reports,
      seenAtSec,
      heardAtSec: isNews ? this.#state.nowSec : device.heardAtSec,
    })
    if (device.bound !== null) this.#emitParted(device.bound, device.reports, reports)
  }

  /** The device was written of within the last minute; a clock that stepped back says nothing of that. */
  #isQuiet(): boolean {
    const sinceSec = this.#state.nowSec - this.#before.heardAtSec
    return sinceSec >= 0 && sinceSec < QUIET_SEC
  }

  /** A write for this device begins its minute, whatever record it went to. */
  #noteHeard(): void {
    const device = this.#state.device(this.#key)
    const { nowSec } = this.#state
    if (device.heardAtSec !== nowSec) this.#state.putDevice(this.#key, { ...device, heardAtSec: nowSec })
  }

  /** What a new report means for the persona that the device is bound to. */
  #emitParted(bound: string, before: DeviceRecord['reports'], after: DeviceRecord['reports']): void {
    const shown = newestSighting(after)?.personaId ?? null
    if (shown !== null && shown !== bound && shown !== newestSighting(before)?.personaId)
      alarmSwitched(bound, shown, this.#key, this.#state)
    if (!consentsToPersona(before, bound) || consentsToPersona(after, bound)) return
    const listed = this.#state.persona(bound)?.devices.find((device) => device.key === this.#key)
    if (listed !== undefined) this.#emitContact(bound, [{ kind: 'unconfirmed', ...listed }])
  }

  /** A friend without a blob is an entry of its own, named by its key; never again one that was somebody's. */
  #ensureEntry(): void {
    const device = this.#state.device(this.#key)
    if (device.entry !== null || device.bound !== null) return
    const entry = this.#state.names.make(this.#name || fallbackName(this.#key), {
      kind: 'device',
      id: this.#key,
    })
    this.#state.putDevice(this.#key, { ...device, entry, heardAtSec: this.#state.nowSec })
  }

  #emitContact(personaId: string, changes: readonly ContactChange[]): void {
    this.#changes.push(...changes.map(({ kind }) => kind))
    this.#state.emitContact(personaId, changes, this.#source)
  }

  #result(shown: Shown): ObserveResult {
    const device = this.#state.device(this.#key)
    const of = this.#personaId ?? device.bound
    const persona = of === null ? undefined : this.#state.persona(of)
    const isListed = persona?.devices.some((listed) => listed.key === this.#key) === true
    const pair = of === null ? null : pairOf(of, isListed, device)
    const refusal = this.#verdict?.verdict === 'refused' ? this.#verdict.code : null
    return {
      from: this.#key,
      shown: refusal === null ? shown.shown : 'invalid',
      code: refusal ?? ('code' in shown ? shown.code : null),
      personaId: this.#personaId,
      verdict: this.#verdict === null || this.#verdict.verdict === 'refused' ? null : this.#verdict.verdict,
      state: pair ?? (device.entry === null ? null : 'provisional'),
      contact: this.#holder(device),
      changes: this.#changes,
    }
  }

  /** Whom the device counts as, which need not be whose blob it shows. */
  #holder(device: DeviceRecord): string | null {
    if (device.entry !== null) return device.entry.name
    const persona = device.bound === null ? undefined : this.#state.persona(device.bound)
    if (persona === undefined) return null
    const isListed = persona.devices.some((listed) => listed.key === this.#key)
    const pair = pairOf(persona.personaId, isListed, device)
    return pair === 'claimed' ? null : (persona.entry?.name ?? null)
  }
}

/** Why a key cannot be a device's; a client may have any 32 bytes in its friend list. */
function deviceKeyFault(key: string): string | null {
  try {
    checkDeviceKey(parseHex(key) ?? new Uint8Array())
    return null
  } catch (error) {
    if (error instanceof BlobError) return error.code
    throw error
  }
}

function refusedKey(from: string, code: string): ObserveResult {
  return { from, shown: 'invalid', code, personaId: null, verdict: null, state: null, contact: null, changes: [] }
}

/** Only the time differs, or the table: of what the source says, and of what all sources together say. */
function saysTheSame(a: DeviceRecord['reports'], b: DeviceRecord['reports']): boolean {
  const [after, before] = [a[0], b.find((report) => report.source === a[0]?.source)]
  if (after === undefined || before === undefined) return false
  const [newest, newestBefore] = [newestSighting(a), newestSighting(b)]
  return (
    newest?.personaId === newestBefore?.personaId &&
    newest?.lists === newestBefore?.lists &&
    (after.bare === null) === (before.bare === null) &&
    after.token?.personaId === before.token?.personaId &&
    after.token?.lists === before.token?.lists
  )
}
