/** `persona relay ...`: the relays where the owner receives. */
import type { RelayAbout, RelayView } from '../../ipc/methods/relays.ts'
import { withDaemon } from '../io/connect.ts'
import { print, type Context } from '../io/context.ts'
import { EXIT_DONE } from '../io/errors.ts'
import { escapeText } from '../io/escape.ts'
import { readTokenFile } from '../io/input.ts'
import { formatTable } from '../io/layout.ts'
import { bold } from '../io/style.ts'

const MAX_AHEAD_SEC = 60 // format: a question of a relay is good for so long

export interface AddRelayOptions {
  readonly tokenFile?: string
  readonly force?: true
}

export async function list(context: Context): Promise<number> {
  const result = await withDaemon(context, (client) => client.call('relay.list'))
  print(context, result, formatRelays(result.relays))
  return EXIT_DONE
}

export function formatRelays(relays: readonly RelayView[]): string[] {
  if (relays.length === 0) return ['you have no relay; to receive at one: persona relay add URL']
  const rows = relays.map(({ url, hasToken, from }) => [
    url,
    hasToken ? 'yes' : 'no',
    from === 'added' ? 'added' : 'net.relays',
  ])
  const [headings, ...lines] = formatTable(['RELAY', 'TOKEN', 'FROM'], rows)
  return [bold(headings!), ...lines]
}

export async function add(context: Context, url: string, { tokenFile, force }: AddRelayOptions): Promise<number> {
  const token = tokenFile === undefined ? undefined : await readTokenFile(tokenFile)
  const result = await withDaemon(context, (client) =>
    client.call('relay.add', {
      url,
      ...(token === undefined ? {} : { token }),
      ...(force === undefined ? {} : { force }),
    }),
  )
  const { relay, about } = result
  print(context, result, [
    `you receive at ${escapeText(relay.url)} from now on${relay.hasToken ? ', with a token' : ''}`,
    ...(about === null ? ['it did not work as a relay just now; to try it again: persona doctor'] : formatAbout(about)),
  ])
  return EXIT_DONE
}

export function formatAbout({ software, operator, terms, price, aheadSec }: RelayAbout): string[] {
  const whose = operator === '' ? 'its operator gives no name' : `its operator is ${escapeText(operator)}`
  const what = software === null ? 'it does not tell its limits and terms' : `it is ${escapeText(software)}; ${whose}`
  return [
    `  ${what}`,
    ...(terms === '' ? [] : [`  terms: ${escapeText(terms)}`]),
    ...(price === '' ? [] : [`  price: ${escapeText(price)}`]),
    ...(aheadSec === null || Math.abs(aheadSec) <= MAX_AHEAD_SEC
      ? []
      : [`  its clock and that of this computer are ${Math.abs(aheadSec)} s apart: see which one is wrong`]),
  ]
}

export async function remove(context: Context, url: string): Promise<number> {
  const result = await withDaemon(context, (client) => client.call('relay.remove', { url }))
  print(context, result, [
    `you receive at ${escapeText(url)} no more; channels that use it go on`,
    ...formatRelays(result.relays),
  ])
  return EXIT_DONE
}
