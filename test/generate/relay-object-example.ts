/** Makes the part of the example of docs/relay.md that is about objects: each answer is what the rules of the objects gave. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatHex } from '../../src/core/encoding/bytes.ts'
import { formatObjectPath, formatPersonaPath, type ObjectTarget } from '../../src/relay/paths/object-path.ts'
import type { Answer } from '../../src/relayd/http/answers.ts'
import {
  answerToMissing,
  answerToPutObject,
  answerToRemoveObject,
  answerToRemovePersona,
  etagOf,
} from '../../src/relayd/http/object-answers.ts'
import { makePersona } from '../support/made-persona.ts'
import { START_US } from '../support/relay-boxes.ts'
import { objectIdOf, RelayDevices } from '../support/relay-devices.ts'
import { testObjects, type TestObjects } from '../support/relay-objects.ts'
import { RELAY_ORIGIN } from './relay-vectors.ts'

const CALLER = { address: 'example' }
const BODY = 'sealed bytes'
const SEC = Math.floor(START_US / 1e6)

export async function objectExample(): Promise<string[]> {
  const directory = mkdtempSync(join(tmpdir(), 'personad-example-'))
  try {
    const relay = await testObjects(directory, { tokens: ['token'] })
    relay.nowSec = SEC
    return await tell(relay)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

async function tell(relay: TestObjects): Promise<string[]> {
  const alice = new RelayDevices(makePersona(1), '', RELAY_ORIGIN, () => SEC)
  await alice.putCard(relay.cards, 'token', {
    issuedAtSec: SEC,
    devices: [1],
    inboxes: [],
    stores: [`${RELAY_ORIGIN}/`],
  })
  const target = { persona: formatHex(alice.persona.positions[0]!.personaId), id: objectIdOf(1) }
  const path = `/${formatObjectPath(target)}`
  const put = async (body: string): Promise<string> => {
    const bearer = alice.tokenFor('PUT', path, BODY)
    const sent = { path, bearer, announcedBytes: body.length, parts: partsOf(body), cut: () => {} }
    const outcome = await relay.objects.put(target, sent, CALLER)
    if (outcome.outcome === 'gone') throw new Error('the example has no sender that leaves')
    return block(
      `curl ${RELAY_ORIGIN}${path} -X PUT -H 'Authorization: Bearer ${bearer}' -d '${body}'`,
      answerToPutObject(outcome, 0),
    )
  }
  const deletePath = `/${formatPersonaPath(target.persona)}`
  const call = { path: deletePath, bearer: alice.tokenFor('DELETE', deletePath, '') }
  const deleteLine = `curl ${RELAY_ORIGIN}${deletePath} -X DELETE -H 'Authorization: Bearer ${call.bearer}'`
  const removed = { path, bearer: alice.tokenFor('DELETE', path, '') }
  return [
    'The same device leaves an object. The body is another one than its token names, then the right one, then the same again:',
    await put('other bytes '),
    await put(BODY),
    await put(BODY),
    'A friend, who knows the id, fetches a part:',
    await getPart(relay, target, path),
    'The device deletes the object, and then all of its persona. A token is good for a card that is here:',
    block(
      `curl ${RELAY_ORIGIN}${path} -X DELETE -H 'Authorization: Bearer ${removed.bearer}'`,
      answerToRemoveObject(await relay.objects.remove(target, removed, CALLER)),
    ),
    block(deleteLine, answerToRemovePersona(await relay.personas.remove(target.persona, call, CALLER))),
    block(deleteLine, answerToRemovePersona(await relay.personas.remove(target.persona, call, CALLER))),
  ]
}

async function getPart({ objects }: TestObjects, target: ObjectTarget, path: string): Promise<string> {
  const found = await objects.find(target, CALLER)
  if (found.outcome !== 'found') return block('', answerToMissing(found))
  const read = await objects.read(target, found.object, { first: 7, last: 11 }, CALLER)
  if (read.outcome !== 'reading') return block('', answerToMissing(read))
  const text = Buffer.concat(await read.bytes.toArray()).toString()
  const { bytes } = found.object
  return lines(
    `curl ${RELAY_ORIGIN}${path} -H 'Range: bytes=7-11'`,
    'HTTP 206',
    `Content-Range: bytes 7-11/${bytes}`,
    `ETag: ${etagOf(found.object)}`,
    text,
  )
}

async function* partsOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}

function block(line: string, { status, body, headers = [] }: Answer): string {
  const etag = headers[headers.indexOf('ETag') + 1]
  return lines(line, `HTTP ${status}`, ...(headers.includes('ETag') ? [`ETag: ${etag}`] : []), body.trim())
}

function lines(...all: readonly string[]): string {
  return ['```', ...all, '```'].join('\n')
}
