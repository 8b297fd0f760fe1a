/** The processes of personad-net that a daemon has started. */
import { readdirSync, readFileSync } from 'node:fs'

/** @param parent the process of the daemon @returns the ids of its children that run personad-net */
export function netChildren(parent: number = process.pid): number[] {
  const pids = readdirSync(`/proc/${parent}/task`).flatMap((task) =>
    readFileSync(`/proc/${parent}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  )
  return pids.filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('netnode/main'))
}
