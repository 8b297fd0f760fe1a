import { describe, expect, test } from 'vitest'
import { formatAlarm, formatVerdict } from '../../../src/cli/contacts/alarms.ts'
import { formatContact, formatContacts, formatLookup } from '../../../src/cli/contacts/contacts.ts'
import { formatDevices } from '../../../src/cli/own/device.ts'
import { formatEntries } from '../../../src/cli/events/log.ts'
import { formatServiceStatus } from '../../../src/cli/daemon/service-commands.ts'
import { formatStatus } from '../../../src/cli/daemon/status.ts'
import { formatVerify } from '../../../src/cli/contacts/verify.ts'
import { formatEvent } from '../../../src/cli/events/watch.ts'
import { EVENT_NAMES } from '../../../src/ipc/shapes/events.ts'
import type { DaemonEvent, OwnCause } from '../../../src/ipc/shapes/events.ts'
import type { BlobView, VerifyResult } from '../../../src/ipc/shapes/judged.ts'
import type { OwnTable } from '../../../src/ipc/shapes/own.ts'
import type { DaemonStatus } from '../../../src/ipc/shapes/status.ts'
import type { Contact, ContactDevice } from '../../../src/ipc/shapes/contact.ts'

const NOW = 1_700_000_000
const A = 'A'.repeat(60) + '1111'
const B = 'B'.repeat(60) + '2222'
const P = 'C'.repeat(60) + '3333'
/** In the place of every text that somebody else may choose. */
const HOSTILE = '\x1b[2Jx\n\u202E'
const CONTROL = /[\p{Cc}\u202E]/u

function device(changes: Partial<ContactDevice> = {}): ContactDevice {
  return {
    name: 'laptop',
    key: A,
    state: 'confirmed',
    contested: false,
    position: 1,
    seenAtSec: NOW,
    sources: [],
    ...changes,
  }
}

function contact(changes: Partial<Contact> = {}): Contact {
  return {
    kind: 'persona',
    name: 'Alice',
    aliases: [],
    personaId: P,
    policy: 'auto',
    blocked: false,
    epoch: 0,
    seq: 3,
    timeSec: NOW,
    freshness: 'fresh',
    minEpoch: 0,
    verifiedAtSec: null,
    needsNewerPersona: false,
    pending: false,
    active: A,
    activeUnconfirmed: null,
    devices: [device()],
    claims: [],
    others: [],
    ...changes,
  }
}

function table(changes: Partial<OwnTable> = {}): OwnTable {
  const devices = [
    { name: 'laptop', key: A },
    { name: 'phone', key: B },
  ]
  return { personaId: P, epoch: 0, seq: 2, timeSec: NOW, named: true, devices, bytesFree: 698, ...changes }
}

function status(changes: Partial<DaemonStatus> = {}): DaemonStatus {
  return {
    version: '0.1.0',
    pid: 7,
    startedAtSec: NOW,
    home: { stateDir: '/s', appSocket: '/a', adminSocket: '/b', configFile: null },
    engine: 'sodium',
    store: { kind: 'leveldb', schema: 1 },
    persona: table(),
    locked: false,
    theftProtection: true,
    unapproved: [],
    freshness: 'fresh',
    counts: { contacts: 1, provisional: 2, devices: 4, connections: 1 },
    profiles: { watched: 0, older: 0 },
    tox: null,
    notices: [],
    ...changes,
  }
}

const BLOB: BlobView = {
  version: 1,
  personaId: P,
  epoch: 0,
  seq: 2,
  timeSec: NOW,
  freshness: 'fresh',
  clockAhead: false,
  chainRoot: P,
  prev: '',
  tableHash: P,
  devices: [{ name: 'laptop', key: A }],
  documentCode: null,
  bytes: 300,
}

function verdict(changes: Partial<VerifyResult> = {}): VerifyResult {
  return {
    valid: true,
    code: null,
    message: 'valid',
    blob: BLOB,
    words: '',
    bytes: 400,
    overLimit: false,
    verdict: 'accept',
    listsSender: null,
    ...changes,
  }
}

/** The lines of a verdict. */
function text(changes: Partial<VerifyResult>): string {
  return formatVerify(verdict(changes), NOW).join('\n')
}

const EVENTS: readonly DaemonEvent[] = [
  {
    event: 'contact.changed',
    id: 1,
    atSec: NOW,
    data: {
      contact: contact({ name: HOSTILE }),
      changes: [{ kind: 'added', key: B, name: HOSTILE }],
      source: 'app',
    },
  },
  {
    event: 'contact.forgotten',
    id: 2,
    atSec: NOW,
    data: { personaId: null, key: B, name: HOSTILE },
  },
  {
    event: 'device.added',
    id: 2,
    atSec: NOW,
    data: { personaId: P, contact: HOSTILE, device: { name: HOSTILE, key: B } },
  },
  {
    event: 'own.changed',
    id: 3,
    atSec: NOW,
    data: { table: table(), cause: HOSTILE as string as OwnCause, unapproved: [{ name: HOSTILE, key: A }] },
  },
  { event: 'own.unsigned', id: 10, atSec: NOW, data: { timeSec: NOW, message: HOSTILE } },
  { event: 'own.intent-dropped', id: 4, atSec: NOW, data: { intent: HOSTILE, reason: HOSTILE, command: HOSTILE } },
  { event: 'alarm', id: 5, atSec: NOW, data: { code: 'CHAIN_DISPUTED', personaId: P, key: null, message: HOSTILE } },
  {
    event: 'app.changed',
    id: 10,
    atSec: NOW,
    data: { app: HOSTILE, what: 'requested', can: [], asks: ['read'], expiresAtSec: null },
  },
  {
    event: 'pending.new',
    id: 11,
    atSec: NOW,
    data: {
      contact: HOSTILE,
      personaId: P,
      key: null,
      kind: 'update',
      tableHash: P,
      changes: [{ kind: 'added', key: B, name: HOSTILE }],
      source: HOSTILE,
    },
  },
  {
    event: 'pending.answered',
    id: 12,
    atSec: NOW,
    data: { contact: HOSTILE, personaId: P, key: null, kind: 'update', accepted: true },
  },
  { event: 'locked', id: 13, atSec: NOW, data: { locked: true, cause: 'idle' } },
  { event: 'clock', id: 6, atSec: NOW, data: { personaId: null, message: HOSTILE } },
  {
    event: 'profile.blob-lost',
    id: 7,
    atSec: NOW,
    data: { path: HOSTILE, key: A, device: HOSTILE, state: 'none', message: HOSTILE },
  },
  { event: 'profile.due', id: 9, atSec: NOW, data: { path: HOSTILE, key: A, device: HOSTILE } },
  {
    event: 'profile.repaired',
    id: 8,
    atSec: NOW,
    data: { path: HOSTILE, key: A, device: HOSTILE, epoch: 0, seq: 2, backup: HOSTILE },
  },
  { event: 'tox.connected', id: 0, atSec: NOW, data: { connection: 'udp' } },
  { event: 'pairing.cancelled', id: 0, atSec: NOW, data: {} },
  { event: 'tox.peer', id: 0, atSec: NOW, data: { key: A, contact: HOSTILE, change: 'online' } },
  { event: 'tox.request', id: 0, atSec: NOW, data: { key: A, personaId: P } },
]

describe('what people see', () => {
  test('no control character of others comes through any of it', () => {
    const hostileDevice = device({ name: HOSTILE, contested: true })
    const hostile = contact({
      name: HOSTILE,
      aliases: [HOSTILE],
      devices: [hostileDevice],
      claims: [hostileDevice],
      others: [hostileDevice],
    })
    const provisional = contact({ kind: 'provisional', personaId: null, name: HOSTILE, devices: [hostileDevice] })
    const home = { stateDir: HOSTILE, appSocket: HOSTILE, adminSocket: HOSTILE, configFile: HOSTILE }
    const devices = [{ name: HOSTILE, key: A }]
    const outputs = [
      formatContacts([hostile, provisional], NOW),
      formatContact(hostile, NOW),
      formatLookup({ query: HOSTILE, by: 'name', contact: hostile, device: hostileDevice, claimedBy: [P] }, NOW),
      formatLookup({ query: HOSTILE, by: 'device', contact: provisional, device: hostileDevice, claimedBy: [] }, NOW),
      formatLookup({ query: HOSTILE, by: 'none', contact: null, device: null, claimedBy: [P] }, NOW),
      formatDevices(table({ devices }), NOW),
      formatStatus(status({ home, persona: table({ devices }), notices: [HOSTILE] }), NOW),
      formatVerify(verdict({ words: HOSTILE, blob: { ...BLOB, devices } }), NOW),
      formatVerify(verdict({ valid: false, code: 'NO_TOKEN', message: HOSTILE, words: HOSTILE, blob: null }), NOW),
      EVENTS.map(formatEvent),
      formatServiceStatus({
        unitPath: HOSTILE,
        unit: 'ours',
        activeState: HOSTILE,
        unitFileState: HOSTILE,
        mainPid: 1,
        statusText: HOSTILE,
        repair: { unitPath: HOSTILE, unit: 'ours', activeState: HOSTILE, unitFileState: HOSTILE, mainPid: 1 },
        isLingering: false,
      }),
    ]
    expect(outputs).toHaveLength(11)
    for (const lines of outputs) {
      expect(lines.join('')).toContain('\\u{1B}[2Jx\\u{A}\\u{202E}')
      for (const line of lines) expect(line).not.toMatch(CONTROL)
    }
  })

  test('there is an event of each name, and one of a newer daemon is named', () => {
    expect(EVENTS.map(({ event }) => event).toSorted()).toEqual([...EVENT_NAMES].toSorted())
    const newer = { event: 'moon.risen', id: 1, atSec: NOW, data: {} } as unknown as DaemonEvent
    expect(formatEvent(newer)).toContain('moon.risen')
    expect(formatEvent({ event: 'lagged', data: { missed: 2, after: 7 } })).toContain('2 events missed behind number 7')
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

  test('the active device is marked in the table, and a table without devices says what to do', () => {
    const lines = formatDevices(table(), NOW)
    expect(lines[1]).toBe(`laptop …AAAA1111  ${A}  active`)
    expect(lines[2]).toBe(`phone …BBBB2222   ${B}`)
    expect(formatDevices(table({ devices: [] }), NOW)[0]).toContain('persona device add')
    expect(formatDevices(table({ named: false }), NOW).join('\n')).toContain('published without nicknames')
  })

  test('status says what the daemon notices, and that plain memory holds secrets', () => {
    const notice =
      'theft protection is off until the recovery words are written down and confirmed: "persona recovery show"'
    const lines = formatStatus(status({ engine: 'portable', notices: [notice] }), NOW).join('\n')
    expect(lines).toContain('Theft protection is off')
    expect(lines).toContain('persona recovery show')
    expect(lines).toContain('plain JavaScript')
    expect(formatStatus(status({ persona: null, notices: ['there is no persona yet'] }), NOW)[0]).toBe(
      'There is no persona yet.',
    )
  })

  test('a verdict has its code, its order, and whether the sender is in the table', () => {
    expect(text({})).toMatch(/^valid\n/)
    expect(text({ verdict: null })).toContain('no daemon runs')
    expect(text({ listsSender: false })).toContain('is not in the table')
    expect(text({ listsSender: true })).toContain('is in the table')
    expect(text({ overLimit: true })).toContain('over the limit')
    expect(text({ valid: false, code: 'TOKEN_TWICE', message: 'two', blob: null })).toMatch(
      /^not valid: two \(TOKEN_TWICE\)/,
    )
    expect(text({ blob: { ...BLOB, devices: [] } })).toContain('every device is gone')
    expect(text({ blob: { ...BLOB, clockAhead: true } })).toContain("the writer's clock is ahead")
  })
})

describe('an alarm', () => {
  test('names the contact by digits in the command to be pasted, since a name is anybody’s to choose', () => {
    const alarm = { id: '1', code: 'FORK', personaId: P, contact: '$(reboot)', keys: [], message: 'm' }
    const lines = formatAlarm({ ...alarm, sinceSec: NOW, lastSec: NOW, count: 1 }, NOW)
    expect(lines.at(-1)).toBe(
      `  evidence: persona alarms --export FILE ${P.slice(0, 16)}; dealt with: persona alarms --dismiss 1`,
    )
  })

  test('about nobody’s table offers no evidence', () => {
    const alarm = { id: '1', code: 'CURSOR_AHEAD', personaId: null, contact: null, keys: [], message: 'm' }
    const lines = formatAlarm({ ...alarm, sinceSec: NOW, lastSec: NOW, count: 1 }, NOW)
    expect(lines.at(-1)).toBe('  dealt with: persona alarms --dismiss 1')
  })

  test('and a file of evidence without one good table has nothing that was signed', () => {
    const verdict = { personaId: P, invalid: [{ index: 0, code: 'SIGNATURE_BAD' }], proofs: [] }
    expect(formatVerdict({ ...verdict, tables: 0 }).at(-1)).toBe('the file proves nothing')
    expect(formatVerdict({ ...verdict, tables: 1 }).at(-1)).toContain('was signed')
  })
})

describe('the history', () => {
  test('names a contact once in an entry, but for the name that it was given', () => {
    const entry = { number: 1, atSec: NOW, event: 'contact.changed', hash: P }
    const line = (kind: string, name: string): string =>
      formatEntries(
        [{ ...entry, data: { contact: 'Bob', personaId: P, source: 'owner', changes: [{ kind, key: null, name }] } }],
        NOW,
      )[1]!
    for (const kind of ['created', 'upgraded', 'blocked', 'unblocked'])
      expect(line(kind, 'Bob').match(/Bob/g)).toHaveLength(1)
    expect(line('called', 'Bobby')).toContain('is called Bobby')
    expect(line('policy', 'ask')).toContain('policy is now ask')
  })

  test('says by whose report a table waits, and copes with entries that do not say', () => {
    const data = { contact: 'Bob', personaId: P, key: null, kind: 'update', tableHash: P, changes: [] }
    const entry = { number: 1, atSec: NOW, event: 'pending.new', hash: P }
    const [, told] = formatEntries([{ ...entry, data: { ...data, source: 'app:bot' } }], NOW)
    expect(told).toContain('(reported by app:bot)')
    const [, profile] = formatEntries([{ ...entry, data: { ...data, source: `profile:${A}` } }], NOW)
    expect(profile).toContain('(reported by profile …AAAA1111)')
    expect(formatEntries([{ ...entry, data }], NOW)[1]).not.toContain('undefined')
    expect(formatEntries([{ ...entry, data: { ...data, source: 'owner' } }], NOW)[1]).toContain('(by you)')
  })
})
