/**
 * Finds the table that a short status names. The text has the key and the reading key, so it has the place of the announcement and what
 * opens it; the reader needs to know nothing of the persona before (docs/announce.md, section 10).
 */
import { decodeBlob } from '../blob.ts'
import { equalBytes } from '../encoding/bytes.ts'
import { BlobError } from '../errors.ts'
import { verifyBlob, type VerifiedBlob } from '../verify.ts'
import { ItemError } from './errors.ts'
import { openItem } from './item.ts'
import { bestBlob, type ChainPlace, type JudgeContext } from './judge.ts'
import { secretSalt } from './place.ts'
import { epochOfKey, isNamedBy, type ShortStatus } from './short.ts'
import { isGoodSignedValue, type SignedValue } from './signed-value.ts'
import { walkForwards, type JudgedItem, type LookUp } from './walk.ts'

export interface FoundShort {
  /** Every value, judged for the persona that was found. Empty if none was. */
  readonly items: readonly JudgedItem[]
  /** The best blob of its chain, also of a later epoch; null if no blob was found that the short status names. */
  readonly best: VerifiedBlob | null
  /** How many values the nodes gave at the place of the short status. */
  readonly values: number
}

/**
 * Looks a short status up, and walks on from its key as for any contact.
 * @param nowSec the reader's clock
 */
export async function findShort(
  short: ShortStatus,
  lookUp: LookUp,
  context: JudgeContext,
  nowSec: number,
): Promise<FoundShort> {
  const { engine } = context
  const start = { publicKey: short.signingKey, salt: secretSalt(short.readingKey, short.signingKey, engine) }
  const values = await lookUp(start)
  // They are all of one chain, since r comes from c_0.
  const named = bestBlob(
    values.flatMap((signed) => openNamed(signed, short, context) ?? []),
    nowSec,
  )
  if (named === null) return { items: [], best: null, values: values.length }
  const place = placeOf(short, named, context)
  let isFirst = true
  const { items, best } = await walkForwards(
    place,
    async (wanted) => {
      // The values of the first place are here already.
      const found = isFirst ? values : await lookUp(wanted)
      isFirst = false
      return found
    },
    context,
    nowSec,
  )
  return { items, best: best ?? named, values: values.length }
}

/** Where a contact would have looked who knew this epoch of the persona. */
function placeOf({ signingKey, readingKey }: ShortStatus, named: VerifiedBlob, { engine }: JudgeContext): ChainPlace {
  const { personaId, root } = named
  return { personaId, root, epoch: epochOfKey(signingKey, named, engine)!, signingKey, readingKey }
}

/** The verified blob of a value, if the short status names its persona. Null for any other. */
function openNamed(signed: SignedValue, short: ShortStatus, context: JudgeContext): VerifiedBlob | null {
  const { engine, inceptions } = context
  if (!equalBytes(signed.publicKey, short.signingKey)) return null
  if (!isGoodSignedValue(signed, (signature, message, key) => engine.verify(signature, message, key))) return null
  try {
    const { blob: bytes } = openItem(signed, { readingKey: short.readingKey, deviceKeys: [] }, engine)
    const blob = verifyBlob(decodeBlob(bytes), engine, inceptions)
    return isNamedBy(short, blob, engine) ? blob : null
  } catch (error) {
    if (error instanceof ItemError || error instanceof BlobError) return null
    throw error
  }
}
