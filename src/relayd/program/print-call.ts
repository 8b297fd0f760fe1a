/** The commands that ask a running relay: token, stats, forget. */
import type { Call } from './arguments.ts'
import { callRelay } from './call-relay.ts'
import type { Figures } from './metrics.ts'
import type { RelayDir } from './relay-dir.ts'

export interface PrintCallOptions {
  readonly call: Call
  readonly isJson: boolean
}

/** @returns the exit status @throws {CallRelayError} any of its codes */
export async function printCall({ call, isJson }: PrintCallOptions, dir: RelayDir): Promise<number> {
  const result = await callRelay(dir.control, call.name, call.parameters)
  const isMissing = (result as { found?: boolean }).found === false
  console.log(isJson ? JSON.stringify(result) : textOf(call, result))
  return isMissing ? 1 : 0
}

function textOf({ name, parameters }: Call, result: unknown): string {
  switch (name) {
    case 'stats':
      return statsText(result as Figures)
    case 'forget':
      return forgetText(result as Forgotten)
    case 'token-add':
      return `${(result as { token: string }).token}
Give this token to somebody who may have inboxes and objects here. It is shown only now. They add the relay with it:
  persona relay add URL --token-file FILE
Where the configuration has "senders: token", nobody sends without one.`
    case 'token-list':
      return tokensText(result as { tokens: readonly { name: string; madeAtSec: number }[] })
    case 'token-remove':
      return isFound(result) ? `the token ${parameters['name']} is removed` : `there is no token ${parameters['name']}`
  }
}

interface Forgotten {
  readonly found: boolean
  readonly cards?: number
  readonly inboxes?: number
  readonly objects?: number
}

function forgetText({ found, cards, inboxes = 0, objects = 0 }: Forgotten): string {
  if (cards === undefined) return found ? 'the box and all its messages are deleted' : 'there is no such box'
  if (!found) return 'there is nothing of this persona'
  return `deleted: cards of the persona ${cards}, inboxes ${inboxes}, objects ${objects}`
}

function isFound(result: unknown): boolean {
  return (result as { found: boolean }).found
}

function statsText(figures: Figures): string {
  const { version, uptimeSec, bytes, maxBytes, isFull, streams, connections, memoryBytes } = figures
  const mib = (count: number): string => `${(count / 2 ** 20).toFixed(1)} MiB`
  const rows = [
    ['version', version],
    ['running for', `${Math.floor(uptimeSec / 3600)} h ${Math.floor((uptimeSec % 3600) / 60)} min`],
    ['boxes', String(figures.boxes)],
    ['messages', String(figures.messages)],
    ['cards', String(figures.cards)],
    ['inboxes', String(figures.inboxes)],
    ['entries', String(figures.entries)],
    ['objects', String(figures.objects)],
    ['stored', `${mib(bytes)} of ${mib(maxBytes)}${isFull ? ': full, nothing new is stored' : ''}`],
    ['kept in', figures.keptIn === 'database' ? 'a database, for all its processes' : 'the data directory'],
    ['streams', String(streams)],
    ['connections', String(connections)],
    ['memory', mib(memoryBytes)],
  ] as const
  return rows.map(([name, value]) => `${name.padEnd(12)} ${value}`).join('\n')
}

function tokensText({ tokens }: { tokens: readonly { name: string; madeAtSec: number }[] }): string {
  if (tokens.length === 0) return 'there are no tokens'
  return tokens
    .map(({ name, madeAtSec }) => `${name}  made ${new Date(madeAtSec * 1000).toISOString().slice(0, 10)}`)
    .join('\n')
}
