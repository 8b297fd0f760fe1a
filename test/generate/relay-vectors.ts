/** Vectors of questions and rights to send (docs/relay.md). `node test/generate/relay-vectors.ts` writes test/vectors/relay. */
import { createHash, createPrivateKey, createPublicKey, ECDH } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { formatBase64url } from '../../src/core/encoding/bytes.ts'
import { answerQuestion } from '../../src/relay/answer-question.ts'
import { RelayError, type RelayErrorCode } from '../../src/relay/errors.ts'
import { sendRight } from '../../src/relay/send-right.ts'
import { parseBoxKey, type BoxSuite } from '../../src/seal/box-key.ts'
import { importBoxKeyPair } from '../../src/seal/key-pair.ts'
import { labelBytes, type SealLabel } from '../../src/seal/labels.ts'
import { ORACLE_SUITES, oracleSeal } from '../support/hpke-oracle.ts'

export interface QuestionVector {
  readonly kind: 'question'
  readonly name: string
  readonly comment: string
  readonly suite: BoxSuite
  /** The secret key of the box, in base64url. */
  readonly secret: string
  /** The origin of the address that the client called. */
  readonly origin: string
  readonly nowSec: number
  readonly question: string
  readonly expect: { readonly answer: string } | { readonly code: RelayErrorCode }
}

export interface RightVector {
  readonly kind: 'right'
  readonly name: string
  readonly comment: string
  readonly token: string
  readonly pub: string
  readonly expect: { readonly ext: string }
}

export type RelayVector = QuestionVector | RightVector

export const RELAY_VECTORS_DIR: string = fileURLToPath(new URL('../vectors/relay/', import.meta.url))
export const RELAY_ORIGIN = 'https://relay.example'
export const NOW_SEC = 1_700_000_000

/** A secret key for a name: a hash of it. */
export function secretOf(name: string, suite: BoxSuite): Uint8Array {
  return suite === 'x25519'
    ? createHash('sha256').update(`box ${name}`).digest()
    : createHash('sha384').update(`box ${name}`).digest().fill(1, 0, 1)
}

/** The canonical public key of such a secret, by OpenSSL. */
export function publicOf(secret: Uint8Array, suite: BoxSuite): Buffer {
  if (suite === 'p384')
    return ECDH.convertKey(wholeOf(secret), 'secp384r1', undefined, undefined, 'compressed') as Buffer
  const der = Buffer.concat([Buffer.from('302e020100300506032b656e04220420', 'hex'), secret])
  const key = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }))
  return key.export({ format: 'der', type: 'spki' }).subarray(-32)
}

/** The uncompressed P-384 key of a secret. */
export function wholeOf(secret: Uint8Array): Buffer {
  const der = Buffer.concat([
    Buffer.from('304e020100301006072a8648ce3d020106052b8104002204373035020101', 'hex'),
    Buffer.from('0430', 'hex'),
    secret,
  ])
  const key = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }))
  return key.export({ format: 'der', type: 'spki' }).subarray(-97)
}

/** Seals as the relay does, with a one-time key that is a hash too. @returns base64url */
export function sealedOf(secret: Uint8Array, suite: BoxSuite, label: SealLabel, text: string, oneTime: string): string {
  const receiver = suite === 'p384' ? wholeOf(secret) : publicOf(secret, suite)
  const seal = oracleSeal(ORACLE_SUITES[suite], secretOf(oneTime, suite), receiver, labelBytes(label))
  return formatBase64url(Buffer.concat([seal.enc, seal.seal(0, new Uint8Array(), Buffer.from(text))]))
}

const MEMBERS = {
  origin: RELAY_ORIGIN,
  exp: NOW_SEC + 60,
  nonce: formatBase64url(createHash('sha256').update('nonce').digest().subarray(0, 16)),
  answer: formatBase64url(createHash('sha256').update('answer').digest()),
}

interface Case {
  readonly name: string
  readonly comment: string
  readonly suite?: BoxSuite
  /** The plaintext, from that of a good question. */
  readonly text?: (good: Record<string, unknown>) => unknown
  readonly label?: SealLabel
  readonly origin?: string
  readonly code?: RelayErrorCode
}

const CASES: readonly Case[] = [
  { name: 'good', comment: 'a question to a key of X25519' },
  { name: 'good-p384', comment: 'a question to a key of P-384', suite: 'p384' },
  {
    name: 'good-last-second',
    comment: 'the question ends in one second',
    text: (good) => ({ ...good, exp: NOW_SEC + 1 }),
  },
  {
    name: 'good-two-minutes',
    comment: 'the question ends in two minutes',
    text: (good) => ({ ...good, exp: NOW_SEC + 120 }),
  },
  {
    name: 'message',
    comment: 'a message for the owner of the box, given out as a question',
    label: 'channel-m1',
    text: () => 'the secret of Bob',
    code: 'QUESTION_CLOSED',
  },
  {
    name: 'other-origin',
    comment: 'a hostile relay hands on the question of another one',
    origin: 'https://hostile.example',
    code: 'QUESTION_ORIGIN',
  },
  {
    name: 'other-scheme',
    comment: 'the same host without TLS',
    origin: 'http://relay.example',
    code: 'QUESTION_ORIGIN',
  },
  {
    name: 'other-port',
    comment: 'another server of the same host',
    origin: `${RELAY_ORIGIN}:8443`,
    code: 'QUESTION_ORIGIN',
  },
  {
    name: 'other-key',
    comment: 'the question is about the box of somebody else',
    text: (good) => ({ ...good, pub: formatBase64url(publicOf(secretOf('bob', 'x25519'), 'x25519')) }),
    code: 'QUESTION_KEY',
  },
  {
    name: 'late',
    comment: 'the question ends now',
    text: (good) => ({ ...good, exp: NOW_SEC }),
    code: 'QUESTION_TIME',
  },
  {
    name: 'early',
    comment: 'the question ends in more than two minutes',
    text: (good) => ({ ...good, exp: NOW_SEC + 121 }),
    code: 'QUESTION_TIME',
  },
  {
    name: 'exp-as-text',
    comment: 'exp is a text',
    text: (good) => ({ ...good, exp: String(NOW_SEC + 60) }),
    code: 'QUESTION_FORM',
  },
  {
    name: 'short-nonce',
    comment: 'the nonce has 15 bytes',
    text: (good) => ({ ...good, nonce: 'A'.repeat(20) }),
    code: 'QUESTION_FORM',
  },
  {
    name: 'long-answer',
    comment: 'the answer has 33 bytes',
    text: (good) => ({ ...good, answer: 'A'.repeat(44) }),
    code: 'QUESTION_FORM',
  },
  { name: 'more-members', comment: 'a member more', text: (good) => ({ ...good, more: 1 }), code: 'QUESTION_FORM' },
  { name: 'no-json', comment: 'a text under the label of questions', text: () => 'a secret', code: 'QUESTION_FORM' },
]

function questionVector({ name, comment, suite = 'x25519', label = 'relay-question', ...rest }: Case): QuestionVector {
  const secret = secretOf('alice', suite)
  const { origin, ...end } = MEMBERS
  const good = { origin, pub: formatBase64url(publicOf(secret, suite)), ...end }
  const plain = rest.text?.(good) ?? good
  const exp = typeof plain === 'object' && 'exp' in plain ? String(plain.exp) : end.exp
  return {
    kind: 'question',
    name,
    comment,
    suite,
    secret: formatBase64url(secret),
    origin: rest.origin ?? RELAY_ORIGIN,
    nowSec: NOW_SEC,
    question: sealedOf(
      secret,
      suite,
      label,
      typeof plain === 'string' ? plain : JSON.stringify(plain),
      `one-time ${name}`,
    ),
    expect: rest.code === undefined ? { answer: `${end.nonce}.${exp}.${end.answer}` } : { code: rest.code },
  }
}

const RIGHTS: readonly (readonly [name: string, comment: string, suite: BoxSuite, token: string, ext: string])[] = [
  ['x25519', 'a right for a box of X25519', 'x25519', 'token', 'VkVlqZzg_C_j7Gu9F5aFuA'],
  ['p384', 'a right for a box of P-384, over its canonical key', 'p384', 'token', 'EX6_T0PfGA1VsajYk_wKgQ'],
  ['utf-8', 'a token beyond ASCII', 'x25519', 'Schlüssel', 'Q3ywXIGZFxiNU2ooM1wN4Q'],
]

/** Every vector by its file name. */
export function relayVectors(): Map<string, RelayVector> {
  const rights = RIGHTS.map(([name, comment, suite, token, ext]): RightVector => {
    const pub = formatBase64url(publicOf(secretOf('alice', suite), suite))
    return { kind: 'right', name, comment, token, pub, expect: { ext } }
  })
  return new Map(
    [...CASES.map(questionVector), ...rights].map((vector) => [`${vector.kind}-${vector.name}.json`, vector]),
  )
}

/** The result of the code under test. */
export async function judgeRelay(vector: RelayVector): Promise<RelayVector['expect']> {
  if (vector.kind === 'right') return { ext: await sendRight(vector.token, parseBoxKey(vector.pub)) }
  const pair = await importBoxKeyPair(vector.suite, Buffer.from(vector.secret, 'base64url'))
  try {
    return { answer: await answerQuestion(pair, vector.origin, vector.question, vector.nowSec) }
  } catch (error) {
    if (error instanceof RelayError) return { code: error.code }
    throw error
  }
}

export function formatRelayVector(vector: RelayVector): string {
  return `${JSON.stringify(vector, null, 2)}\n`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(RELAY_VECTORS_DIR, { recursive: true })
  for (const file of readdirSync(RELAY_VECTORS_DIR)) rmSync(RELAY_VECTORS_DIR + file)
  const vectors = relayVectors()
  for (const [file, vector] of vectors) writeFileSync(RELAY_VECTORS_DIR + file, formatRelayVector(vector))
  console.log(`${vectors.size} vectors`)
}
