/** A device of the owner whose program was changed: it says over its link whatever its maker wants (docs/links.md, section 5). */
import { expect } from 'vitest'
import { concatBytes, encodeUtf8 } from '../../src/core/encoding/bytes.ts'
import { formatCanonicalJson, type JsonObject } from '../../src/core/encoding/canonical-json.ts'
import { linesOf } from '../../src/daemon/channels/lines.ts'
import type { SealedKind } from '../../src/daemon/sealed/sealed-kind.ts'
import type { Word } from '../../src/link/word.ts'
import { TALK } from './houses.ts'
import type { LinkDaemon } from './link-daemon.ts'

/** A text of any form. */
export function said(members: JsonObject): Uint8Array {
  return encodeUtf8(formatCanonicalJson({ v: 1, app: TALK, seen: 0, ...members }))
}

/** Says these words over the only link of a device. */
export async function speak(daemon: LinkDaemon, ...words: readonly Word[]): Promise<void> {
  const [link] = daemon.links.all
  for (const word of words) expect(await daemon.elsewhere.send(link!.id, word, () => {})).toBe(true)
}

/** Tells these settings of its app over its only link. */
export async function tellSettings(daemon: LinkDaemon, settings: JsonObject): Promise<void> {
  await sendRaw(daemon, 1, encodeUtf8(formatCanonicalJson({ v: 1, receive: 'ask', ...settings })))
}

/** Sends a content of any kind and form over the only link of a device. */
export async function sendRaw({ channels }: LinkDaemon, kind: number, bytes: Uint8Array): Promise<void> {
  const lines = linesOf(channels.runner)
  const [line] = await lines.list()
  await lines.send(line!.id, concatBytes(Uint8Array.of(kind), bytes), null)
}

/** All records of one kind that a device keeps. */
export async function kept<T>({ channels }: LinkDaemon, kind: SealedKind<T>): Promise<T[]> {
  return (await Array.fromAsync(channels.sealed.records.onDisk(kind).iterate())).map(([, each]) => each)
}
