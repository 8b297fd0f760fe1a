/** Finds a key by its end, as it stands beside every name: `…0B3C8A1F`, `Bob …0B3C8A1F`, or the digits alone. */
import type { Client } from '../../ipc/client.ts'
import type { Contact, ContactPage } from '../../ipc/shapes/contact.ts'
import { CliError, hasCode } from './errors.ts'
import { KEY_TAIL_DIGITS, keyTail } from './escape.ts'

const END = new RegExp(`^(?:(?:.*\\s)?…)?([0-9A-Fa-f]{${KEY_TAIL_DIGITS},63})$`, 'u')
/** The params that name a contact or a device. */
const NAMES = ['contact', 'other', 'device', 'query'] as const
const LISTS = ['without', 'keep'] as const

type Params = Readonly<Record<string, unknown>>

/**
 * A client whose calls also take the end of a key wherever they take a name. Names and first digits come first: only what the daemon does not
 * find is looked for by its end.
 */
export function takingEnds(client: Client): Client {
  const call = async (...args: Parameters<Client['call']>): Promise<unknown> => {
    const [method, params] = args
    const [before, failure] = await attempt(client, args)
    if (params === undefined || !(failure === null ? isNothing(method, before) : isUnknown(failure)))
      return settled(before, failure)
    const replaced = await withKeys(client, method, params as Params)
    if (replaced === null) return settled(before, failure)
    return await client.call(...([method, replaced] as unknown as typeof args))
  }
  return { ...client, call: call as Client['call'] }
}

async function attempt(client: Client, args: Parameters<Client['call']>): Promise<[unknown, Error | null]> {
  try {
    return [await client.call(...args), null]
  } catch (error) {
    if (!(error instanceof Error)) throw error
    return [null, error]
  }
}

function settled(result: unknown, failure: Error | null): unknown {
  if (failure !== null) throw failure
  return result
}

function isNothing(method: string, result: unknown): boolean {
  return method === 'lookup' && (result as { contact: unknown }).contact === null
}

function isUnknown(error: Error): boolean {
  return hasCode(error, 'NOT_FOUND')
}

/** The params with whole keys in the place of their ends; null if there is nothing to replace. */
async function withKeys(client: Client, method: string, params: Params): Promise<Params | null> {
  const changed: Record<string, unknown> = { ...params }
  let keys: readonly string[] | null = null
  let isReplaced = false
  const replace = async (value: unknown): Promise<unknown> => {
    const end = typeof value === 'string' ? END.exec(value)?.[1] : undefined
    if (end === undefined) return value
    keys ??= await knownKeys(client, method)
    const key = keyEnding(keys, end)
    isReplaced ||= key !== null
    return key ?? value
  }
  for (const name of NAMES) if (name in params) changed[name] = await replace(params[name])
  for (const name of LISTS) {
    const list = params[name]
    if (Array.isArray(list)) changed[name] = await Promise.all(list.map(replace))
  }
  return isReplaced ? changed : null
}

/** @throws {CliError} AMBIGUOUS */
function keyEnding(keys: readonly string[], end: string): string | null {
  const found = keys.filter((key) => key.endsWith(end.toUpperCase()))
  if (found.length <= 1) return found[0] ?? null
  throw new CliError('AMBIGUOUS', `${keyTail(end)} is the end of more than one key`, { hint: 'give the whole key' })
}

/** Own devices for the calls about the own table; else everybody that is known. */
async function knownKeys(client: Client, method: string): Promise<string[]> {
  if (method.startsWith('device.') || method.startsWith('rotation.')) {
    return (await client.call('device.list')).devices.map(({ key }) => key)
  }
  const keys = new Set<string>()
  for (let after: string | null = null; ;) {
    const page: ContactPage = await client.call('contact.list', {
      blocked: true,
      ...(after === null ? {} : { after }),
    })
    for (const contact of page.contacts) for (const key of keysOf(contact)) keys.add(key)
    if (page.next === null) break
    after = page.next
  }
  const { persona } = await client.call('status')
  return [...keys, ...(persona?.devices.map(({ key }) => key) ?? [])]
}

function keysOf({ personaId, devices, claims, others }: Contact): string[] {
  const ofDevices = [...devices, ...claims, ...others].map(({ key }) => key)
  return personaId === null ? ofDevices : [personaId, ...ofDevices]
}
