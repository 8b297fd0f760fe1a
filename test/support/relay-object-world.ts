/** A relay over HTTP with objects, and two personas who keep their cards there by right. */
import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../src/process/pulse.ts'
import type { HttpLimits } from '../../src/relayd/http/http-limits.ts'
import { makePersona } from './made-persona.ts'
import { CARDS_URL, type TestCardsOptions } from './relay-cards.ts'
import { RelayDevices } from './relay-devices.ts'
import { serveBoxes, type TestServer } from './relay-http.ts'
import { testObjects, type TestObjects } from './relay-objects.ts'
import { tempDir } from './temp-dir.ts'
import { TestBoxes } from './test-boxes.ts'

export interface ObjectWorld extends TestObjects {
  /** The directory of the files. */
  readonly directory: string
  readonly server: TestServer
  readonly alice: RelayDevices
  readonly bob: RelayDevices
  /** Names of the files of whole objects. */
  readonly kept: () => string[]
  /** Names of the files of objects that are coming. */
  readonly coming: () => string[]
}

export interface ObjectWorldOptions extends TestCardsOptions {
  /** The directory for the files; by default one of the test. */
  readonly directory?: string
  readonly http?: Partial<HttpLimits>
  readonly clock?: Clock
}

export async function objectWorld({
  directory = tempDir(),
  http = {},
  clock,
  ...options
}: ObjectWorldOptions = {}): Promise<ObjectWorld> {
  const made = await testObjects(directory, { tokens: ['secret'], ...options })
  const server = await serveBoxes({
    boxes: new TestBoxes(),
    cards: made.cards,
    inboxes: made.inboxes,
    kept: made,
    http,
    about: { url: options.url ?? CARDS_URL },
    ...(clock === undefined ? {} : { clock }),
  })
  const [alice, bob] = [1, 2].map((number) => new RelayDevices(makePersona(number), server.url))
  for (const devices of [alice!, bob!]) await devices.putCard(made.cards, 'secret')
  const filesIn = (name: string): string[] => readdirSync(join(directory, 'objects', name))
  return Object.assign(made, {
    directory,
    server,
    alice: alice!,
    bob: bob!,
    kept: () => filesIn('kept'),
    coming: () => filesIn('coming'),
  })
}

/** The header `ETag` of an object. */
export function etagOf(body: string | Uint8Array): string {
  return `"${createHash('sha256').update(body).digest('base64url')}"`
}
