import { describe, expect, test } from 'vitest'
import { describeMessageEvent } from '../../../../src/cli/events/messages.ts'
import { describeSent, sentState } from '../../../../src/cli/events/sent-states.ts'
import { requesterOf } from '../../../../src/cli/messages/answer.ts'
import type { CliError } from '../../../../src/cli/io/errors.ts'
import { adviceOf } from '../../../../src/cli/io/next-steps.ts'
import { describeNoInbox, formatList } from '../../../../src/cli/messages/list.ts'
import { formatMessage } from '../../../../src/cli/messages/read.ts'
import { formatSent } from '../../../../src/cli/messages/send.ts'
import type { Client } from '../../../../src/ipc/client.ts'
import {
  SENT_STATES,
  type Mailbox,
  type MessageRequest,
  type ReadMessage,
  type SentMessage,
} from '../../../../src/ipc/methods/messages.ts'
import { codeOf } from '../../../support/code-of.ts'

const NOW_SEC = 1_796_000_000
const PERSONA = `${'AB'.repeat(28)}0B3C8A1F`

const SENT: SentMessage = {
  number: 3,
  app: 'chat',
  to: PERSONA,
  key: null,
  state: 'queued',
  reason: null,
  sentSec: NOW_SEC,
  bytes: 5,
  devices: 2,
  received: 0,
}

const CAME: ReadMessage = {
  number: 4,
  from: PERSONA,
  to: PERSONA,
  missing: 0,
  sentSec: NOW_SEC - 7200,
  atSec: NOW_SEC,
  failed: null,
  bytes: 9,
  offset: 0,
  content: '',
}

const BOX: Mailbox = {
  app: 'chat',
  inboxes: [{ url: 'https://relay.example/', named: true }],
  stores: ['https://relay.example/'],
  proposed: null,
  unread: 2,
  fetching: 0,
  waiting: 1,
}

const REQUEST: MessageRequest = { app: 'chat', persona: PERSONA, entries: 2, firstSec: NOW_SEC, lastSec: NOW_SEC }

describe('a person reads', () => {
  test('each state of a sent message in words of its own, and its cause', () => {
    expect(new Set(SENT_STATES.map((state) => sentState(state, null))).size).toBe(SENT_STATES.length)
    expect(sentState('failed', 'RELAY_NO_STRANGERS')).toBe('failed: they take nothing from you (RELAY_NO_STRANGERS)')
    expect(sentState('failed', 'LATER\u001bCODE')).toBe('failed: LATER\\u{1B}CODE')
  })

  test('how many devices have it only where some do', () => {
    expect(describeSent({ ...SENT, state: 'notified' })).not.toContain('of 2')
    expect(describeSent({ ...SENT, state: 'notified', received: 1 })).toContain('1 of 2 have it')
    expect(describeSent({ ...SENT, state: 'received', received: 2 })).toBe('received')
  })

  test('sent messages in a table', () => {
    const [headings, line] = formatSent([{ message: SENT, name: 'Bob …0B3C8A1F' }], NOW_SEC)
    expect(headings).toMatch(/^NUMBER {2}TO +SENT +STATE$/)
    expect(line).toMatch(/^#3 +Bob …0B3C8A1F +\S+ \S+ \(just now\) +waits here for your store$/)
    expect(formatSent([], NOW_SEC)).toEqual(['nothing was sent in the last month'])
  })

  test('a message line by line and escaped, below its sender and its age', () => {
    const [head, first, second, ...more] = formatMessage(CAME, Buffer.from('one\nt\u001bwo\n'), 'Bob', NOW_SEC)
    expect(head).toMatch(/^#4 Bob, \d{4}-\d\d-\d\d \d\d:\d\d \(2 hours ago\)$/)
    expect([first, second, ...more]).toEqual(['  one', '  t\\u{1B}wo'])
  })

  test('the length of bytes that are no text, and of a message whose first piece alone is here', () => {
    const lines = (bytes: number, content: Uint8Array): string =>
      formatMessage({ ...CAME, bytes }, content, 'Bob', NOW_SEC).join('\n')
    expect(lines(2, Uint8Array.of(0xff, 0xfe))).toContain('(2 bytes that are no text')
    expect(lines(300_000, Buffer.from('a'))).toContain('(300000 bytes')
  })

  test('why a message cannot be read, and that earlier ones are missing', () => {
    const lines = formatMessage(
      { ...CAME, failed: 'WRONG_HASH', bytes: 0, missing: 1 },
      Buffer.alloc(0),
      'Bob',
      NOW_SEC,
    )
    expect(lines.slice(1)).toEqual([
      '  (1 earlier message of the same device has not come)',
      '  (it cannot be read: WRONG_HASH)',
    ])
  })

  test('how many messages wait for each app, and the relay where they come', () => {
    const moved = { ...BOX, app: 'org.example.notes', inboxes: [{ url: 'https://old.example/', named: false }] }
    const lines = formatList({ apps: [BOX, moved], requests: [] }, NOW_SEC)
    expect(lines[1]).toMatch(/^chat +2 +1 +relay\.example$/)
    expect(lines[2]).toContain('old.example (until senders know of the move)')
    expect(lines[3]).toBe(
      'nobody can send you messages for org.example.notes; to name an inbox: persona app inbox org.example.notes URL',
    )
  })

  test('how to begin where no app takes messages', () => {
    expect(formatList({ apps: [], requests: [] }, NOW_SEC).join('\n')).toContain('persona message open')
    expect(describeNoInbox({ ...BOX, inboxes: [], stores: [] }).join('\n')).toContain('persona message open')
    expect(describeNoInbox(BOX)).toEqual([])
  })

  test('who asks to send messages, and the commands that answer', () => {
    const lines = formatList({ apps: [BOX], requests: [REQUEST] }, NOW_SEC).join('\n')
    expect(lines).toContain(`persona ${PERSONA} is no contact`)
    for (const answer of ['accept', 'reject', 'block'])
      expect(lines).toContain(`persona message ${answer} ${PERSONA.slice(0, 16)} --app chat`)
  })

  test('each event in one line', () => {
    const at = { id: 0, atSec: NOW_SEC } as const
    const lines = [
      describeMessageEvent({ ...at, event: 'message.arrived', data: { app: 'chat', number: 4 } }),
      describeMessageEvent({
        ...at,
        event: 'message.changed',
        data: { app: 'chat', number: 3, state: 'failed', reason: 'A\nB' },
      }),
      describeMessageEvent({ ...at, event: 'message.request', data: { app: 'chat', persona: PERSONA } }),
    ]
    expect(lines[0]).toBe('message 4 for chat has come')
    expect(lines[1]).toBe('message 3 that chat sent: failed: A\\u{A}B')
    expect(lines[2]).toContain(PERSONA)
  })
})

describe('one who asks', () => {
  /** A daemon that knows these requests. */
  function daemonWith(...personas: readonly string[]): Client {
    const requests = personas.map((persona) => ({ ...REQUEST, persona }))
    return { call: async () => await Promise.resolve({ apps: [], requests }) } as unknown as Client
  }

  const other = `${'AB'.repeat(28)}11112222`

  test('is named by the first digits of their PersonaID or by its end', async () => {
    expect(await requesterOf(daemonWith(PERSONA), 'chat', 'abababab')).toBe(PERSONA)
    expect(await requesterOf(daemonWith(PERSONA, other), 'chat', '…0B3C8A1F')).toBe(PERSONA)
  })

  test('is nobody by too few digits or other ones, or by digits that two have', async () => {
    expect(await codeOf(requesterOf(daemonWith(PERSONA), 'chat', 'ABABABA'))).toBe('MESSAGE_NO_REQUEST')
    expect(await codeOf(requesterOf(daemonWith(PERSONA), 'chat', '…0B3C8A1E'))).toBe('MESSAGE_NO_REQUEST')
    expect(await codeOf(requesterOf(daemonWith(PERSONA, other), 'chat', 'ABABABAB'))).toBe('AMBIGUOUS')
  })

  test('is nobody, and the hint names one command after its words', async () => {
    const error: unknown = await requesterOf(daemonWith(), 'chat', 'Bob').catch((thrown: unknown) => thrown)
    const { hint } = error as CliError
    expect(adviceOf('MESSAGE_NO_REQUEST', hint)).toMatch(/^[^:]*: persona message list$/)
  })

  test('may have been answered before, if the whole PersonaID stands there', async () => {
    expect(await requesterOf(daemonWith(), 'chat', PERSONA.toLowerCase())).toBe(PERSONA)
  })
})
