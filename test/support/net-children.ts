/** The processes of personad-net that a daemon has started. */
import { readdirSync, readFileSync } from 'node:fs'
import { expect } from 'vitest'

/** @param parent the process of the daemon @returns the ids of its children that run personad-net */
export function netChildren(parent: number = process.pid): number[] {
  const pids = readdirSync(`/proc/${parent}/task`).flatMap((task) =>
    readFileSync(`/proc/${parent}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  )
  return pids.filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('netnode/main'))
}

/** Kills the personad-net of a daemon that has one. */
export function killNet({ pid }: { readonly pid?: number | undefined }): void {
  const pids = netChildren(pid)
  expect(pids).toHaveLength(1)
  process.kill(pids[0]!, 'SIGKILL')
}
