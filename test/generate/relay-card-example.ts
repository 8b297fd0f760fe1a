/** Makes the part of the example of docs/relay.md that is about cards. */
import { cardAt } from '../../src/card/place.ts'
import { verifyCard } from '../../src/card/verify.ts'
import { cardPath, type CardPlace } from '../../src/relay/paths/card-place.ts'
import { answerToGet, answerToPut } from '../../src/relayd/http/card-answers.ts'
import { signedCard } from '../support/cards.ts'
import { makePersona, sodium } from '../support/made-persona.ts'
import { START_US } from '../support/relay-boxes.ts'
import { testCards } from '../support/relay-cards.ts'
import { RELAY_ORIGIN } from './relay-vectors.ts'

const CALLER = { address: 'example' }
const TOKEN = 'token'

export async function cardExample(): Promise<string[]> {
  const issuedAtSec = Math.floor(START_US / 1e6)
  const persona = makePersona(1)
  const wishes = { issuedAtSec, devices: [1], inboxes: [], stores: [`${RELAY_ORIGIN}/`] }
  const [first, second] = [signedCard(persona, wishes), signedCard(persona, { ...wishes, seq: 2 })]
  const { root, chain, app } = verifyCard(first, sodium)
  const place = { at: cardAt(root, chain.personaId, app, sodium) }
  const relay = testCards({ tokens: [TOKEN] })
  relay.nowSec = issuedAtSec
  const put = async (card: string, token: string | null = null): Promise<string> => {
    const { status, body } = answerToPut(await relay.cards.put(place, card, token, CALLER))
    const header = token === null ? '' : ` -H 'Authorization: Bearer ${token}'`
    return block(`curl ${url(place)} -X PUT${header} -d '${card}'`, `HTTP ${status}`, body.trim())
  }
  const get = async (): Promise<string> => {
    const { status, body } = answerToGet(await relay.cards.get(place, CALLER))
    return block(`curl ${url(place)}`, `HTTP ${status}`, body.trim())
  }
  return [
    'A persona keeps a card at the relay, with a token of its operator:',
    await put(first, TOKEN),
    'A friend, who can compute the place, fetches it:',
    await get(),
    'A device puts a later one. Another device, which had not seen that, is told of it:',
    await put(second, TOKEN),
    await put(first, TOKEN),
    'A token is none of the relay; a card stands at the wrong place; a card is cut:',
    await put(second, 'another'),
    block(...(await refusals())),
  ]

  async function refusals(): Promise<string[]> {
    const elsewhere = { at: 'AAAAAAAAAAAAAAAAAAAAAA' }
    const answers = [
      answerToPut(await relay.cards.put(elsewhere, first, null, CALLER)),
      answerToPut(await relay.cards.put(place, first.slice(0, -1), null, CALLER)),
    ]
    return answers.map(({ status, body }) => `HTTP ${status} ${body.trim()}`)
  }
}

function url(place: CardPlace): string {
  return `${RELAY_ORIGIN}/${cardPath(place)}`
}

function block(...lines: readonly string[]): string {
  return ['```', ...lines, '```'].join('\n')
}
