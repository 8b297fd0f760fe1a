/** Makes the example of docs/relay.md: each answer is what the boxes gave. `node test/generate/relay-example.ts` writes it; a test compares it. */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { formatHex } from '../../src/core/encoding/bytes.ts'
import { answerQuestion } from '../../src/relay/answer-question.ts'
import { sendRight } from '../../src/relay/send-right.ts'
import type { BoxAnswer } from '../../src/relay/wire.ts'
import { importBoxKeyPair } from '../../src/seal/key-pair.ts'
import { openFrom } from '../../src/seal/seal.ts'
import { START_US, testRelay, TestOwner, type TestRelay } from '../support/relay-boxes.ts'
import { cardExample } from './relay-card-example.ts'
import { objectExample } from './relay-object-example.ts'
import { publicOf, RELAY_ORIGIN, sealedOf, secretOf, wholeOf } from './relay-vectors.ts'

export const RELAY_DOC: string = fileURLToPath(new URL('../../docs/relay.md', import.meta.url))

const STREAM_NAME = 'k3f9zr5pQypV4NRdHhUAmA' // chance; the server of a stream makes its own
const DATA = ['QmxhY2twb29s', 'T25lIG1vcmU', 'QW5kIGFub3RoZXI']
const SECRET = secretOf('alice', 'x25519')

/** Sends requests to one relay and writes each beside its answer. */
class Story {
  readonly relay: TestRelay = testRelay()
  readonly parts: string[] = []
  readonly alice: TestOwner
  /** The plaintext of the last question. */
  plain = ''
  #question = ''
  #questions = 0

  constructor(alice: TestOwner) {
    this.alice = alice
  }

  async ask(sentence: string, body: unknown): Promise<void> {
    const answer = await this.#fixed(await this.relay.ask(body))
    this.parts.push(sentence, block(`curl ${RELAY_ORIGIN}/ -d '${JSON.stringify(body)}'`, JSON.stringify(answer)))
  }

  async wait(sentence: string, pub: string): Promise<void> {
    const [told, plain] = [await this.relay.boxes.check({ pub, at: 0 }, { address: 'stream' }), this.plain]
    const event = { pub, ...(await this.#fixed(told)), ok: undefined }
    const body = JSON.stringify({ boxes: [{ pub, at: 0 }] })
    this.parts.push(
      sentence,
      block(
        `curl -N ${RELAY_ORIGIN}/wait -d '${body}'`,
        ': still here',
        `id: ${STREAM_NAME}`,
        `data: ${JSON.stringify(event)}`,
      ),
    )
    this.plain = plain
  }

  async answer(): Promise<string> {
    return await answerQuestion(this.alice.pair, RELAY_ORIGIN, this.#question, Math.floor(START_US / 1e6))
  }

  /** The answer with its question sealed again under a one-time key that stays the same. */
  async #fixed(answer: BoxAnswer): Promise<BoxAnswer> {
    if (!answer.ok || !('question' in answer)) return answer
    const sealed = Buffer.from(answer.question, 'base64url')
    this.plain = new TextDecoder().decode(await openFrom(this.alice.pair, 'relay-question', new Uint8Array(), sealed))
    this.#question = sealedOf(SECRET, 'x25519', 'relay-question', this.plain, `example ${this.#questions++}`)
    return { ...answer, question: this.#question }
  }
}

function block(...lines: readonly string[]): string {
  return ['```', ...lines, '```'].join('\n')
}

function values(...entries: readonly (readonly [name: string, value: string])[]): string {
  const lines = entries.map(([name, text]) => (text.length > 64 ? `${name}\n    ${text}` : `${name.padEnd(16)}${text}`))
  return block(...lines)
}

async function example(): Promise<string> {
  const story = new Story(await TestOwner.of('alice'))
  const { alice, parts, relay } = story
  parts.push(
    'The box of Alice, and the key of the relay:',
    values(
      ['secret key', formatHex(SECRET)],
      ['pub', alice.pub],
      ['relay key', formatHex(new Uint8Array(32).fill(1))],
      ['time', String(START_US)],
    ),
  )
  await story.ask('Bob sends a message:', alice.send(DATA[0]!))
  await story.ask('Alice finds it, and gets a question:', alice.check())
  parts.push('The question, opened:', block(story.plain))
  const first = await story.answer()
  await story.wait('A stream tells it too:', alice.pub)
  await story.ask('She answers, and receives the message:', alice.receiveBody(first))
  await story.ask('She has processed it, so there is nothing new:', alice.check(START_US))
  await relay.ask(alice.send(DATA[1]!))
  await relay.ask(alice.send(DATA[2]!))
  await story.ask('Two more messages came. She checks with her cursor as text:', {
    ...alice.check(),
    at: String(START_US),
  })
  await story.ask('She receives both:', alice.receiveBody(await story.answer(), START_US, 10))
  await story.ask('She asks for a question although there is nothing new:', alice.check(START_US + 2, true))
  await story.ask('With nothing new, the cursor stays:', alice.receiveBody(await story.answer(), START_US + 2, 10))
  await story.ask('An answer is good once:', alice.receiveBody(first))
  await story.ask('Alice asks again:', alice.check(START_US + 2, true))
  await story.ask('She closes the box:', alice.retireBody(await story.answer()))
  await story.ask('Nobody sends there any more:', alice.send(DATA[0]!))
  await story.ask("The text's own moment is too large:", { ...alice.check(), at: '20221231235959123456' })
  await story.ask('A request with a member that nobody knows:', { ...alice.check(), urgent: true })
  parts.push(
    ...(await otherAnswers(alice)),
    ...(await forms(alice)),
    ...(await cardExample()),
    ...(await objectExample()),
  )
  return parts.join('\n\n')
}

async function otherAnswers(alice: TestOwner): Promise<string[]> {
  const full = testRelay()
  for (let n = 0; n < 8; n++) await full.ask(alice.send(Buffer.of(n, n, n).toString('base64url')))
  const answers = [
    await full.ask(alice.send(DATA[0]!)),
    await full.ask(alice.send('A'.repeat(16_388))),
    await testRelay({ tokens: ['token'] }).ask(alice.send(DATA[0]!)),
  ]
  return [
    'A box that nobody checked is full with 8 messages; a message is too long; a relay asks for a right to send:',
    block(...answers.map((answer) => JSON.stringify(answer))),
  ]
}

async function forms(alice: TestOwner): Promise<string[]> {
  const secret = secretOf('alice', 'p384')
  const whole = wholeOf(secret)
  const { key } = await importBoxKeyPair('p384', secret)
  const spki = Buffer.concat([Buffer.from('3076301006072a8648ce3d020106052b81040022036200', 'hex'), whole])
  return [
    'Three forms of one P-384 key. The first one is canonical:',
    values(
      ['secret key', formatHex(secret)],
      ['49 bytes', publicOf(secret, 'p384').toString('base64url')],
      ['97 bytes', whole.toString('base64url')],
      ['120 bytes', spki.toString('base64url')],
    ),
    'The right to send to each of the two boxes, under the token `token`:',
    values(['X25519', await sendRight('token', alice.pair.key)], ['P-384', await sendRight('token', key)]),
  ]
}

/** The document with its example made anew. @throws when it has no place for it */
export async function withRelayExample(document: string): Promise<string> {
  const [begin, end] = ['<!-- example: made by test/generate/relay-example.ts -->\n', '<!-- end example -->']
  const [from, to] = [document.indexOf(begin), document.indexOf(end)]
  if (from < 0 || to < from) throw new Error('docs/relay.md has no place for the example')
  return `${document.slice(0, from + begin.length)}\n${await example()}\n\n${document.slice(to)}`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(RELAY_DOC, await withRelayExample(readFileSync(RELAY_DOC, 'utf8')))
}
