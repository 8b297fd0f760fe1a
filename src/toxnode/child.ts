/** What the node's process asks of Linux: to end with the daemon even when it hangs, and to show its memory to nobody. */
import koffi from 'koffi'

const PR_SET_PDEATHSIG = 1
const PR_SET_DUMPABLE = 4
const SIGKILL = 9

/**
 * No core dump holds the secret key, and no other process of the user can attach (prctl(2)). The kernel ends this process when the daemon is
 * gone; one that went before this call has closed stdin, which is noticed as well.
 */
export function confine(): void {
  const prctl = koffi
    .load(null)
    .func('int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)')
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
}
