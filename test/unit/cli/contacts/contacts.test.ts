import { expect, test } from 'vitest'
import { formatContact, formatContacts, formatLookup } from '../../../../src/cli/contacts/contacts.ts'
import { A, B, contact, device, expectEscaped, HOSTILE, NOW, P } from '../../../support/views.ts'

test('names that others chose cannot reach the terminal unescaped', () => {
  const hostileDevice = device({ name: HOSTILE, contested: true })
  const hostile = contact({
    name: HOSTILE,
    aliases: [HOSTILE],
    devices: [hostileDevice],
    claims: [hostileDevice],
    others: [hostileDevice],
  })
  const provisional = contact({ kind: 'provisional', personaId: null, name: HOSTILE, devices: [hostileDevice] })
  const outputs = [
    formatContacts([hostile, provisional], NOW),
    formatContact(hostile, NOW),
    formatLookup({ query: HOSTILE, by: 'name', contact: hostile, device: hostileDevice, claimedBy: [P] }, NOW),
    formatLookup({ query: HOSTILE, by: 'device', contact: provisional, device: hostileDevice, claimedBy: [] }, NOW),
    formatLookup({ query: HOSTILE, by: 'none', contact: null, device: null, claimedBy: [P] }, NOW),
  ]
  expect(outputs).toHaveLength(5)
  outputs.forEach(expectEscaped)
})

test('contacts are told apart by the ends of their keys, and claims are counted apart', () => {
  const lines = formatContacts(
    [
      contact({ claims: [device({ key: B, state: 'claimed' })] }),
      contact({
        kind: 'provisional',
        name: 'Bob',
        personaId: null,
        devices: [device({ name: 'Bob', seenAtSec: null })],
      }),
    ],
    NOW,
  )
  expect(lines[1]).toMatch(/^Alice +…CCCC3333 +1 \(\+1 claimed\) +laptop …AAAA1111 +.*\(just now\)$/)
  expect(lines[2]).toMatch(/^Bob +none +1 +Bob …AAAA1111 +never$/)
})

test('a contact shows what may be used, what is only claimed, and what is gone, under headings of their own', () => {
  const lines = formatContact(
    contact({
      claims: [device({ key: B, state: 'claimed', contested: true })],
      others: [device({ key: P, state: 'former', position: null })],
    }),
    NOW,
  )
  const at = (start: string): number => lines.findIndex((line) => line.startsWith(start))
  expect(lines[at('devices:') + 1]).toContain(` * ${A}  laptop  confirmed`)
  expect(lines[at('claimed') + 1]).toContain(`   ${B}  laptop  claimed, contested`)
  expect(lines[at('others') + 1]).toContain(`   ${P}  laptop  former`)
})

test('of a contact that is blocked nothing is said to be gone, and of one that waits that it does', () => {
  const [blocked, waiting] = [{ blocked: true, devices: [], others: [device()] }, { pending: true }]
  expect(formatContact(contact(blocked), NOW)).toContain('blocked: apps get none of them:')
  expect(formatContact(contact(waiting), NOW).join('\n')).toContain('persona pending')
  for (const changes of [blocked, { ...blocked, pending: true }, {}])
    expect(formatContact(contact(changes), NOW).join('\n')).not.toMatch(/others:|persona pending/)
})

test('who looks for the digits that stand beside a name is told which digits find a key', () => {
  const result = { by: 'none' as const, contact: null, device: null, claimedBy: [] }
  const lines = (query: string): string => formatLookup({ ...result, query }, NOW).join('\n')
  for (const query of ['3333', 'cccc3333', A.slice(1)]) expect(lines(query)).toContain('found by its first digits')
  for (const query of ['333', 'Bobby', A]) expect(lines(query)).not.toContain('digits')
})

test('a device of the owner is called so, and by no name', () => {
  const lineOf = (active: string): string | undefined => {
    const me = contact({ kind: 'own', name: 'me', active })
    return formatLookup({ query: A, by: 'device', contact: me, device: device(), claimedBy: [] }, NOW)[0]
  }
  expect(lineOf(A)).toBe('…AAAA1111 is laptop, your active device; 1 device in all')
  expect(lineOf(B)).toBe('…AAAA1111 is laptop, a device of yours; 1 device in all')
})

test('a blocked contact was last seen when its devices were, although apps get none of them', () => {
  const blocked = contact({ blocked: true, devices: [], others: [device()], active: null })
  expect(formatContacts([blocked], NOW)[1]).toMatch(/\(just now\)$/)
  const former = contact({ devices: [device({ seenAtSec: null })], others: [device({ key: B, state: 'former' })] })
  expect(formatContacts([former], NOW)[1]).toMatch(/never$/)
})

test('a device that is only claimed is not said to be somebody’s', () => {
  const result = { query: A, by: 'device', contact: null, device: null, claimedBy: [P] } as const
  expect(formatLookup({ ...result, claimedBy: [P] }, NOW)).toEqual([
    `nobody is known by "${A}"`,
    `persona ${P} lists this device, which has not shown that it agrees`,
  ])
})
