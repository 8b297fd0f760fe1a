/** The rules that hold at the end of a history of messages, and those who take part in it. */
import { expect } from 'vitest'
import type { CrashingStore } from './crashing-store.ts'
import type { MessageDaemon } from './message-daemon.ts'
import type { MessageRelay } from './message-relay.ts'

export interface Device {
  readonly name: string
  readonly person: number
  /** null for a phone: its store is a copy. */
  readonly disk: CrashingStore | null
  daemon: MessageDaemon
  isOn: boolean
  isLocked: boolean
  /** The epoch of its key. */
  epoch: number
  /** The messages that its app has read, by number. */
  readonly read: Map<number, string>
}

export interface Sent {
  readonly text: string
  readonly from: Device
  readonly number: number
  /** The keys `sig` to which it was sealed. */
  readonly sigs: readonly string[]
}

export interface Person {
  readonly relay: MessageRelay
  readonly words: string
  epoch: number
  isBlocking: boolean
  isPhoneOut: boolean
}

export function checkOnce(devices: readonly Device[]): void {
  for (const { name, read } of devices) {
    const texts = [...read.values()].toSorted()
    expect([name, texts]).toEqual([name, [...new Set(texts)]])
  }
}

/**
 * Each device that a message was sealed to has it, its sender knows, and no relay has anything of it.
 * @param bySig devices by each key `sig` that they had
 */
export async function checkDelivered(
  all: readonly Sent[],
  people: readonly Person[],
  bySig: ReadonlyMap<string, Device>,
): Promise<void> {
  for (const { text, from, number, sigs } of all) {
    const readers = sigs.map((sig) => bySig.get(sig)!)
    const has = readers.map(({ name, read }) => [name, [...read.values()].includes(text)])
    expect([text, from.name, has]).toEqual([text, from.name, readers.map(({ name }) => [name, true])])
    expect([text, await from.daemon.sent(number)]).toMatchObject([text, { state: 'received' }])
  }
  for (const { relay } of people) {
    expect([relay.url, await relay.entries()]).toEqual([relay.url, 0])
    expect([relay.url, relay.objects]).toEqual([relay.url, []])
  }
}

/** A month later each sender was told of an end, one way or the other. */
export async function checkOver(all: readonly Sent[]): Promise<void> {
  for (const { text, from, number } of all) {
    const sent = await from.daemon.sent(number)
    // One that was received long ago is forgotten.
    if (sent !== undefined) expect([text, sent.state]).toEqual([text, expect.stringMatching(/^(received|failed)$/)])
    if (sent?.state === 'failed') expect([text, sent.reason]).toEqual([text, expect.any(String)])
  }
}
