import { describe, expect, it } from 'vitest'
import { formatRead, isAnnounced, readSettings } from '../../../../src/core/announce/settings.ts'
import { formatDocument, parseDocument, type DocumentValue } from '../../../../src/core/document.ts'
import { READ } from '../../../support/announced.ts'

const NOTHING = { read: null, kind: null, at: [] }

function read(...entries: readonly (readonly [string, DocumentValue])[]): ReturnType<typeof readSettings> {
  // Through the text, so that every form is one that a document can have.
  return readSettings(parseDocument(formatDocument(entries)))
}

describe('the document keys of announcements', () => {
  it('are read, announce and at', () => {
    const at = ['relay.example.org', 'cards.example:8443']
    const settings = read(['names', ['a']], ['read', formatRead(READ)], ['announce', 'devices'], ['at', at])
    expect(settings).toEqual({ read: READ, kind: 'devices', at })
    expect(isAnnounced(settings)).toBe(true)
    expect(new TextDecoder().decode(formatDocument([['at', at]]))).toBe('at: [relay.example.org,"cards.example:8443"]')
  })

  it('of another form are ignored, and so is a key in other letters', () => {
    const ignored: readonly (readonly [string, DocumentValue])[] = [
      ['read', formatRead(READ).slice(1)],
      ['read', `${formatRead(READ).slice(0, 21)}b`],
      ['read', `${formatRead(READ)}AA`],
      ['read', [formatRead(READ)]],
      ['Read', formatRead(READ)],
      ['announce', 'friends'],
      ['announce', ['contacts']],
      ['announce', 'Contacts'],
      ['at', 'relay.example.org'],
      ['at', []],
      ['at', Array.from({ length: 9 }, (_, i) => `r${i}.example`)],
    ]
    for (const entry of ignored) expect(read(entry), String(entry)).toEqual(NOTHING)
    expect(ignored.length).toBe(11)
    expect(isAnnounced(read())).toBe(false)
  })

  it('name stores by DNS names, with a port of 1024 or more, and by nothing that a program takes for an address', () => {
    const longest = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(57)}.org`
    const good = [
      'a.bc',
      'relay.example.org',
      'xn--bcher-kva.example',
      'a-b.example:1024',
      'a.example:65535',
      '0.example',
      longest,
    ]
    const bad = [
      'localhost',
      'relay.example.org.',
      '.example',
      'a..b',
      '-a.example',
      'a-.example',
      'A.example',
      'b\u00fccher.example',
      '192.0.2.1',
      '0x7f.1',
      '1.2.3.4a.5',
      '[::1]',
      '2001:db8::1',
      'a.example:443',
      'a.example:80',
      'a.example:1023',
      'a.example:65536',
      'a.example:08443',
      'a.example:',
      'https://a.example',
      'a.example/x',
      'u@a.example',
      `a${longest}`,
      '',
    ]
    for (const host of good) expect(read(['at', ['b.example', host]]).at, host).toEqual(['b.example', host])
    for (const host of bad) expect(read(['at', ['b.example', host]]).at, host).toEqual([])
    expect([good.length, bad.length]).toEqual([7, 24])
  })
})
