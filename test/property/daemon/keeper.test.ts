import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareBytes, formatHex, parseBase64url } from '../../../src/core/encoding/bytes.ts'
import { decodeBlob } from '../../../src/core/blob.ts'
import { foldName } from '../../../src/daemon/state/name-form.ts'
import type { DeviceRecord } from '../../../src/daemon/state/device-record.ts'
import type { PersonaRecord } from '../../../src/daemon/state/persona-record.ts'
import { act, action, draw, KEYS, step, type Action } from '../../support/life.ts'
import { OWN_LAPTOP, TestKeeper } from '../../support/keeper.ts'
import type { Table } from '../../support/person.ts'

const RUNS = 60
/** Pairs of key and persona: each device with the personas that it has shown. */
function showed(tables: readonly Table[], actions: readonly Action[]): Set<string> {
  const pairs = new Set<string>()
  for (const action of actions) {
    if (action.kind !== 'show') continue
    const blob = decodeBlob(tables[action.table % tables.length]!.blob)
    const shownKey = KEYS[action.key]!
    if (blob.deviceKeys.some((listed) => formatHex(listed) === shownKey))
      pairs.add(`${shownKey} ${formatHex(blob.personaId)}`)
  }
  return pairs
}

interface State {
  readonly personas: ReadonlyMap<string, PersonaRecord>
  readonly devices: ReadonlyMap<string, DeviceRecord>
  readonly names: ReadonlyMap<string, { kind: string; id: string }>
}

async function stateOf(test: TestKeeper): Promise<State> {
  const [personas, devices, names] = [new Map(), new Map(), new Map()]
  for await (const [id, value] of test.records.personas.iterate()) personas.set(id, value)
  for await (const [id, value] of test.records.devices.iterate()) devices.set(id, value)
  for await (const [id, value] of test.records.names.iterate()) names.set(id, value)
  return { personas, devices, names }
}

function checkHeads(before: State, after: State, action: Action): void {
  for (const [id, old] of before.personas) {
    const now = after.personas.get(id)!
    expect(now.root).toBe(old.root)
    const [a, b] = [decodeBlob(parseBase64url(old.head!)!), decodeBlob(parseBase64url(now.head!)!)]
    const order = b.epoch - a.epoch || b.seq - a.seq || a.deviceKeys.length - b.deviceKeys.length
    expect(order, 'a head never sinks').toBeGreaterThanOrEqual(0)
    expect([b.epoch, b.seq]).toStrictEqual([now.epoch, now.seq])
    // A policy that changes to auto accepts the pending change of the same head.
    if (action.kind !== 'policy' && compareBytes(a.bytes, b.bytes) === 0) expect(now.devices).toStrictEqual(old.devices)
  }
}

function checkNames({ personas, devices, names }: State): void {
  const wanted = new Map<string, string>()
  for (const [id, { entry }] of personas)
    for (const name of entry === null ? [] : [entry.name, ...entry.aliases]) wanted.set(foldName(name), id)
  for (const [id, { entry }] of devices)
    for (const name of entry === null ? [] : [entry.name, ...entry.aliases]) wanted.set(foldName(name), id)
  expect(new Map([...names].map(([folded, { id }]) => [folded, id]))).toStrictEqual(wanted)
}

async function checkViews(test: TestKeeper, { personas, devices }: State): Promise<void> {
  const { counts } = await test.call('status')
  const contacts = [...personas.values()].filter(({ entry }) => entry !== null)
  const provisional = [...devices.values()].filter(({ entry }) => entry !== null)
  expect(counts).toMatchObject({ contacts: contacts.length, provisional: provisional.length, devices: devices.size })
  const confirmedFor = new Map<string, string>()
  for (const id of personas.keys()) {
    const contact = await test.call('contact.show', { contact: id })
    for (const { key } of contact.devices) {
      expect(confirmedFor.get(key), 'a device is confirmed for one persona').toBeUndefined()
      confirmedFor.set(key, id)
      expect((await test.call('lookup', { query: key })).contact!.personaId).toBe(id)
    }
  }
  for (const [id, { bound, entry }] of devices) {
    if (bound !== null) expect(entry, `${id} is bound, so no entry of its own`).toBeNull()
    for (const claimant of devices.get(id)!.claimedBy) {
      expect(personas.get(claimant)!.devices.some(({ key }) => key === id)).toBe(true)
    }
  }
}

describe('any sightings and edits in any order', () => {
  it('lower no head, keep names and counts equal to the entries, and bind a device only with its consent', async () => {
    let ran = 0
    const steps = fc.array(step, { minLength: 6, maxLength: 20 })
    const actions = fc.array(action, { minLength: 10, maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(steps, actions, async (steps, actions) => {
        const tables = draw(steps)
        let test = await TestKeeper.withPersona()
        const ownId = (await test.call('device.list')).personaId
        const pairs = showed(tables, actions)
        let before = await stateOf(test)
        for (const action of actions) {
          test = await act(test, action, tables)
          const after = await stateOf(test)
          checkHeads(before, after, action)
          checkNames(after)
          await checkViews(test, after)
          for (const [id, { bound }] of after.devices) {
            if (bound === null) expect(before.devices.get(id)?.bound ?? null).toBeNull()
            else if (bound !== ownId) expect(pairs, `${id} is bound by its own word`).toContain(`${id} ${bound}`)
          }
          expect(test.storeFailures).toStrictEqual([])
          before = after
        }
        expect(before.devices.get(OWN_LAPTOP)!.bound).toBe(ownId)
        ran++
      }),
      { numRuns: RUNS },
    )
    expect(ran).toBe(RUNS)
  }, 60_000)
})
