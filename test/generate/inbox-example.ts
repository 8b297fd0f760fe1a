/** Makes the example of docs/inbox.md: each answer is what the inboxes gave. `node test/generate/inbox-example.ts` writes it; a test compares it. */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { cardAt } from '../../src/card/place.ts'
import type { DeviceToken } from '../../src/card/token.ts'
import { formatHex } from '../../src/core/encoding/bytes.ts'
import { formatInboxPath, type InboxPath } from '../../src/relay/paths/inbox-path.ts'
import { answerInbox } from '../../src/relayd/http/inbox-answers.ts'
import { APP, makeToken, signedCard, verifiedCard } from '../support/cards.ts'
import { makePersona, NOW_SEC, sodium, type MadePersona } from '../support/made-persona.ts'
import { CARDS_URL, testCards, type TestCards } from '../support/relay-cards.ts'

export const INBOX_DOC: string = fileURLToPath(new URL('../../docs/inbox.md', import.meta.url))

const [alice, bob, carol] = [makePersona(1), makePersona(2), makePersona(3)]
const TOKEN = 'token'
const CALLER = { address: 'example' }
const idOf = ({ positions }: MadePersona): string => formatHex(positions[0]!.personaId)

interface Asked {
  readonly by: MadePersona
  readonly device?: number
  readonly part?: Exclude<InboxPath['part'], 'events'>
  readonly query?: string
  readonly body?: object
  readonly token?: Partial<DeviceToken>
}

/** Sends requests to Bob's inbox at one relay, and writes each beside its answer. */
class Story {
  readonly relay: TestCards = testCards({ tokens: [TOKEN], inbox: { maxOfStranger: 2 } })
  readonly parts: string[] = []

  async putCard(
    persona: MadePersona,
    token: string | null,
    devices: readonly number[] = [1, 2],
    seq = 1,
  ): Promise<void> {
    const { root, chain } = verifiedCard(persona)
    const place = { at: cardAt(root, chain.personaId, APP, sodium) }
    await this.relay.cards.put(place, signedCard(persona, { devices, seq }), token, CALLER)
  }

  async ask(sentence: string, asked: Asked): Promise<Record<string, unknown>> {
    const { method, path, text, status, answer } = await this.#send(asked)
    const [address, data] = method === 'GET' ? [`'${CARDS_URL}${path}'`, ''] : [CARDS_URL + path, ` -d '${text}'`]
    const bearer = asked.by === bob ? '$B' : '$A'
    this.parts.push(
      sentence,
      block(`curl ${address} -H "Authorization: Bearer ${bearer}"${data}`, `HTTP ${status}`, answer),
    )
    return JSON.parse(answer) as Record<string, unknown>
  }

  /** The answer to a request, as one line. */
  async line(asked: Asked): Promise<string> {
    const { status, answer } = await this.#send(asked)
    return `HTTP ${status} ${answer}`
  }

  async #send({ by, device = 1, part = 'entries', query = '', body, token = {} }: Asked): Promise<Sent> {
    const path = `/${formatInboxPath({ persona: idOf(bob), part })}${query}`
    const text = body === undefined ? '' : JSON.stringify({ app: APP, ...body })
    const method = body === undefined ? 'GET' : 'POST'
    const to = part === 'entries' && method === 'POST' ? bob.positions[0]!.personaId : null
    const bearer = makeToken(by, text, { origin: CARDS_URL, path, method, to, ...token }, device)
    const request = { persona: idOf(bob), part, method, path, body: text, bearer, ...CALLER }
    const { answer } = await answerInbox(part, this.relay.inboxes, request)
    return { method, path, text, status: answer.status, answer: answer.body.trim() }
  }
}

interface Sent {
  readonly method: string
  readonly path: string
  readonly text: string
  readonly status: number
  readonly answer: string
}

function block(...lines: readonly string[]): string {
  return ['```', ...lines, '```'].join('\n')
}

async function example(): Promise<string> {
  const story = new Story()
  const { parts } = story
  await story.putCard(alice, null)
  await story.putCard(bob, TOKEN)
  const [post, list] = [
    { by: alice, body: { encId: 'QmxhY2twb29s' } },
    { by: bob, query: `?app=${APP}` },
  ]
  parts.push(
    'The claims of the first token:',
    block(claimsOf(makeToken(alice, JSON.stringify({ app: APP, ...post.body }), tokenOfPost()))),
  )
  await story.ask('Alice leaves an entry for Bob:', post)
  await story.ask('Her answer got lost, so she asks again:', post)
  const { entries } = (await story.ask('Bob finds it on his laptop:', list)) as { entries: { n: number }[] }
  const ack = { by: bob, part: 'ack', body: { n: [entries[0]!.n] } } as const
  await story.ask('His laptop has fetched the message:', ack)
  await story.ask('So his laptop finds nothing new:', list)
  await story.ask('His phone finds it still, and acknowledges it. Then it is gone:', { ...list, device: 2 })
  await story.ask('', { ...ack, device: 2 })
  await story.ask('Bob allows Alice and takes little from strangers:', {
    by: bob,
    part: 'senders',
    body: { allow: [idOf(alice)], block: [idOf(carol)], strangers: 10 },
  })
  parts.splice(parts.indexOf(''), 1)
  parts.push(
    'Refusals: a token of another relay, of another time, of a device that the card does not list, and of somebody without a card;',
    block(...(await refusals(story, post))),
  )
  parts.push(
    'a stranger who has left enough, strangers who are not wanted, an inbox that is not there, and a body of another form:',
    block(...(await roomRefusals())),
  )
  return parts.join('\n\n')
}

function tokenOfPost(): Partial<DeviceToken> & Pick<DeviceToken, 'origin' | 'path'> {
  const path = `/${formatInboxPath({ persona: idOf(bob), part: 'entries' })}`
  return { origin: CARDS_URL, path, method: 'POST', to: bob.positions[0]!.personaId }
}

function claimsOf(token: string): string {
  return Buffer.from(token.split('.')[1]!, 'base64url').toString('utf8')
}

async function refusals(story: Story, post: Asked): Promise<string[]> {
  return [
    await story.line({ ...post, token: { origin: 'https://other.example' } }),
    await story.line({ ...post, token: { issuedAtSec: NOW_SEC - 3600, expiresAtSec: NOW_SEC - 3480 } }),
    await story.line({ ...post, device: 3 }),
    await story.line({ ...post, by: carol }),
  ]
}

async function roomRefusals(): Promise<string[]> {
  const story = new Story()
  await story.putCard(alice, null)
  const post = (encId: string): Promise<string> => story.line({ by: alice, body: { encId } })
  const absent = await post('AAAA')
  await story.putCard(bob, TOKEN)
  await post('AAAA')
  await post('BBBB')
  const full = await post('CCCC')
  await story.line({ by: bob, part: 'senders', body: { strangers: 0 } })
  return [full, await post('CCCC'), absent, await story.line({ by: alice, body: { encId: 'AAAA', urgent: true } })]
}

/** The document with its example made anew. @throws when it has no place for it */
export async function withInboxExample(document: string): Promise<string> {
  const [begin, end] = ['<!-- example: made by test/generate/inbox-example.ts -->\n', '<!-- end example -->']
  const [from, to] = [document.indexOf(begin), document.indexOf(end)]
  if (from < 0 || to < from) throw new Error('docs/inbox.md has no place for the example')
  return `${document.slice(0, from + begin.length)}\n${await example()}\n\n${document.slice(to)}`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(INBOX_DOC, await withInboxExample(readFileSync(INBOX_DOC, 'utf8')))
}
