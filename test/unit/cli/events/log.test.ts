import { expect, test } from 'vitest'
import { formatEntries } from '../../../../src/cli/events/log.ts'
import { A, NOW, P } from '../../../support/views.ts'

test('an entry names its contact once, and also a new name', () => {
  const entry = { number: 1, atSec: NOW, event: 'contact.changed', hash: P }
  const line = (kind: string, name: string): string =>
    formatEntries(
      [{ ...entry, data: { contact: 'Bob', personaId: P, source: 'owner', changes: [{ kind, key: null, name }] } }],
      NOW,
    )[1]!
  for (const kind of ['created', 'upgraded', 'blocked', 'unblocked'])
    expect(line(kind, 'Bob').match(/Bob/g)).toHaveLength(1)
  expect(line('called', 'Bobby')).toContain('is now called Bobby')
  expect(line('policy', 'ask')).toContain('policy is now ask')
})

test('a pending table shows its source, if the entry has one', () => {
  const data = { contact: 'Bob', personaId: P, key: null, kind: 'update', tableHash: P, changes: [] }
  const entry = { number: 1, atSec: NOW, event: 'pending.new', hash: P }
  const [, app] = formatEntries([{ ...entry, data: { ...data, source: 'app:bot' } }], NOW)
  expect(app).toContain('(reported by app:bot)')
  const [, profile] = formatEntries([{ ...entry, data: { ...data, source: `profile:${A}` } }], NOW)
  expect(profile).toContain('(reported by profile …AAAA1111)')
  expect(formatEntries([{ ...entry, data }], NOW)[1]).not.toContain('undefined')
  expect(formatEntries([{ ...entry, data: { ...data, source: 'owner' } }], NOW)[1]).toContain('(by you)')
})
