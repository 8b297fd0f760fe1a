/** An inbox as records: one of its own, and one for each entry, each mark of an entry, and each sender that it knows. */
import { jsonCodec, type Codec } from '../../store/store.ts'
import { checkCount, checkText } from './checked-values.ts'
import type { InboxDevice } from '../store/inbox-rules.ts'
import type { DeviceTag, OfferedEntry } from '../store/inbox-store.ts'

export interface KeptInbox {
  /** The number of the last entry; 0 before the first. */
  readonly lastN: number
  readonly entries: number
  /** Entries that no device has acknowledged. */
  readonly waiting: number
  /** Those of them whose senders are not allowed. */
  readonly ofStrangers: number
  /** Entries of strangers that the owner takes together; null where they never said. */
  readonly strangers: number | null
  /** Senders who are allowed or blocked. */
  readonly named: number
  readonly devices: readonly InboxDevice[]
  /** No entry ends before it; 0 without entries. */
  readonly endsUs: number
  /** Fewer devices are waited for than before: the entries after `afterN` up to `lastN` have not been looked at since. */
  readonly sweep: { readonly afterN: number; readonly lastN: number } | null
  /** When to look at the inbox again. */
  readonly dueUs: number
}

export interface KeptEntry extends OfferedEntry {
  /** The devices that have it. */
  readonly acknowledged: readonly DeviceTag[]
}

export interface KeptSender {
  readonly rule: 'allowed' | 'blocked' | null
  /** Their entries that no device has acknowledged. */
  readonly waiting: number
}

/** The same body of the same sender is no new entry while there is a mark. */
export interface KeptMark {
  /** When to delete the mark; 0 while the entry is there. */
  readonly goneUs: number
}

type Json = Readonly<Record<string, unknown>>

export const INBOX_CODEC: Codec<KeptInbox> = jsonCodec(1, (value) => {
  const { strangers, devices, sweep, ...counts } = value as Json
  return {
    lastN: checkCount(counts['lastN']),
    entries: checkCount(counts['entries']),
    waiting: checkCount(counts['waiting']),
    ofStrangers: checkCount(counts['ofStrangers']),
    strangers: strangers === null ? null : checkCount(strangers),
    named: checkCount(counts['named']),
    devices: (devices as Json[]).map(readDevice),
    endsUs: checkCount(counts['endsUs']),
    sweep: sweep === null ? null : readSweep(sweep as Json),
    dueUs: checkCount(counts['dueUs']),
  }
})

export const ENTRY_CODEC: Codec<KeptEntry> = jsonCodec(1, (value) => {
  const { from, kid, at, bodyHash, encId, acknowledged } = value as Json
  return {
    from: checkText(from),
    kid: checkText(kid),
    at: checkText(at),
    bodyHash: checkText(bodyHash),
    encId: checkText(encId),
    acknowledged: (acknowledged as unknown[]).map(checkText),
  }
})

export const SENDER_CODEC: Codec<KeptSender> = jsonCodec(1, (value) => {
  const { rule, waiting } = value as Json
  if (rule !== 'allowed' && rule !== 'blocked' && rule !== null) throw new Error('not a rule')
  return { rule, waiting: checkCount(waiting) }
})

export const MARK_CODEC: Codec<KeptMark> = jsonCodec(1, (value) => ({ goneUs: checkCount((value as Json)['goneUs']) }))

function readDevice({ tag, sinceN, heardUs, isSilent }: Json): InboxDevice {
  return {
    tag: checkText(tag),
    sinceN: checkCount(sinceN),
    heardUs: checkCount(heardUs),
    isSilent: isSilent === true,
  }
}

function readSweep({ afterN, lastN }: Json): { afterN: number; lastN: number } {
  return { afterN: checkCount(afterN), lastN: checkCount(lastN) }
}
