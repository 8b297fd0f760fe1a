import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatConnectoids, parseConnectoids, type Address, type Intake } from '../../../src/channel/invite/address.ts'
import { InviteError } from '../../../src/channel/invite/errors.ts'
import { inviteWithoutK, isExpired, type Invite } from '../../../src/channel/invite/invite.ts'
import { formatInvite, formatInviteLink, parseInvite } from '../../../src/channel/invite/invite-text.ts'
import { FULL_INVITE, inviteVectors, PLAIN_INVITE } from '../../generate/invite-vectors.ts'
import { makePersona } from '../../support/made-persona.ts'

const bytes = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length })
const personaIds = [1, 2, 3].map((number) => makePersona(number).positions[0]!.personaId)
const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?$/)
const intake: fc.Arbitrary<Intake> = fc.record({
  url: fc.oneof(
    fc
      .tuple(label, label, fc.constantFrom('/', ':1024/', ':65535/a/b.c'))
      .map(([a, b, end]) => `https://${a}.${b}${end}`),
    fc.stringMatching(/^folder:[0-9a-f]{16}$/),
    fc.stringMatching(/^veilid:[!-~]{0,60}$/),
  ),
  ext: fc.option(fc.uint8Array({ minLength: 1, maxLength: 64 })),
})
const address: fc.Arbitrary<Address> = fc.record({
  pub: fc.constantFrom(32, 49, 97, 120).chain(bytes),
  where: fc.array(intake, { minLength: 1, maxLength: 4 }),
})
const invite: fc.Arbitrary<Invite> = fc.record(
  {
    address,
    k: bytes(16),
    app: fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.')),
    expiresAtSec: fc.nat(2 ** 31),
    name: fc.constantFrom('Ada', '\u00E9mile', '\u5c0f\u660e'),
    persona: fc.record({ personaId: fc.constantFrom(...personaIds), epoch: fc.nat(16) }),
    for: fc.constantFrom(...personaIds),
  },
  { requiredKeys: ['address', 'k', 'app', 'expiresAtSec'] },
)
const appUrl = fc.constantFrom(
  'https://app.example/',
  'https://app.example:3000/a/b',
  'https://user.example/list/',
  'http://localhost/',
  'http://127.0.0.1:8080/list/',
)

describe('an invite', () => {
  it('is read back from its line and from its link', () => {
    fc.assert(
      fc.property(invite, appUrl, (each, url) => {
        expect(parseInvite(formatInvite(each))).toEqual({ kind: 'invite', invite: each, appUrl: null })
        const link = formatInviteLink(url, each)
        expect(parseInvite(link)).toEqual({ kind: 'invite', invite: each, appUrl: url })
        const bare = parseInvite(link.slice(0, link.indexOf('#')))
        expect(bare).toMatchObject({
          kind: 'bare',
          address: { pub: each.address.pub, where: each.address.where.slice(0, 1) },
        })
      }),
    )
  })

  it('that is read from any text is written back as the same text', () => {
    const texts = inviteVectors().map(({ text }) => text.replaceAll(/\s/g, ''))
    let read = 0
    const reads = (text: string): void => {
      try {
        const found = parseInvite(text)
        read++
        if (found.kind === 'bare') expect(`${found.appUrl}?connectoid=${found.connectoid}`).toBe(text)
        else if (found.appUrl === null) expect(formatInvite(found.invite)).toBe(text)
        else expect(formatInviteLink(found.appUrl, found.invite)).toBe(text)
      } catch (error) {
        if (!(error instanceof InviteError)) throw error
      }
    }
    for (const text of texts) reads(text)
    expect(read).toBe(8)
    const change = fc.tuple(fc.constantFrom(...texts), fc.nat(), fc.constantFrom('', 'A', 'B', '.', '#', '-', 'AAAA'))
    fc.assert(
      fc.property(change, ([text, at, by]) =>
        reads(text.slice(0, at % (text.length + 1)) + by + text.slice((at % (text.length + 1)) + by.length)),
      ),
    )
    fc.assert(fc.property(fc.string(), reads))
  })

  it('is a link without encryption only for a page of this computer', () => {
    for (const url of [
      'http://app.example/',
      'http://localhost.example/',
      'http://127.0.0.1.example/',
      'http://192.168.1.2/',
    ])
      expect(() => formatInviteLink(url, PLAIN_INVITE), url).toThrow(InviteError)
  })

  it('has a hash that depends on all but its secret', () => {
    const { k: _, ...others } = PLAIN_INVITE
    expect(inviteWithoutK({ ...others, k: new Uint8Array(16) })).toBe(inviteWithoutK(PLAIN_INVITE))
    expect(inviteWithoutK({ ...PLAIN_INVITE, app: 'com.example.other' })).not.toBe(inviteWithoutK(PLAIN_INVITE))
  })

  it('is over at the second in which it expires', () => {
    const { expiresAtSec } = FULL_INVITE
    expect([-1, 0, 1].map((sec) => isExpired(FULL_INVITE, expiresAtSec + sec))).toEqual([false, true, true])
  })
})

describe('an address', () => {
  it('is read back from its connectoid values', () => {
    fc.assert(
      fc.property(address, (each) => {
        expect(parseConnectoids(formatConnectoids(each))).toEqual(each)
      }),
    )
  })

  it('has one key in all its values', () => {
    const other = { ...FULL_INVITE.address, pub: new Uint8Array(32).fill(3) }
    const [first] = formatConnectoids(FULL_INVITE.address)
    expect(() => parseConnectoids([first!, formatConnectoids(other)[1]!])).toThrow(/more than one/)
    expect(() => parseConnectoids([])).toThrow(InviteError)
  })
})
