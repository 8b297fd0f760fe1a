/** Processes that a test kills in turn, and that come back. */
import type { Side } from './channel-sides.ts'
import { killNet } from './net-children.ts'
import { RelayProcess } from './relay-process.ts'

export interface Victim {
  readonly name: string
  kill(): Promise<unknown>
  restart(): Promise<unknown>
}

/** Each dies in turn; the seed decides who is the first. */
export function victimOf(round: number, seed: number, victims: readonly Victim[]): Victim {
  return victims[(seed + round) % victims.length]!
}

export function daemonVictim(name: string, side: Side): Victim {
  return { name, kill: async () => await side.stop('SIGKILL'), restart: async () => await side.start() }
}

/** The daemon starts its personad-net again by itself. */
export function netVictim(name: string, side: Side): Victim {
  return { name: `personad-net (${name})`, kill: async () => killNet(side.daemon.child), restart: async () => {} }
}

/** It comes back at the same address. */
export function relayVictim(name: string, home: string, first: RelayProcess): Victim {
  let relay = first
  const listen = new URL(first.url).host
  return {
    name,
    kill: async () => await relay.kill('SIGKILL'),
    restart: async () => (relay = await RelayProcess.start({ home, listen })),
  }
}

/** Numbers below `limit` that a seed repeats. */
export function randomOf(seed: number): (limit: number) => number {
  let state = seed
  return (limit) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff
    return (state >>> 8) % limit
  }
}
