import { describe, expect, test } from 'vitest'
import { encodeUtf8 } from '../../../../src/core/encoding/bytes.ts'
import { friendName, planFollow, type ProfileFriends } from '../../../../src/cli/tox/follow-plan.ts'
import { formatFollowed } from '../../../../src/cli/tox/follow.ts'
import { formatWatched } from '../../../../src/cli/tox/watch.ts'
import type { Contact, ContactDevice, LookupResult } from '../../../../src/ipc/shapes/contact.ts'

const [OWN, LAPTOP, PHONE, TABLET, OLD] = ['0', '1', '2', '3', '4'].map((digit) => digit.repeat(64)) as [
  string,
  string,
  string,
  string,
  string,
]
const ZOE = 'A'.repeat(64)

function device(key: string, name: string, state: ContactDevice['state'], contested = false): ContactDevice {
  return { key, name, state, contested, position: 1, seenAtSec: 1, sources: [] }
}

const laptop = device(LAPTOP, 'laptop', 'confirmed')
const phone = device(PHONE, 'phone', 'claimed')
const tablet = device(TABLET, 'tablet', 'confirmed')

function contact(changes: Partial<Contact> = {}): Contact {
  return {
    kind: 'persona',
    name: 'Zoe',
    aliases: [],
    personaId: ZOE,
    policy: 'auto',
    blocked: false,
    epoch: 0,
    seq: 1,
    timeSec: 1,
    freshness: 'fresh',
    minEpoch: 0,
    verifiedAtSec: null,
    needsNewerPersona: false,
    pending: false,
    active: LAPTOP,
    activeUnconfirmed: null,
    devices: [laptop],
    claims: [phone],
    others: [],
    ...changes,
  }
}

function found(of: Contact | null, by: ContactDevice | null): LookupResult {
  return { query: by?.key ?? OWN, by: by === null ? 'none' : 'device', contact: of, device: by, claimedBy: [] }
}

function friends(...keys: string[]): ProfileFriends {
  return { ownKey: OWN, ownName: 'Yan', keys: new Set(keys) }
}

describe('a profile follows', () => {
  test('a contact with a confirmed device among the friends, and adds all listed devices once', () => {
    const zoe = contact({ devices: [laptop, tablet] })
    const plan = planFollow(friends(LAPTOP), [found(zoe, laptop), found(zoe, laptop)])
    expect(plan.add.map(({ key, name, state }) => [key, name, state])).toEqual([
      [TABLET, 'Zoe (tablet)', 'confirmed'],
      [PHONE, 'Zoe (phone)', 'claimed'],
    ])
    expect([plan.withheld, plan.gone]).toEqual([[], []])
  })

  test('no contact that only claims a friend’s device, because anybody can claim any device', () => {
    expect(planFollow(friends(PHONE), [found(contact(), phone)]).add).toEqual([])
    const claimedBy = { ...found(null, null), claimedBy: [ZOE] }
    expect(planFollow(friends(PHONE), [claimedBy]).add).toEqual([])
  })

  test('no friend without a persona', () => {
    const provisional = contact({ kind: 'provisional', personaId: null })
    const plan = planFollow(friends(LAPTOP), [found(provisional, device(LAPTOP, 'Zoe', 'provisional'))])
    expect(plan).toEqual({ add: [], withheld: [], gone: [] })
  })

  test('no device that is already a friend in any form', () => {
    expect(planFollow(friends(LAPTOP, PHONE), [found(contact(), laptop)])).toEqual({ add: [], withheld: [], gone: [] })
  })

  test.each(['ask', 'pin'] as const)('nothing of a contact under the policy %s, and says so', (policy) => {
    const plan = planFollow(friends(LAPTOP), [found(contact({ policy }), laptop)])
    expect(plan.add).toEqual([])
    expect(plan.withheld).toMatchObject([{ key: PHONE, reason: 'policy' }])
  })

  test('no device that belongs to another contact, and not its own key', () => {
    const zoe = contact({ claims: [device(PHONE, 'phone', 'claimed', true), device(OWN, 'thief', 'claimed')] })
    const plan = planFollow(friends(LAPTOP), [found(zoe, laptop)])
    expect(plan.add).toEqual([])
    expect(plan.withheld.map(({ key, reason }) => [key, reason])).toEqual([
      [PHONE, 'contested'],
      [OWN, 'own-key'],
    ])
  })

  test('a device that two contacts list, once, as the first one’s', () => {
    const other = contact({ personaId: 'B'.repeat(64), name: 'Eve', devices: [tablet], claims: [phone] })
    const plan = planFollow(friends(LAPTOP, TABLET), [found(contact(), laptop), found(other, tablet)])
    expect(plan.add.map(({ name }) => name)).toEqual(['Zoe (phone)'])
  })

  test('and reports devices that left their table but are still friends', () => {
    const old = device(OLD, 'old', 'former')
    const zoe = contact({ others: [old] })
    const plan = planFollow(friends(LAPTOP, OLD), [found(zoe, laptop), found(zoe, old)])
    expect(plan.gone.map(({ key }) => key)).toEqual([OLD])
    expect(planFollow(friends(OLD), [found(zoe, old)]).add).toEqual([])
  })

  test("the owner's other devices, under the name of the profile", () => {
    const own = contact({ kind: 'own', name: 'me', devices: [device(OWN, 'this', 'confirmed'), tablet], claims: [] })
    const plan = planFollow(friends(), [found(own, device(OWN, 'this', 'confirmed'))])
    expect(plan.add.map(({ name }) => name)).toEqual(['Yan (tablet)'])
    expect(plan.withheld).toEqual([])
  })
})

describe('the name of a friend', () => {
  test('has at most 128 bytes, and always the whole nickname', () => {
    expect(friendName('Zoe', 'phone')).toBe('Zoe (phone)')
    expect(friendName('x'.repeat(120), 'phone')).toBe(`${'x'.repeat(120)} (phone)`)
    expect(friendName('x'.repeat(121), 'phone')).toBe(`${'x'.repeat(120)} (phone)`)
    const nickname = '\u{1F600}'.repeat(16)
    const name = friendName('é'.repeat(64), nickname)
    expect(name.endsWith(` (${nickname})`)).toBe(true)
    expect(encodeUtf8(name).length).toBeLessThanOrEqual(128)
    expect(name.startsWith('é'.repeat(30))).toBe(true)
  })

  test('can always be written to a profile', () => {
    expect(friendName('a\0b\uD800', 'phone')).toBe('ab\uFFFD (phone)')
  })
})

test('names that others chose cannot reach the terminal unescaped', () => {
  const hostile = '\x1b[2Jx\n\u202E'
  const one = { contact: hostile, personaId: ZOE, device: hostile, key: PHONE, state: 'claimed' } as const
  const report = {
    file: hostile,
    key: OWN,
    added: [{ ...one, name: hostile }],
    withheld: [{ ...one, reason: 'policy' as const }],
    gone: [one],
    written: true,
    backup: hostile,
  }
  const profile = {
    path: hostile,
    key: OWN,
    device: hostile,
    encrypted: true,
    shows: null,
    checkedAtSec: 0,
    client: hostile,
    repair: hostile,
    problem: { code: hostile, message: hostile },
  }
  const outputs = [
    formatFollowed(report),
    formatFollowed({ ...report, added: [], backup: null }),
    formatWatched({ profiles: [profile], lost: [], troubles: [hostile] }, 0),
    formatWatched({ profiles: [], lost: [], troubles: [hostile] }, 0),
  ]
  for (const lines of outputs) {
    expect(lines.join('')).toContain('\\u{1B}[2Jx')
    for (const line of lines) expect(line).not.toMatch(/[\p{Cc}\u202E]/u)
  }
})
