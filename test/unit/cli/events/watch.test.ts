import { expect, test } from 'vitest'
import { formatEvent } from '../../../../src/cli/events/watch.ts'
import { type OwnCause } from '../../../../src/ipc/shapes/events.ts'
import { EVENT_NAMES, type DaemonEvent } from '../../../../src/ipc/methods/events.ts'
import { A, B, contact, expectEscaped, HOSTILE, NOW, P, table } from '../../../support/views.ts'

const CHANNEL = { id: '5b0c2f9ad1e47731', app: HOSTILE }

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
    event: 'contact.replaced',
    id: 2,
    atSec: NOW,
    data: { personaId: A, successor: B, name: HOSTILE },
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
  {
    event: 'profile.lost',
    id: 14,
    atSec: NOW,
    data: { path: HOSTILE, key: A, device: HOSTILE, state: 'emptied', copy: HOSTILE, message: HOSTILE },
  },
  { event: 'profile.due', id: 9, atSec: NOW, data: { path: HOSTILE, key: A, device: HOSTILE } },
  {
    event: 'profile.repaired',
    id: 8,
    atSec: NOW,
    data: { path: HOSTILE, key: A, device: HOSTILE, epoch: 0, seq: 2, backup: HOSTILE },
  },
  { event: 'tox.connected', id: 0, atSec: NOW, data: { connection: 'udp' } },
  { event: 'device.short', id: 0, atSec: NOW, data: { key: A } },
  { event: 'pairing.cancelled', id: 0, atSec: NOW, data: {} },
  { event: 'tox.peer', id: 0, atSec: NOW, data: { key: A, contact: HOSTILE, change: 'online' } },
  { event: 'tox.request', id: 0, atSec: NOW, data: { key: A, personaId: P } },
  { event: 'channel.changed', id: 0, atSec: NOW, data: { ...CHANNEL, state: 'broken', reason: 'PEER' } },
  { event: 'channel.content', id: 0, atSec: NOW, data: { ...CHANNEL, number: 2 } },
  { event: 'channel.delivered', id: 0, atSec: NOW, data: { ...CHANNEL, upTo: 2 } },
  { event: 'chat.sent', id: 0, atSec: NOW, data: { chat: HOSTILE, lines: 2 } },
  { event: 'channel.way', id: 0, atSec: NOW, data: { ...CHANNEL, direct: 'open' } },
  { event: 'message.arrived', id: 0, atSec: NOW, data: { app: 'chat', number: 2 } },
  { event: 'message.changed', id: 0, atSec: NOW, data: { app: 'chat', number: 2, state: 'failed', reason: 'EXPIRED' } },
  { event: 'message.request', id: 0, atSec: NOW, data: { app: 'chat', persona: P } },
  { event: 'app.linked', id: 0, atSec: NOW, data: { id: '0'.repeat(32), app: 'shop', other: HOSTILE, state: 'asked' } },
  { event: 'app.unlinked', id: 0, atSec: NOW, data: { id: '0'.repeat(32), app: 'shop', other: HOSTILE } },
  {
    event: 'app.proposal',
    id: 0,
    atSec: NOW,
    data: { app: 'shop', by: HOSTILE, persona: P, name: HOSTILE, state: 'proposed' },
  },
  { event: 'channel.alarm', id: 0, atSec: NOW, data: { ...CHANNEL, code: 'INVITE_TWICE' } },
]

test('texts that others chose cannot reach the terminal unescaped', () => {
  expectEscaped(EVENTS.map((event) => formatEvent(event)))
})

test('a card that another device changed is named with its app, and the name is escaped', () => {
  const data = { table: table(), cause: 'card' as const, unapproved: [], app: HOSTILE }
  const text = formatEvent({ event: 'own.changed', id: 3, atSec: NOW, data })
  expect(text).toContain('changed by another of your devices')
  expectEscaped([text])
})

test('every event has a text, and an unknown event of a newer daemon is named', () => {
  expect(EVENTS.map(({ event }) => event).toSorted()).toEqual([...EVENT_NAMES].toSorted())
  const newer = { event: 'moon.risen', id: 1, atSec: NOW, data: {} } as unknown as DaemonEvent
  expect(formatEvent(newer)).toContain('moon.risen')
  expect(formatEvent({ event: 'lagged', data: { missed: 2, after: 7 } })).toContain('missed 2 events after number 7')
})
