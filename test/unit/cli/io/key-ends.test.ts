import { describe, expect, test } from 'vitest'
import { takingEnds } from '../../../../src/cli/io/key-ends.ts'
import type { Client } from '../../../../src/ipc/client.ts'
import { PersonadError } from '../../../../src/errors/personad-error.ts'
import { codeOf } from '../../../support/code-of.ts'
import { A, B, contact, device, P, table } from '../../../support/views.ts'

class NotFound extends PersonadError<'NOT_FOUND'> {}

const LAPTOP = `${'1'.repeat(56)}0B3C8A1F`

/** A daemon that knows whole keys only. */
function fakeDaemon(contacts = [contact({ devices: [device()], claims: [device({ key: B })] })]): {
  client: Client
  calls: unknown[][]
} {
  const calls: unknown[][] = []
  const call = async (method: string, params: Record<string, unknown> = {}): Promise<unknown> => {
    if (method === 'contact.list') return { contacts, next: null, total: contacts.length }
    if (method === 'device.list') return table({ devices: [{ name: 'laptop', key: LAPTOP }] })
    if (method === 'status') return { persona: table({ devices: [{ name: 'laptop', key: LAPTOP }] }) }
    calls.push([method, params])
    const named = ['contact', 'other', 'device', 'query'].map((name) => params[name])
    const wanted = [...named, ...((params['keep'] as string[]) ?? [])]
    const isKnown = wanted.every((one) => one === undefined || [A, B, P, LAPTOP, 'laptop'].includes(one as string))
    if (method === 'lookup') return { contact: isKnown ? contacts[0] : null }
    if (!isKnown) throw new NotFound('NOT_FOUND', 'nobody')
    return { method, params }
  }
  return { client: { call } as unknown as Client, calls }
}

describe('the end of a key', () => {
  test.each([
    ['contact.show', { contact: `…${P.slice(-8)}` }, { contact: P }],
    ['contact.show', { contact: `Alice …${P.slice(-8)}` }, { contact: P }],
    ['contact.rename', { contact: P.slice(-8).toLowerCase(), name: 'Al' }, { contact: P, name: 'Al' }],
    ['contact.join', { contact: P, other: `…${A.slice(-8)}` }, { contact: P, other: A }],
    ['contact.split', { contact: P, device: `…${A.slice(-8)}` }, { contact: P, device: A }],
    ['device.rename', { device: '…0B3C8A1F', name: 'desk' }, { device: LAPTOP, name: 'desk' }],
    ['rotation.plan', { keep: ['…0B3C8A1F', 'laptop'] }, { keep: [LAPTOP, 'laptop'] }],
  ] as const)('is taken by %s in %j', async (method, params, whole) => {
    const { client, calls } = fakeDaemon()
    await takingEnds(client).call(method, params as never)
    expect(calls.at(-1)).toEqual([method, whole])
  })

  test('is taken by lookup, also of an own device', async () => {
    const { client, calls } = fakeDaemon()
    expect((await takingEnds(client).call('lookup', { query: `…${B.slice(-8)}` })).contact).not.toBeNull()
    await takingEnds(client).call('lookup', { query: '…0B3C8A1F' })
    expect(calls.at(-1)).toEqual(['lookup', { query: LAPTOP }])
  })

  test('needs the 8 digits that are shown, and is not looked for if the daemon knows the name', async () => {
    const { client, calls } = fakeDaemon()
    expect(await codeOf(takingEnds(client).call('contact.show', { contact: '…CCC3333' }))).toBe('NOT_FOUND')
    expect(await codeOf(takingEnds(client).call('contact.show', { contact: 'Bob' }))).toBe('NOT_FOUND')
    await takingEnds(client).call('contact.show', { contact: P })
    expect(calls).toHaveLength(3)
  })

  test('of two keys is ambiguous', async () => {
    const twin = `${'2'.repeat(56)}${P.slice(-8)}`
    const { client } = fakeDaemon([contact(), contact({ personaId: twin })])
    expect(await codeOf(takingEnds(client).call('contact.show', { contact: P.slice(-8) }))).toBe('AMBIGUOUS')
  })
})
