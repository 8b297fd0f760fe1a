/** The checks of `doctor` for the companion, if the configuration has one. */
import { notice, ok, problem, type Finding } from '../../ipc/shapes/doctor.ts'
import type { ToxStatus } from '../../ipc/shapes/tox.ts'

export function checkCompanion(tox: ToxStatus): Finding[] {
  if (tox.problem !== null) {
    const hint = 'the daemon keeps trying to start the companion; its log has more'
    return [
      problem('COMPANION_ENDED', `the companion does not run: ${tox.problem.message} (${tox.problem.code})`, hint),
    ]
  }
  switch (tox.state) {
    case 'none':
      return [notice('COMPANION_NONE', 'the configuration asks for a companion, but there is none yet', 'start it')]
    case 'unlisted':
      return [problem('COMPANION_UNLISTED', 'your table does not list the companion, so it does not run', 'start it')]
    case 'down':
      return [notice('COMPANION_DOWN', 'you have stopped the companion', 'start it')]
    case 'starting':
    case 'waiting':
    case 'running':
      break
  }
  if (tox.connection !== 'none') return [ok('COMPANION', `the companion runs; friends online: ${tox.counts.online}`)]
  const hint = 'name bootstrap nodes that answer (tox.bootstrap); the systemd service also needs its network'
  return [notice('COMPANION_ALONE', 'the companion does not reach the Tox network', hint)]
}
