/** The checks of `doctor` for the secrets: their seal, whether they are open, and whether a crash could write them to disk. */
import { CREDENTIAL_NAME } from '../custody/credential.ts'
import { notice, ok, problem, type Finding } from '../../ipc/shapes/doctor.ts'
import type { Examined } from './examined.ts'
import { FOREIGN_SEED, LOST_SEED } from '../own/seed.ts'
import { UNPROTECTED } from '../own/conditions.ts'
import { UNSIGNED_NOTICE_SEC } from '../own/standing.ts'

export function checkCustody({
  table,
  isLocked,
  sealing,
  theftProtection,
  standing,
  seed,
  clock,
  coreDumps,
}: Examined): Finding[] {
  const dumps =
    coreDumps.length === 0 ? [ok('CORE_DUMPS', 'a crash writes no memory to disk')] : checkCoreDumps(coreDumps)
  if (table === null) return dumps
  return [
    ...dumps,
    standing.isUnconfirmed
      ? checkUnconfirmed(seed)
      : ok('RECOVERY', `the recovery words were confirmed${theftProtection ? ': theft protection is on' : ''}`),
    ...checkSealing(sealing),
    ...(isLocked ? [checkLocked(clock.isWrong ? 0 : clock.nowSec - table.timeSec)] : []),
  ]
}

function checkUnconfirmed(seed: Examined['seed']): Finding {
  if (seed === 'lost') return problem('RECOVERY_LOST', LOST_SEED.message, LOST_SEED.hint)
  if (seed === 'foreign') return problem('SEED_FOREIGN', FOREIGN_SEED.message, FOREIGN_SEED.hint)
  const there = 'write down the recovery words on the device where you created the persona, and confirm them there'
  return problem('RECOVERY_UNCONFIRMED', UNPROTECTED.message, seed === 'elsewhere' ? there : UNPROTECTED.hint)
}

/** @param coreDumps why a crash could write memory to disk; empty if it cannot */
export function checkCoreDumps(coreDumps: readonly string[]): Finding[] {
  const hint = 'run the daemon as the systemd service, or forbid core dumps before its start (ulimit -c 0)'
  return coreDumps.map((why) => problem('CORE_DUMPS_POSSIBLE', why, hint))
}

function checkSealing(sealing: Examined['sealing']): Finding[] {
  switch (sealing) {
    case null:
      return []
    case 'passphrase':
      return [ok('SEALED_PASSPHRASE', 'the signing key is sealed by a passphrase')]
    case 'key':
      return [ok('SEALED_KEY', `the signing key is sealed by ${CREDENTIAL_NAME}, which the service manager keeps`)]
    case 'unsealed':
      return [
        notice(
          'SECRETS_UNSEALED',
          'the signing key is not sealed: anyone who can read your files, or a copy of them, has it',
          'set a passphrase, or let the service manager keep a key',
        ),
      ]
  }
}

function checkLocked(unsignedSec: number): Finding {
  const days = Math.floor(unsignedSec / 86_400)
  if (unsignedSec < UNSIGNED_NOTICE_SEC)
    return notice('LOCKED', 'the signing key is locked, so nothing is signed', 'unlock it')
  const message = `the signing key is locked, so the table was not signed again: it is ${days} days old, and contacts see that it gets old`
  return problem('LOCKED_LONG', message, 'unlock the key; the daemon then signs the table again')
}
