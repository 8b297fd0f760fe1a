/** `persona channel invite`: makes an invite, and shows it as a line and as a QR code. */
import type { Client } from '../../ipc/client.ts'
import type { InviteResult } from '../../ipc/methods/channels.ts'
import { withDaemon } from '../io/connect.ts'
import { print, printText, remark, type Context } from '../io/context.ts'
import { EXIT_DONE } from '../io/errors.ts'
import { formatTime } from '../io/layout.ts'
import { personaOf } from '../io/personas.ts'
import { showsPictures } from '../io/style.ts'
import { parseTimeSpan } from '../io/time-span.ts'
import { acceptCommand, checkFree, HAND_APP, listAll } from './find.ts'
import { printMet, stillWaiting, waitForMeeting, type Look } from './met.ts'
import { describeWays } from './states.ts'

/** How the own side of a channel shows itself. */
export interface ShownOptions {
  readonly app?: string
  /** The own name that the other side sees. */
  readonly as?: string
  /** False: show no persona. */
  readonly persona?: boolean
  /** Carriers. */
  readonly over?: string[]
  /** Whether the channel may use the direct way. */
  readonly direct?: true
}

export interface InviteOptions extends ShownOptions {
  readonly expires?: string
  /** A contact or a PersonaID that alone may use it. */
  readonly for?: string
  readonly qr?: string
  readonly wait?: true
}

const DRAWN_LEVEL = 'L' // an invite is long: with less correction its code fits on 80 columns

export async function invite(context: Context, name: string | undefined, options: InviteOptions): Promise<number> {
  const expiresSec = parseTimeSpan(options.expires)
  return await withDaemon(context, async (client) => {
    const app = options.app ?? HAND_APP
    if (name !== undefined) await checkFree(client, name, app)
    const alone =
      options.for === undefined ? null : await personaOf(client, options.for, 'no invite can be for them alone')
    const made = await client.call('channel.invite', {
      ...shownParams(options),
      ...(name === undefined ? {} : { name }),
      ...(alone === null ? {} : { for: alone }),
      ...(expiresSec === null ? {} : { expiresSec }),
    })
    await showInvite(context, made, options)
    return options.wait === true ? await follow(context, client, made) : EXIT_DONE
  })
}

/** The params that an invite and its answer have in common. */
export function shownParams({ app, as, persona, over, direct }: ShownOptions): {
  app: string
  as?: string
  persona?: boolean
  over?: string[]
  direct?: true
} {
  return {
    app: app ?? HAND_APP,
    ...(as === undefined ? {} : { as }),
    ...(persona === false ? { persona } : {}),
    ...(over === undefined ? {} : { over }),
    ...(direct === undefined ? {} : { direct }),
  }
}

async function showInvite(context: Context, made: InviteResult, { qr, wait }: InviteOptions): Promise<void> {
  if (qr !== undefined) await (await import('../io/qr.ts')).writeQr(made.invite, qr)
  if (!process.stdout.isTTY) printText(context, made, made.invite)
  else print(context, made, [...(await drawn(context, made.invite)), made.invite, ''])
  const until = formatTime(made.expiresAtSec, context.nowSec)
  remark(context, `good for one person, until ${until}, ${describeWays(made.where)}`)
  remark(context, `send this line to nobody else; the other side runs: ${acceptCommand(made.app)}`)
  if (wait === true) remark(context, 'waiting until somebody uses it; Ctrl-C stops only the waiting')
}

async function drawn(context: Context, text: string): Promise<string[]> {
  if (context.json || !showsPictures()) return []
  const { drawQr } = await import('../io/qr.ts')
  const code = drawQr(text, process.stdout.columns, DRAWN_LEVEL)
  return code === null ? [] : [...code, '']
}

/** The channel of this invite is the first new one of its app under its name. */
async function follow(context: Context, client: Client, made: InviteResult): Promise<number> {
  const { app } = made
  const before = await listAll(client, { app })
  const name = before.invites.find(({ id }) => id === made.id)?.name
  const known = new Set(name === undefined ? [] : before.channels.map(({ id }) => id))
  const look: Look = async () => {
    const { channels } = await listAll(client, { app })
    const isNew = ({ id, role }: (typeof channels)[number]): boolean => role === 'host' && !known.has(id)
    return channels.find((channel) => isNew(channel) && (name === undefined || channel.name === name)) ?? null
  }
  const channel = await waitForMeeting(context, client, app, look)
  if (channel === null) throw stillWaiting(name ?? null)
  return printMet(context, channel)
}
