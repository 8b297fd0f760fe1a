/** Walks from the epoch that a reader knows to the current one, by the forwards that each rotation left (docs/announce.md, section 6). */
import { equalBytes } from '../encoding/bytes.ts'
import type { BoxEngine } from '../engine.ts'
import { MAX_EPOCH } from '../limits.ts'
import type { VerifiedBlob } from '../verify.ts'
import { bestBlob, judgeItem, type ChainPlace, type ItemVerdict, type JudgeContext } from './judge.ts'
import { OPEN_SALT, readingKey, secretSalt } from './place.ts'
import { readSettings } from './settings.ts'
import type { SignedValue, ValuePlace } from './signed-value.ts'

const MAX_STEPS: number = MAX_EPOCH // format: K_0 to K_16

/** One value that was found, and its verdict. */
export interface JudgedItem {
  readonly signed: SignedValue
  readonly verdict: ItemVerdict
  /** Where the reader was in the chain. With it, anybody can judge the value again. */
  readonly place: ChainPlace
}

export interface WalkResult {
  readonly items: readonly JudgedItem[]
  /** The best blob of the pinned chain of all that were found, whatever the seq of their items; null for none. */
  readonly best: VerifiedBlob | null
  /** Where the walk ended. */
  readonly place: ChainPlace
  /** How many keys were looked up, 1..17. */
  readonly lookedUp: number
}

/** Gives every value that nodes have at a place. */
export type LookUp = (place: ValuePlace) => Promise<readonly SignedValue[]>

/** Looks a persona up, from the epoch that the reader knows. @param nowSec the reader's clock */
export async function walkForwards(
  start: ChainPlace,
  lookUp: LookUp,
  context: JudgeContext,
  nowSec: number,
): Promise<WalkResult> {
  const items: JudgedItem[] = []
  let place = start
  for (let steps = 0; ; steps++) {
    const found = await valuesAt(place, lookUp, context)
    for (const signed of found) items.push({ signed, verdict: judgeItem(signed, place, context), place })
    const best = bestBlob(blobsOfChain(items, place), nowSec)
    // Nodes may serve a table of an epoch before the one that the reader knows. It leads nowhere.
    const isBehind = best === null || best.epoch < place.epoch
    const next = isBehind ? place : placeAfter(place, best, context.engine)
    if (next.epoch === place.epoch || steps === MAX_STEPS) return { items, best, place: next, lookedUp: steps + 1 }
    place = next
  }
}

/** The blobs of the pinned chain. A reader who pinned none takes the first: there is nothing to compare it with. */
function blobsOfChain(items: readonly JudgedItem[], { root }: ChainPlace): VerifiedBlob[] {
  const blobs = items.flatMap(({ verdict }) => (verdict.verdict === 'blob' ? [verdict.blob] : []))
  return blobs.filter((blob) => equalBytes(blob.root, root ?? blobs[0]!.root))
}

/** Contacts read the secret place, where every kind has an item; a reader without the reading key has only the open one. */
async function valuesAt(place: ChainPlace, lookUp: LookUp, { engine }: JudgeContext): Promise<readonly SignedValue[]> {
  const { signingKey: publicKey, readingKey: reading } = place
  return await lookUp({ publicKey, salt: reading === null ? OPEN_SALT : secretSalt(reading, publicKey, engine) })
}

/** The place that a blob shows. Where its document has no `read`, or cannot be read, `read` counts as zeros. */
export function placeShown(blob: VerifiedBlob, engine: BoxEngine): ChainPlace {
  const { personaId, root, epoch, signingKey, content } = blob
  const read = content.ok ? readSettings(content.document).read : null
  return { personaId, root, epoch, signingKey, readingKey: readingKey(root, read, engine) }
}

/** The next place of a walk. If the document of the blob cannot be read, `read` stays as it was. */
function placeAfter(place: ChainPlace, blob: VerifiedBlob, engine: BoxEngine): ChainPlace {
  const next = placeShown(blob, engine)
  return blob.content.ok ? next : { ...next, readingKey: place.readingKey }
}
