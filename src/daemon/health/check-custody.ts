/** What `doctor` says of the secrets: what seals them, whether they are open, and whether a crash could write them to disk. */
import { CREDENTIAL_NAME } from '../custody/credential.ts'
import { notice, ok, problem, type Finding } from '../../ipc/shapes/doctor.ts'
import type { Examined } from './examined.ts'
import { UNSIGNED_NOTICE_SEC } from '../own/standing.ts'

export function checkCustody({
  table,
  isLocked,
  sealing,
  theftProtection,
  mayHaveSeed,
  clock,
  coreDumps,
}: Examined): Finding[] {
  const dumps =
    coreDumps.length === 0
      ? [ok('CORE_DUMPS', 'a crash writes no memory to disk')]
      : coreDumps.map((why) =>
          problem('CORE_DUMPS_POSSIBLE', why, 'persona service install; or "ulimit -c 0" in front of the daemon'),
        )
  if (table === null) return dumps
  return [
    ...dumps,
    theftProtection
      ? ok('RECOVERY', 'the recovery words were confirmed: theft protection is on')
      : problem(
          'RECOVERY_UNCONFIRMED',
          'theft protection is off: who steals a device could take the persona',
          mayHaveSeed
            ? 'write the recovery words down and confirm them: persona recovery show'
            : 'the seed is not on this device; on the one where the persona was made: persona recovery show',
        ),
    ...checkSealing(sealing),
    ...(isLocked ? [checkLocked(clock.isWrong ? 0 : clock.nowSec - table.timeSec)] : []),
  ]
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
          'nothing seals the signing key: who reads your files, or a copy of them, has it',
          'persona passphrase set; or let the service manager keep a key: docs/threat-model.md',
        ),
      ]
  }
}

function checkLocked(unsignedSec: number): Finding {
  const days = Math.floor(unsignedSec / 86_400)
  if (unsignedSec < UNSIGNED_NOTICE_SEC)
    return notice('LOCKED', 'the signing key is locked, and nothing is signed', 'persona unlock')
  const message = `the signing key was locked for so long that the table could not be signed again: it is ${days} days old, and ages for friends`
  return problem('LOCKED_LONG', message, 'persona unlock: it is then signed again')
}
