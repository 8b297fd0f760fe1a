/** Texts of other sides, from the change that acknowledges them until they are taken: the newest for each source channel and target app. */
import { ProposalError } from '../../../link/errors.ts'
import { appOf, parseText, type ProposalText } from '../../../link/text.ts'
import { decodeUtf8, equalBytes } from '../../../core/encoding/bytes.ts'
import { parseCanonicalObject } from '../../../core/encoding/canonical-json.ts'
import { Quota, type Rate } from '../../../process/quota.ts'
import type { TextToPeer } from '../../wing/introductions.ts'
import { TEXT } from './kinds.ts'
import type { ProposalMeans } from './means.ts'

const RATE: Rate = { burst: 16, perSec: 1 / 30 } // format: docs/links.md, section 2: a proposal that goes well needs five

export type Waiting =
  | {
      /** Null for one that is refused. */
      readonly text: ProposalText | null
      readonly bytes: Uint8Array
      /** It was taken. Inside of a change. */
      readonly drop: () => void
    }
  /** Seconds until it may be taken. */
  | { readonly laterSec: number }

/** A text to a peer, in place of those about the same app that wait. */
export function asNewest(bytes: Uint8Array): TextToPeer {
  const app = appOf(bytes)
  return { bytes, replaces: (waiting) => appOf(waiting) === app }
}

export class Texts {
  readonly #means: ProposalMeans
  readonly #quota: Quota

  constructor(means: ProposalMeans) {
    this.#means = means
    this.#quota = new Quota(RATE, () => means.keeper.nowSec)
  }

  /** Keeps texts of a source channel, inside of a change. @param isLinked whether an app is linked with the one of the channel */
  keep(channel: string, texts: readonly Uint8Array[], isLinked: (app: string) => boolean): void {
    const records = this.#means.sealed.inChange(TEXT)
    const newest = new Map<string, { readonly n: number; readonly bytes: Uint8Array }>()
    for (const bytes of texts) {
      const { app, n } = parseCanonicalObject(decodeUtf8(bytes) ?? '') ?? {}
      if (typeof app !== 'string' || typeof n !== 'number' || !isLinked(app)) continue
      if (n >= (newest.get(app)?.n ?? 0)) newest.set(app, { n, bytes })
    }
    for (const [app, { bytes }] of newest) records.put(`${channel}/${app}`, bytes)
  }

  /**
   * The text that waits for a proposal. A channel that says too much waits.
   * @returns null for none
   */
  waiting(channel: string, target: string, writer: string): Waiting | null {
    const { keeper, sealed } = this.#means
    const id = `${channel}/${target}`
    const bytes = sealed.onDisk(TEXT).get(id)
    if (bytes === undefined) return null
    const laterSec = this.#quota.waitSec(channel)
    if (laterSec > 0) return { laterSec }
    this.#quota.spend(channel)
    const drop = (): void => {
      const records = sealed.inChange(TEXT)
      const now = records.get(id)
      // A newer one may have come.
      if (now !== undefined && equalBytes(now, bytes)) records.delete(id)
    }
    try {
      const text = parseText(bytes, { writer, reader: keeper.table().personaId }, keeper.engine)
      return { text: text.app === target ? text : null, bytes, drop }
    } catch (error) {
      if (!(error instanceof ProposalError)) throw error
      this.#means.log.debug('proposal.text', { code: error.code, channel })
      return { text: null, bytes, drop }
    }
  }
}
