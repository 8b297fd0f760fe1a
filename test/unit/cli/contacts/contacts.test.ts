import { expect, onTestFinished, test } from 'vitest'
import { formatContact, formatLookup } from '../../../../src/cli/contacts/contacts.ts'
import { chooseColor } from '../../../../src/cli/io/style.ts'
import { formatContacts } from '../../../../src/cli/contacts/list.ts'
import { contactState } from '../../../../src/cli/contacts/states.ts'
import type { Contact, ContactDevice } from '../../../../src/ipc/shapes/contact.ts'
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

test('the list shows each contact with a state, the end of their PersonaID and unconfirmed devices apart', () => {
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
  expect(lines[1]).toMatch(/^Alice …CCCC3333 +trusted +laptop …AAAA1111 +1 \(\+1 unconfirmed\) +.*\(just now\)$/)
  expect(lines[2]).toMatch(/^Bob +no persona yet +Bob …AAAA1111 +1 +never$/)
})

test('the list begins with contacts that need the owner, and ends with friends without a persona', () => {
  const friend = contact({ kind: 'provisional', name: 'Ann', personaId: null, devices: [device({ key: B })] })
  const asking = contact({ name: 'Carol', personaId: B, pending: true })
  const attacked = contact({ name: 'Dave' })
  const times = { sinceSec: NOW, lastSec: NOW, count: 1 }
  const alarm = { id: '0A0B0C0D', code: 'FORK', personaId: P, contact: 'Dave', keys: [], message: 'm', ...times }
  const lines = formatContacts([friend, contact({ name: 'Bob', personaId: A }), asking, attacked], NOW, [alarm])
  expect(lines.slice(1).map((line) => line.slice(0, 5).trim())).toEqual(['Dave', 'Carol', 'Bob …', 'Ann'])
  expect(lines[1]).toMatch(/^Dave …CCCC3333 +ALARM /)
  expect(formatContacts([asking], NOW, [], 3).at(-1)).toBe(
    '3 Tox friends without a persona: persona contact list --all',
  )
  expect(formatContacts([], NOW, [], 1)[0]).toBe('no contact has a persona yet')
})

test('the row of a contact that needs the owner has a colour, where colours are shown', () => {
  onTestFinished(() => chooseColor('auto'))
  const rows = (): string[] => formatContacts([contact({ pending: true }), contact()], NOW).slice(1)
  const [plainPending, plain] = rows()
  chooseColor('always')
  expect(rows()).toEqual([`\x1b[33m${plainPending}\x1b[39m`, plain])
})

test('each state of a contact has a word, and the most urgent one is shown', () => {
  const stateOf = (changes: Partial<Contact>): string => contactState(contact(changes))
  const claims = [device({ state: 'claimed' })]
  expect(stateOf({ kind: 'own' })).toBe('you')
  expect(stateOf({ blocked: true, pending: true })).toBe('blocked')
  expect(stateOf({ pending: true, personaId: null })).toBe('needs your decision')
  expect(stateOf({ personaId: null })).toBe('no persona yet')
  expect(stateOf({ epoch: null, devices: [] })).toBe('no device seen yet')
  expect(stateOf({})).toBe('trusted')
  expect(stateOf({ claims, verifiedAtSec: NOW })).toBe('trusted, verified')
  expect(stateOf({ claims, devices: [] })).toBe('unconfirmed')
  expect(stateOf({ devices: [] })).toBe('no devices')
})

test('the numbers of a table appear only with -v', () => {
  const lines = (verbose: boolean): string => formatContact(contact({ minEpoch: 1 }), NOW, verbose).join('\n')
  expect(lines(false)).not.toMatch(/epoch|seq/)
  expect(lines(true)).toContain('(epoch 0, seq 3)')
  expect(lines(true)).toContain('from epoch 1')
})

test('a contact shows trusted, unconfirmed and removed devices under separate headings', () => {
  const lines = formatContact(
    contact({
      claims: [device({ key: B, state: 'claimed', contested: true })],
      others: [device({ key: P, state: 'former', position: null })],
    }),
    NOW,
  )
  const at = (start: string): number => lines.findIndex((line) => line.startsWith(start))
  expect(lines[at('devices:') + 1]).toContain(` * ${A}  laptop  trusted`)
  expect(lines[at('unconfirmed:') + 1]).toContain(`   ${B}  laptop  unconfirmed, known as another contact`)
  expect(lines[at('not in the current table') + 1]).toContain(`   ${P}  laptop  removed`)
})

test('a blocked contact hides its devices from apps, and a pending change names the command', () => {
  const [blocked, waiting] = [{ blocked: true, devices: [], others: [device()] }, { pending: true }]
  expect(formatContact(contact(blocked), NOW)).toContain('devices, hidden from apps while the contact is blocked:')
  expect(formatContact(contact(waiting), NOW).join('\n')).toContain('persona pending')
  for (const changes of [blocked, { ...blocked, pending: true }, {}])
    expect(formatContact(contact(changes), NOW).join('\n')).not.toMatch(/not in the current table|persona pending/)
})

test('a search by too few digits explains which digits find a key', () => {
  const result = { by: 'none' as const, contact: null, device: null, claimedBy: [] }
  const lines = (query: string): string => formatLookup({ ...result, query }, NOW).join('\n')
  for (const query of ['3333', 'cccc3333', A.slice(1)])
    expect(lines(query)).toContain('by the 8 last ones that stand beside a name')
  for (const query of ['333', 'Bobby', A]) expect(lines(query)).not.toContain('digits')
})

test('lookup calls the owner’s own devices "your device", without a contact name', () => {
  const lineOf = (active: string): string | undefined => {
    const me = contact({ kind: 'own', name: 'me', active })
    return formatLookup({ query: A, by: 'device', contact: me, device: device(), claimedBy: [] }, NOW)[0]
  }
  expect(lineOf(A)).toBe('…AAAA1111 is your active device, laptop')
  expect(lineOf(B)).toBe('…AAAA1111 is your device laptop')
})

test('lookup warns about every device that is not trusted', () => {
  const lineOf = (state: ContactDevice['state']): string =>
    formatLookup({ query: A, by: 'device', contact: contact(), device: device({ state }), claimedBy: [] }, NOW)[0]!
  expect(lineOf('confirmed')).toBe("…AAAA1111 is Alice's active device, laptop")
  expect(lineOf('former')).toBe("…AAAA1111 was Alice's laptop; it no longer is. Do not trust it.")
  expect(lineOf('claimed')).toMatch(/^…AAAA1111 may be Alice's laptop: .* Do not trust it yet\.$/)
  expect(lineOf('asserted')).toMatch(/^…AAAA1111 shows Alice's persona, .* Do not trust it\.$/)
  expect(lineOf('provisional')).toBe('…AAAA1111 is Alice, who has no persona yet')
})

test('a blocked contact still shows when its devices were last seen', () => {
  const blocked = contact({ blocked: true, devices: [], others: [device()], active: null })
  expect(formatContacts([blocked], NOW)[1]).toMatch(/\(just now\)$/)
  const former = contact({ devices: [device({ seenAtSec: null })], others: [device({ key: B, state: 'former' })] })
  expect(formatContacts([former], NOW)[1]).toMatch(/never$/)
})

test('lookup does not call a claimed device anybody’s own', () => {
  const result = { query: A, by: 'device', contact: null, device: null, claimedBy: [P] } as const
  expect(formatLookup({ ...result, claimedBy: [P] }, NOW)).toEqual([
    `no contact matches "${A}"`,
    `persona ${P} lists this device; the device has not confirmed it. Do not trust it yet.`,
  ])
})
