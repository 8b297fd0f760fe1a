/** Hardens the node's process on Linux: it ends with the daemon even when it hangs, and nobody can read its memory. */
import koffi from 'koffi'

const PR_SET_PDEATHSIG = 1
const PR_SET_DUMPABLE = 4
const SIGKILL = 9

/**
 * Forbids core dumps, which would hold the secret key, and stops other processes of the user from attaching
 * (prctl(2)). The kernel kills this process when the daemon dies. If the daemon died before this call, our stdin is
 * closed, and main.ts notices that.
 */
export function confine(): void {
  const prctl = koffi
    .load(null)
    .func('int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)')
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
}
