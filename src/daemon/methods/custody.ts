/** The methods of custody: locking and unlocking the signing key, and the recovery words (docs/ipc.md, section 3). */
import { CustodyError } from '../custody/errors.ts'
import { encodeUtf8 } from '../../core/encoding/bytes.ts'
import type { SealMode } from '../../crypto/seal.ts'
import type { Handlers } from '../../ipc/methods/method.ts'
import type { Methods } from '../../ipc/methods/all-methods.ts'
import type { ChosenWord } from '../../ipc/methods/own.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { checkSeed, LOST_SEED, seedState } from '../own/seed.ts'
import { OWN } from '../state/own-record.ts'

export type CustodyMethods = Pick<
  Methods,
  | 'persona.lock'
  | 'persona.unlock'
  | 'passphrase.check'
  | 'passphrase.set'
  | 'passphrase.change'
  | 'passphrase.remove'
  | 'recovery.show'
  | 'recovery.confirm'
>

export function custodyHandlers(keeper: Keeper): Handlers<CustodyMethods> {
  return {
    'persona.lock': () => {
      keeper.custody.lock('request')
      return { locked: true }
    },
    'passphrase.check': ({ present }) => checkPassphrase(keeper, present),
    'passphrase.set': ({ passphrase }) => changePassphrase(keeper, null, passphrase),
    'passphrase.change': ({ present, passphrase }) => changePassphrase(keeper, present, passphrase),
    'passphrase.remove': ({ present }) => changePassphrase(keeper, present, null),
    'persona.unlock': ({ passphrase }) => unlock(keeper, passphrase),
    'recovery.show': () => ({ words: words(keeper), confirmed: false }),
    'recovery.confirm': ({ words: chosen }) => confirmRecovery(keeper, chosen),
  }
}

async function unlock(keeper: Keeper, passphrase: string): Promise<{ locked: boolean }> {
  const { custody } = keeper
  await custody.unlock(passphrase)
  return await catchUp(keeper)
}

/** Does the work that waited for the signing key. @throws {CustodyError} SECRETS_FOREIGN */
async function catchUp(keeper: Keeper): Promise<{ locked: boolean }> {
  const { custody } = keeper
  await keeper.keys.inTurn(() => keeper.keys.endSuccessionNow())
  const own = keeper.onDisk.own.get(OWN)
  if (own !== undefined) custody.checkKey(own.epoch, own.signingKey)
  await keeper.keys.eraseSpentKeys()
  const isNew = own?.hadSeed === false && seedState(keeper) === 'here'
  await keeper.change(() => {
    if (isNew) keeper.own.noteSeed()
    keeper.own.replay()
    // The timer cannot sign while the key is locked.
    if ((keeper.own.resignDueSec() ?? Infinity) <= keeper.nowSec) keeper.own.resign()
  })
  return { locked: false }
}

async function checkPassphrase(keeper: Keeper, present: string): Promise<{ locked: boolean }> {
  const wasLocked = keeper.custody.isLocked
  await keeper.custody.checkPassphrase(present)
  return wasLocked ? await catchUp(keeper) : { locked: false }
}

async function changePassphrase(
  keeper: Keeper,
  present: string | null,
  next: string | null,
): Promise<{ sealing: SealMode }> {
  const { custody } = keeper
  const wasLocked = custody.isLocked
  await custody.changePassphrase(present, next)
  if (wasLocked) await catchUp(keeper)
  return { sealing: custody.mode ?? 'unsealed' }
}

/** The recovery words. The persona must be on disk: if a crash could still undo it, the owner would write down useless words. */
function words(keeper: Keeper): string[] {
  keeper.table()
  const state = checkSeed(keeper)
  if (state === 'lost') throw new CustodyError('RECOVERY_LOST', LOST_SEED.message, LOST_SEED.hint)
  if (state === 'elsewhere') {
    const hint = 'use the device where you created the persona'
    const message = 'this device does not hold the recovery words: neither a pairing nor a backup moves them'
    throw new CustodyError('RECOVERY_ELSEWHERE', message, hint)
  }
  return keeper.custody.seed.words()
}

async function confirmRecovery(keeper: Keeper, chosen: readonly ChosenWord[]): Promise<{ confirmed: boolean }> {
  const right = words(keeper)
  const positions = new Set(chosen.map(({ position }) => position))
  const isRight = chosen.every(({ position, word }) => {
    const [given, wanted] = [word, right[position - 1] ?? ''].map((text) => encodeUtf8(text.trim().toLowerCase()))
    return keeper.engine.equal(given!, wanted!)
  })
  if (!isRight || positions.size !== chosen.length) {
    const hint = 'look at the words again'
    throw new CustodyError('RECOVERY_MISMATCH', 'these words do not match', hint)
  }
  // Crash here: the words are confirmed but the seed is still there. The next start erases it.
  await keeper.change(() => keeper.own.confirmRecovery())
  await keeper.custody.seed.erase()
  return { confirmed: true }
}
