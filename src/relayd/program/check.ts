/**
 * The command `check`: tries a relay from outside, as apps and web pages use it, or looks at a database. Each line of its report is one thing that
 * works or not.
 */
import { readFile } from 'node:fs/promises'
import { UsageError } from './arguments.ts'
import { Failure, type Check, type CheckedRelay } from './checked-relay.ts'
import { ALL_CHECKS } from './checks.ts'
import { DATABASE_URL, databaseUrlProblem } from './database-url.ts'
import { Outside } from './outside.ts'
import { parseRelayUrl } from './relay-config.ts'

/** Codes of OpenSSL for a certificate whose issuer nobody here knows. */
const UNTRUSTED: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

export interface CheckOptions {
  readonly url: string
  readonly ca: string | undefined
  readonly tokenFile: string | undefined
}

/**
 * @param print gets one line for each check
 * @returns 0 if everything works, else 1
 * @throws {UsageError} for a URL or a file that cannot be used
 */
export async function checkRelay(
  { url: given, ca, tokenFile }: CheckOptions,
  print: (line: string) => void,
  nowMs: () => number = Date.now,
): Promise<number> {
  if (/^postgres(?:ql)?:/.test(given)) {
    if (ca !== undefined || tokenFile !== undefined)
      throw new UsageError('--ca and --token-file are for the URL of a relay')
    return await checkDatabase(given, print)
  }
  const url = parseRelayUrl(given)
  // The text is not shown: it may hold a password.
  if (url === null)
    throw new UsageError(
      'check takes the URL of a relay, such as https://relay.example, or of a database, such as postgres://relay@db.example/relay',
    )
  const token = tokenFile === undefined ? null : await readToken(tokenFile)
  const outside = new Outside(url, ca === undefined ? null : await readCertificates(ca))
  const relay: CheckedRelay = { url, outside, token, nowMs, info: null }
  let made = 0
  let failed = 0
  for (const check of ALL_CHECKS) {
    const { isOk, text } = await outcomeOf(check, relay)
    made++
    if (!isOk) failed++
    print(lineOf({ name: check.name, isOk, text }))
    // Without an answer at all every other check would say the same.
    if (!isOk && check.isNeeded) break
  }
  print(sumOf(failed, made, ALL_CHECKS.length))
  return failed === 0 ? 0 : 1
}

async function checkDatabase(url: string, print: (line: string) => void): Promise<number> {
  const problem = databaseUrlProblem(url)
  // Not shown either.
  if (problem !== null) throw new UsageError(`check takes ${DATABASE_URL}; in this one ${problem}`)
  const { examineDatabase, FINDINGS } = await import('../postgres/health.ts')
  const findings = await examineDatabase(url)
  for (const finding of findings) print(lineOf(finding))
  const failed = findings.filter(({ isOk }) => !isOk).length
  print(sumOf(failed, findings.length, FINDINGS))
  return failed === 0 ? 0 : 1
}

function lineOf({
  name,
  isOk,
  text,
}: {
  readonly name: string
  readonly isOk: boolean
  readonly text: string
}): string {
  return `${isOk ? 'ok  ' : 'FAIL'}  ${name.padEnd(8)}  ${text}`
}

function sumOf(failed: number, made: number, all: number): string {
  const rest = made === all ? '' : `; ${all - made} more were not made`
  return failed === 0 ? 'everything works' : `${failed} of ${made} checks failed${rest}`
}

async function outcomeOf(check: Check, relay: CheckedRelay): Promise<{ isOk: boolean; text: string }> {
  try {
    return { isOk: true, text: await check.run(relay) }
  } catch (error) {
    if (error instanceof Failure) return { isOk: false, text: error.message }
    if (isUntrusted(error)) {
      const text =
        'this machine does not trust the certificate: trust its issuer with --ca, or get one from a public authority'
      return { isOk: false, text }
    }
    const message = error instanceof Error ? error.message : String(error)
    return { isOk: false, text: `no usable answer: ${message}` }
  }
}

/** The text of Node speaks of an option of its own. */
function isUntrusted(error: unknown): boolean {
  return error instanceof Error && 'code' in error && UNTRUSTED.has(String(error.code))
}

async function readToken(path: string): Promise<string> {
  const token = (await read(path)).trim()
  if (token === '') throw new UsageError(`${path} has no token`)
  return token
}

/** Node ignores a text without a certificate, and would then trust too few. */
async function readCertificates(path: string): Promise<string> {
  const text = await read(path)
  if (!/^-----BEGIN (?:TRUSTED )?CERTIFICATE-----/m.test(text))
    throw new UsageError(`${path} has no certificate in PEM`)
  return text
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch {
    throw new UsageError(`cannot read ${path}`)
  }
}
