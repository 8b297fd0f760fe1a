/** Bodies and queries of calls of an inbox, read strictly: a member that is not understood may be a condition (docs/inbox.md). */
import { isAppName } from '../../core/encoding/app-name.ts'
import { isBase64url } from '../../core/encoding/bytes.ts'
import type { RelayLimits } from '../../relay/limits.ts'
import type { SenderRules } from '../store/inbox-store.ts'

const PERSONA = /^[0-9A-F]{64}$/
const NUMBER = /^(0|[1-9][0-9]{0,15})$/ // format: 2^53 has 16 digits

type Body = Readonly<Record<string, unknown>>
type Read<Value> = (Value & { readonly app: string }) | null

/** @returns null for any other body */
export function readPost(body: string): Read<{ readonly encId: string }> {
  const members = readBody(body, ['app', 'encId'])
  const encId = members?.['encId']
  return members === null || typeof encId !== 'string' || encId === '' || !isBase64url(encId)
    ? null
    : { app: members.app, encId }
}

/** @returns null for any other body */
export function readAck(body: string, { maxList }: RelayLimits): Read<{ readonly numbers: readonly number[] }> {
  const members = readBody(body, ['app', 'n'])
  const numbers = members?.['n']
  if (members === null || !Array.isArray(numbers) || numbers.length === 0 || numbers.length > maxList) return null
  return numbers.every(isCount) ? { app: members.app, numbers } : null
}

/** @returns null for any other body */
export function readSenders(body: string): Read<{ readonly rules: SenderRules }> {
  const members = readBody(body, ['app', 'allow', 'block', 'forget', 'strangers'])
  if (members === null) return null
  const [allow, block, forget] = ['allow', 'block', 'forget'].map((name) => readPersonas(members[name] ?? []))
  const { strangers = null } = members
  if (!allow || !block || !forget || (strangers !== null && !isCount(strangers))) return null
  const named = [...allow, ...block, ...forget]
  // Nobody is two of them: which one counts would be a guess.
  return new Set(named).size === named.length ? { app: members.app, rules: { allow, block, forget, strangers } } : null
}

/** The query of a list or of a stream. A list is at most as long as the relay allows. @returns null for any other */
export function readQuery(
  path: string,
  { maxList }: RelayLimits,
): Read<{ readonly after: number; readonly limit: number }> {
  const start = path.indexOf('?')
  const query = new URLSearchParams(start < 0 ? '' : path.slice(start))
  const names = [...query.keys()]
  const isKnown =
    names.every((name) => ['app', 'after', 'limit'].includes(name)) && new Set(names).size === names.length
  const [app, after, limit] = [query.get('app') ?? '', query.get('after') ?? '0', query.get('limit') ?? String(maxList)]
  if (!isKnown || !isAppName(app) || !NUMBER.test(after) || !NUMBER.test(limit)) return null
  if (!isCount(Number(after)) || Number(limit) === 0) return null
  return { app, after: Number(after), limit: Math.min(Number(limit), maxList) }
}

function readBody(text: string, names: readonly string[]): (Body & { readonly app: string }) | null {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
  const { app } = value as Body
  if (!Object.keys(value).every((name) => names.includes(name)) || typeof app !== 'string' || !isAppName(app))
    return null
  return { ...value, app }
}

function readPersonas(value: unknown): readonly string[] | null {
  if (!Array.isArray(value)) return null
  return value.every((each): each is string => typeof each === 'string' && PERSONA.test(each)) ? value : null
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && !Object.is(value, -0)
}
