/** What `doctor` says of the companion, where the configuration has one. */
import { notice, ok, problem, type Finding } from '../../ipc/shapes/doctor.ts'
import type { ToxStatus } from '../../ipc/shapes/tox.ts'

export function checkCompanion(tox: ToxStatus): Finding[] {
  if (tox.problem !== null) {
    const hint = 'docs/tox.md says what to do about each code; it is started again by itself'
    return [
      problem('COMPANION_ENDED', `the companion does not run: ${tox.problem.message} (${tox.problem.code})`, hint),
    ]
  }
  switch (tox.state) {
    case 'none':
      return [notice('COMPANION_NONE', 'the configuration wants a companion, and there is none yet', 'persona tox up')]
    case 'unlisted':
      return [
        problem('COMPANION_UNLISTED', 'your table does not list the companion, so it does not run', 'persona tox up'),
      ]
    case 'down':
      return [notice('COMPANION_DOWN', 'the companion is down, by your word', 'persona tox up')]
    case 'starting':
    case 'waiting':
    case 'running':
      break
  }
  if (tox.connection !== 'none')
    return [ok('COMPANION', `the companion runs, with ${tox.counts.online} friends online`)]
  const hint =
    'name nodes that answer in the configuration: tox.bootstrap; in the systemd service: persona service install --tox'
  return [notice('COMPANION_ALONE', 'the companion does not reach the Tox network', hint)]
}
