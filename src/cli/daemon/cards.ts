/** `persona app cards`, `app rejoin`, `app inbox` and `app store`: the cards by which apps of others know your devices. */
import type { CardState, CardView } from '../../ipc/methods/cards.ts'
import { withDaemon } from '../io/connect.ts'
import { print, type Context } from '../io/context.ts'
import { CliError, EXIT_DONE } from '../io/errors.ts'
import { escapeText } from '../io/escape.ts'
import { formatTable, formatTime } from '../io/layout.ts'
import { nextStep } from '../io/next-steps.ts'
import { describePlaces, type PlacesKind } from '../io/requests.ts'
import { bold } from '../io/style.ts'

const STATES: Readonly<Record<CardState, string>> = {
  listed: 'good',
  waits: 'waits to be signed',
  'taken-out': 'somebody took this device out',
  full: 'has no room for this device',
  elsewhere: 'used on other devices only',
}

export async function cards(context: Context): Promise<number> {
  const listed = await withDaemon(context, (client) => client.call('card.list'))
  print(context, listed, formatCards(listed.cards, context.nowSec))
  return EXIT_DONE
}

export function formatCards(views: readonly CardView[], nowSec: number): string[] {
  if (views.length === 0) return ['your persona has no card: an app makes one when it shows your persona to somebody']
  const rows = views.map(({ app, state, devices, stores, inboxes, expiresAtSec }) => [
    app,
    STATES[state],
    devices.map(deviceName).join(', ') || 'none',
    formatTime(expiresAtSec, nowSec),
    stores.join(' ') || 'nowhere',
    inboxes.join(' ') || 'none',
  ])
  const [headings, ...lines] = formatTable(['APP', 'CARD', 'DEVICES', 'UNTIL', 'LIES AT', 'INBOXES'], rows)
  const steps = views.flatMap(({ app, state }) => (state === 'taken-out' ? [nextStep('CARD_TAKEN_OUT', { app })] : []))
  return [bold(headings!), ...lines, ...steps.filter((step) => step !== null)]
}

/** A mark for what a rotation here would leave out. */
function deviceName({ device, here, approved }: CardView['devices'][number]): string {
  const name = device === null ? 'an unknown device' : escapeText(device)
  return here ? `${name} (this one)` : approved ? name : `${name} (not approved here)`
}

export async function rejoin(context: Context, app: string): Promise<number> {
  const card = await withDaemon(context, (client) => client.call('card.rejoin', { app }))
  print(context, card, [`your card for ${card.app} lists this device again`])
  return EXIT_DONE
}

export interface PlacesOptions {
  readonly none?: boolean
}

/** Names the inboxes or the stores of an app, or shows them where no address is given. */
export async function places(
  context: Context,
  kind: PlacesKind,
  { app, urls }: { readonly app: string; readonly urls: readonly string[] },
  { none = false }: PlacesOptions,
): Promise<number> {
  if (none && urls.length > 0)
    throw new CliError('USAGE', 'an address and --none exclude each other', { hint: 'leave one of them out' })
  const isShown = !none && urls.length === 0
  const card = await withDaemon(context, async (client) => {
    if (isShown) return cardOf(app, (await client.call('card.list')).cards)
    if (kind === 'inboxes') return await client.call('card.inboxes', { app, inboxes: [...urls] })
    return await client.call('card.stores', { app, stores: [...urls] })
  })
  print(context, card, [describePlaces(kind, card)])
  return EXIT_DONE
}

function cardOf(app: string, views: readonly CardView[]): CardView {
  const card = views.find((view) => view.app === app)
  if (card === undefined) throw new CliError('CARD_NONE', `your persona has no card for ${escapeText(app)}`)
  return card
}
