/**
 * Runs the Tox client toxic on a profile, in a terminal of tmux and in a network without any other program of this
 * machine.
 */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Terminal } from './tmux.ts'

const OFFLINE = 'unshare -n sh -c'
// Otherwise toxic asks tmux whether anybody is looking and, if not, replaces the status message.
const CONFIG = 'ui = {\n  mplex_away=false;\n};\n'

/** Why this machine cannot run toxic; null if it can. */
export function toxicAbsence(): string | null {
  for (const program of ['toxic', 'tmux', 'ip']) {
    if (spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0) return `${program} is not installed`
  }
  const { status } = spawnSync('sh', ['-c', `${OFFLINE} 'ip link set lo up'`])
  return status === 0 ? null : 'network namespaces are not allowed here'
}

/** toxic on a profile, in a terminal of tmux and in its own network. */
export class Toxic extends Terminal {
  /**
   * @param flags of toxic, beyond those that every test needs
   * @param enter the command prefix before `sh -c COMMAND` that enters a network
   */
  constructor(directory: string, profile: string, flags = '-o', enter: string = OFFLINE) {
    const config = join(directory, 'toxic.conf')
    writeFileSync(config, CONFIG)
    const toxic = `ip link set lo up; exec toxic ${flags} -L -4 -c ${config} -f ${profile}`
    // Wide enough to keep every interesting line unbroken.
    super(directory, `${enter} '${toxic}'`, 220)
  }

  async exit(): Promise<void> {
    this.type('/exit')
    await this.ended()
  }
}
