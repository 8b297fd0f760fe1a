/** The second readers in Python need libsodium, which not every machine has. */
import { execFileSync } from 'node:child_process'

/** Whether a reader starts: there is a python3, and it finds libsodium. @param reader path of the script */
export function hasLibsodium(reader: string): boolean {
  try {
    execFileSync('python3', [reader], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
