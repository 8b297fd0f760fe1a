/** `persona app cards`, `app rejoin` and `app store`: the cards by which apps of others know your devices. */
import type { CardState, CardView } from '../../ipc/methods/cards.ts'
import { withDaemon } from '../io/connect.ts'
import { print, type Context } from '../io/context.ts'
import { EXIT_DONE } from '../io/errors.ts'
import { escapeText } from '../io/escape.ts'
import { formatTable, formatTime } from '../io/layout.ts'
import { nextStep } from '../io/next-steps.ts'
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
  const rows = views.map(({ app, state, devices, stores, expiresAtSec }) => [
    app,
    STATES[state],
    devices.map(deviceName).join(', ') || 'none',
    formatTime(expiresAtSec, nowSec),
    stores.join(' ') || 'nowhere',
  ])
  const [headings, ...lines] = formatTable(['APP', 'CARD', 'DEVICES', 'UNTIL', 'LIES AT'], rows)
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

export async function store(context: Context, app: string, stores: readonly string[]): Promise<number> {
  const card = await withDaemon(context, (client) => client.call('card.stores', { app, stores: [...stores] }))
  const where =
    card.stores.length === 0 ? 'at no relay: peers get it by channels alone' : `at ${card.stores.join(', ')}`
  print(context, card, [`your card for ${card.app} lies ${where}`])
  return EXIT_DONE
}
