/** The processes of personad-net and personad-rtc that a daemon has started. */
import { readdirSync, readFileSync } from 'node:fs'
import { expect } from 'vitest'

/** @param parent the process of the daemon @returns the ids of its children that run a program, by default personad-net */
export function netChildren(parent: number = process.pid, program: 'netnode' | 'rtcnode' = 'netnode'): number[] {
  const pids = readdirSync(`/proc/${parent}/task`).flatMap((task) =>
    readFileSync(`/proc/${parent}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  )
  return pids.filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`${program}/main`))
}

/** Kills the personad-net, or the personad-rtc, of a daemon that has one. */
export function killNet(
  { pid }: { readonly pid?: number | undefined },
  program: 'netnode' | 'rtcnode' = 'netnode',
): void {
  const pids = netChildren(pid, program)
  expect(pids).toHaveLength(1)
  process.kill(pids[0]!, 'SIGKILL')
}
