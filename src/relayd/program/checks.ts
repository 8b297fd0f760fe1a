/** What `check` looks at, in the order in which an operator would look. */
import { randomBytes } from 'node:crypto'
import { formatBase64url } from '../../core/encoding/bytes.ts'
import { answerQuestion } from '../../relay/answer-question.ts'
import { sendRight } from '../../relay/send-right.ts'
import { formatBoxKey, type BoxSuite } from '../../seal/box-key.ts'
import { generateBoxKeyPair, type BoxKeyPair } from '../../seal/key-pair.ts'
import { checkCard } from './check-card.ts'
import { checkInbox } from './check-inbox.ts'
import { checkObject } from './check-object.ts'
import { Failure, type Check, type CheckedRelay, type Info } from './checked-relay.ts'

const MAX_CLOCK_SEC = 30 // sanity: questions live 60 s, and an app takes those of up to 120 s ahead
const MIN_CERTIFICATE_DAYS = 7 // sanity: whatever renews it has had three weeks
const EVENT_MS = 10_000 // sanity: an event of /wait takes some milliseconds and the way there; a proxy that collects takes longer
const DAY_MS = 86_400_000
const ORIGIN = 'https://app.example'

export const ALL_CHECKS: readonly Check[] = [
  { name: 'info', isNeeded: true, run: checkInfo },
  { name: 'tls', isNeeded: false, run: checkTls },
  { name: 'clock', isNeeded: false, run: checkClock },
  { name: 'cors', isNeeded: false, run: checkCors },
  {
    name: 'box',
    isNeeded: false,
    run: async (relay) => `${await checkBox(relay, 'x25519')}; ${await checkBox(relay, 'p384')}`,
  },
  { name: 'card', isNeeded: false, run: checkCard },
  { name: 'inbox', isNeeded: false, run: checkInbox },
  { name: 'object', isNeeded: false, run: checkObject },
  { name: 'wait', isNeeded: false, run: checkWait },
  { name: 'limits', isNeeded: false, run: checkLimits },
  { name: 'metrics', isNeeded: false, run: checkMetrics },
]

async function checkInfo(relay: CheckedRelay): Promise<string> {
  const { status, text } = await relay.outside.call({ method: 'GET', path: '/info' })
  let info: Info & { software?: string; version?: string }
  try {
    info = JSON.parse(text) as Info
  } catch {
    throw new Failure(`/info is no JSON (status ${status}): is another server there?`)
  }
  if (info.software !== 'persona-relay')
    throw new Failure('/info is not that of a persona-relay: is another server there?')
  relay.info = info
  if (info.url.replace(/\/$/, '') !== relay.url)
    throw new Failure(
      `the relay calls itself ${info.url}, and apps refuse its questions under another name: set "url" in its configuration`,
    )
  return `persona-relay ${info.version ?? '?'}`
}

async function checkTls({ url, outside, nowMs }: CheckedRelay): Promise<string> {
  if (!url.startsWith('https:')) {
    if (/^http:\/\/(?:127\.|\[::1\]|localhost)/.test(url)) return 'none, for this machine only'
    throw new Failure('none: apps of others refuse this URL, and everybody on the way sees which boxes are used')
  }
  const { validUntil } = await outside.call({ method: 'GET', path: '/healthz' })
  const days = Math.floor((Date.parse(validUntil ?? '') - nowMs()) / DAY_MS)
  if (!(days >= MIN_CERTIFICATE_DAYS))
    throw new Failure(`the certificate ends in ${days} days: see why it was not renewed`)
  return `the certificate is good for ${days} days`
}

async function checkClock({ outside, nowMs }: CheckedRelay): Promise<string> {
  const before = nowMs()
  const { headers } = await outside.call({ method: 'GET', path: '/healthz' })
  const dateMs = Date.parse(headers.date ?? '')
  if (Number.isNaN(dateMs)) throw new Failure('no header "Date": does the proxy take it away?')
  // The header has whole seconds, cut off.
  const apartSec = Math.max(0, before - dateMs - 1000, dateMs - nowMs()) / 1000
  if (apartSec > MAX_CLOCK_SEC)
    throw new Failure(
      `the clocks of the relay and of this machine are ${Math.round(apartSec)} s apart: set the wrong one, for example by NTP`,
    )
  return `at most ${Math.ceil(apartSec)} s apart`
}

async function checkCors({ outside }: CheckedRelay): Promise<string> {
  const asked = {
    Origin: ORIGIN,
    'Access-Control-Request-Method': 'POST',
    'Access-Control-Request-Headers': 'content-type',
  }
  for (const path of ['/', '/wait', '/info']) {
    const { status, headers } = await outside.call({ method: 'OPTIONS', path, headers: asked })
    const isAllowed =
      status >= 200 &&
      status < 300 &&
      headers['access-control-allow-origin'] === '*' &&
      (headers['access-control-allow-headers'] ?? '').toLowerCase().includes('content-type')
    if (!isAllowed)
      throw new Failure(`OPTIONS ${path} allows no page of another origin: does the proxy answer it by itself?`)
  }
  const { headers } = await outside.call({ method: 'GET', path: '/info', headers: { Origin: ORIGIN } })
  if (headers['access-control-allow-origin'] !== '*')
    throw new Failure('the header Access-Control-Allow-Origin is missing, or there twice: the relay sends it itself')
  if (headers['set-cookie'] !== undefined) throw new Failure('the proxy sets a cookie')
  return 'pages of every origin may call it'
}

interface TestBox {
  readonly pair: BoxKeyPair
  readonly pub: string
  readonly ext: string | null
}

async function makeBox({ token }: CheckedRelay, suite: BoxSuite): Promise<TestBox> {
  const pair = await generateBoxKeyPair(suite)
  return { pair, pub: formatBoxKey(pair.key), ext: token === null ? null : await sendRight(token, pair.key) }
}

function expectMembers(answer: Record<string, unknown>, members: Record<string, unknown>, what: string): void {
  const isAs = Object.entries(members).every(([name, value]) => answer[name] === value)
  if (!isAs) throw new Failure(`${what} answered ${JSON.stringify(answer)}`)
}

async function checkBox(relay: CheckedRelay, suite: BoxSuite): Promise<string> {
  const { outside, url, nowMs } = relay
  const { pair, pub, ext } = await makeBox(relay, suite)
  const data = formatBase64url(randomBytes(64))
  expectMembers(await outside.post('/', { pub, ext, action: 'check', at: 0 }), { ok: true, found: false }, 'check')
  await send(relay, { pub, ext }, data)
  const found = await outside.post('/', { pub, ext, action: 'check', at: 0 })
  expectMembers(found, { ok: true, found: true }, 'check')
  const answer = await answerQuestion(pair, new URL(url).origin, String(found['question']), Math.floor(nowMs() / 1000))
  const got = await outside.post('/', { pub, ext, action: 'receive', answer, at: 0, limit: 1 })
  expectMembers(got, { ok: true, data }, 'receive')
  const again = await outside.post('/', { pub, ext, action: 'receive', answer, at: 0, limit: 1 })
  expectMembers(again, { ok: false, error: 'Wrong answer' }, 'receive with a used answer')
  return `${suite}: sent, checked, received`
}

async function send(relay: CheckedRelay, { pub, ext }: Pick<TestBox, 'pub' | 'ext'>, data: string): Promise<void> {
  const sent = await relay.outside.post('/', { pub, ext, action: 'send', data })
  if (sent['error'] === 'Bad ext')
    throw new Failure(
      relay.token === null
        ? 'the relay asks senders for a token: give one with --token-file'
        : 'the relay does not take this token',
    )
  expectMembers(sent, { ok: true }, 'send')
}

async function checkWait(relay: CheckedRelay): Promise<string> {
  const { outside, nowMs } = relay
  const box = await makeBox(relay, 'x25519')
  const timeout = AbortSignal.timeout(EVENT_MS)
  const refused = new AbortController()
  const signal = AbortSignal.any([timeout, refused.signal])
  let sentAtMs = 0
  let sending: Promise<void> = Promise.resolve()
  const opened = (): void => {
    sentAtMs = nowMs()
    sending = send(relay, box, formatBase64url(randomBytes(16)))
    sending.catch(() => refused.abort())
  }
  try {
    const event = await outside.firstEvent('/wait', { boxes: [{ pub: box.pub, at: 0 }] }, signal, opened)
    const tookMs = nowMs() - sentAtMs
    await sending
    expectMembers(JSON.parse(event) as Record<string, unknown>, { pub: box.pub, found: true }, 'the event')
    return `a message was told after ${tookMs} ms`
  } catch (cause) {
    await sending
    if (!timeout.aborted) throw cause
    const reason = sentAtMs === 0 ? 'the stream does not begin' : 'a message is not told'
    throw new Failure(`${reason} within ${EVENT_MS / 1000} s: does the proxy collect what the relay writes?`, { cause })
  }
}

async function checkLimits(relay: CheckedRelay): Promise<string> {
  const { outside, info } = relay
  const chars = info?.limits.dataChars ?? 0
  const { pub, ext } = await makeBox(relay, 'x25519')
  // Whole groups of four characters, so that the text is base64url.
  const largest = 'A'.repeat(chars - (chars % 4))
  await send(relay, { pub, ext }, largest)
  const answer = await outside.post('/', { pub, ext, action: 'send', data: `${largest}AAAA` })
  expectMembers(answer, { ok: false, error: 'Too big' }, `a message of ${largest.length + 4} characters`)
  return `a message of ${largest.length} characters was taken, a larger one refused`
}

async function checkMetrics({ outside }: CheckedRelay): Promise<string> {
  const { status } = await outside.call({ method: 'GET', path: '/metrics' })
  if (status !== 404) throw new Failure(`/metrics answers here with status ${status}: the proxy should not hand it on`)
  return 'not for everybody'
}
