/** Relays that an app proposes as its inboxes and stores: they stand in `persona pending`, and the owner accepts or rejects them. */
import type { Client } from '../../ipc/client.ts'
import type { CardView } from '../../ipc/methods/cards.ts'
import type { PlacesProposal } from '../../ipc/methods/messages.ts'
import { withDaemon } from '../io/connect.ts'
import { print, tell, type Context } from '../io/context.ts'
import { CliError, EXIT_DONE } from '../io/errors.ts'
import { escapeText } from '../io/escape.ts'
import { askLine, isInteractive } from '../io/prompt.ts'
import { describePlaces, placesLines, type PlacesKind } from '../io/requests.ts'

/** Names the relays in the card that the owner has just seen. An app could propose other ones meanwhile. */
export async function acceptPlaces(context: Context, app: string): Promise<number> {
  const { card, proposed } = await withDaemon(context, async (client) => {
    const proposed = await proposedFor(client, app)
    await agree(context, app, proposed)
    return { card: await namePlaces(client, app, proposed), proposed }
  })
  const kinds = (['inboxes', 'stores'] satisfies PlacesKind[]).filter((kind) => proposed[kind] !== null)
  print(
    context,
    card,
    kinds.map((kind) => describePlaces(kind, card)),
  )
  return EXIT_DONE
}

export async function rejectPlaces(context: Context, app: string): Promise<number> {
  const box = await withDaemon(context, async (client) => {
    await proposedFor(client, app)
    return await client.call('message.propose', { app })
  })
  print(context, box, [`${escapeText(app)}: rejected, nothing has changed; you are not asked about these relays again`])
  return EXIT_DONE
}

/** @throws {CliError} NOTHING_PENDING */
async function proposedFor(client: Client, app: string): Promise<PlacesProposal> {
  const [box] = (await client.call('message.list', { app })).apps
  if (box !== undefined && box.proposed !== null) return box.proposed
  throw new CliError('NOTHING_PENDING', `${escapeText(app)} proposes no relays`, {
    hint: 'list what needs your decision',
  })
}

/** @throws {CliError} USAGE | CANCELLED */
async function agree(context: Context, app: string, proposed: PlacesProposal): Promise<void> {
  const parts = placesLines(app, proposed)
  if (context.json || !isInteractive())
    throw new CliError(
      'USAGE',
      `without a terminal you accept the relays that ${escapeText(app)} proposes by their names`,
      {
        hint: `run: ${parts.map(({ command }) => command).join('; ')}`,
      },
    )
  tell(`${parts.map(({ title }) => title).join('\n')}\n`)
  const answer = await askLine('Accept it? [y/N] ')
  if (!/^y(es)?$/i.test(answer.trim())) throw new CliError('CANCELLED', 'not accepted: the proposal still waits')
}

async function namePlaces(client: Client, app: string, { inboxes, stores }: PlacesProposal): Promise<CardView> {
  const named = inboxes === null ? null : await client.call('card.inboxes', { app, inboxes })
  // A proposal names inboxes or stores, or both.
  return stores === null ? named! : await client.call('card.stores', { app, stores })
}
