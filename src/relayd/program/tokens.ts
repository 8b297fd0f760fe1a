/** The tokens that an operator gives to senders (docs/operating-a-relay.md). Whoever has one may send to every box here. */
import * as z from '../../schema/zod.ts'
import { decodeUtf8, encodeUtf8, formatBase64url } from '../../core/encoding/bytes.ts'
import { PersonadError } from '../../errors/personad-error.ts'
import { readSecretsFile, writeSecretsFile } from '../../store/secrets-file.ts'

const TOKEN_BYTES = 32
const MAX_TOKENS = 256 // sanity: each send tries all of them, 2 us each

export type TokenErrorCode =
  | 'TOKEN_NAME' // not a name for a token
  | 'TOKEN_NAME_TAKEN'
  | 'TOKENS_FULL'
  | 'TOKENS_DAMAGED' // the file is none of ours

export class TokenError extends PersonadError<TokenErrorCode> {
  override readonly name = 'TokenError'
}

export interface Token {
  readonly name: string
  readonly token: string
  readonly madeAtSec: number
}

const FILE = z.strictObject({
  v: z.literal(1),
  tokens: z.array(z.strictObject({ name: z.string(), token: z.string(), madeAtSec: z.int() })),
})

export class Tokens {
  readonly #path: string
  #tokens: readonly Token[]

  private constructor(path: string, tokens: readonly Token[]) {
    this.#path = path
    this.#tokens = tokens
  }

  /** @throws {StoreError} the codes of readSecretsFile; {TokenError} TOKENS_DAMAGED */
  static async open(path: string): Promise<Tokens> {
    const bytes = await readSecretsFile(path)
    if (bytes === null) return new Tokens(path, [])
    const text = decodeUtf8(bytes)
    let value: unknown = null
    try {
      value = JSON.parse(text ?? '')
    } catch {
      // The check below refuses it.
    }
    const read = FILE.safeParse(value)
    if (read.success) return new Tokens(path, read.data.tokens)
    throw new TokenError('TOKENS_DAMAGED', `${path} holds no tokens of a relay; restore it, or move it away`)
  }

  /** The texts of all tokens. */
  get texts(): readonly string[] {
    return this.#tokens.map(({ token }) => token)
  }

  list(): readonly Pick<Token, 'name' | 'madeAtSec'>[] {
    return this.#tokens.map(({ name, madeAtSec }) => ({ name, madeAtSec }))
  }

  /**
   * Makes a token. It is on disk when this resolves.
   * @returns its text, which nothing shows again
   * @throws {TokenError} TOKEN_NAME | TOKEN_NAME_TAKEN | TOKENS_FULL; {DurableError} if it cannot be written
   */
  async add(name: string, nowSec: number, random: (bytes: number) => Uint8Array): Promise<string> {
    if (!/^[\w.-]{1,64}$/.test(name))
      throw new TokenError('TOKEN_NAME', 'the name of a token is 1 to 64 letters, digits, dots, dashes and underscores')
    if (this.#tokens.some((token) => token.name === name))
      throw new TokenError(
        'TOKEN_NAME_TAKEN',
        `there is a token ${name} already; remove it first, or take another name`,
      )
    if (this.#tokens.length >= MAX_TOKENS)
      throw new TokenError('TOKENS_FULL', `there are ${MAX_TOKENS} tokens, and more are not possible; remove one first`)
    const token = formatBase64url(random(TOKEN_BYTES))
    await this.#write([...this.#tokens, { name, token, madeAtSec: nowSec }])
    return token
  }

  /** @returns false if there is no such token */
  async remove(name: string): Promise<boolean> {
    const left = this.#tokens.filter((token) => token.name !== name)
    if (left.length === this.#tokens.length) return false
    await this.#write(left)
    return true
  }

  async #write(tokens: readonly Token[]): Promise<void> {
    await writeSecretsFile(this.#path, encodeUtf8(`${JSON.stringify({ v: 1, tokens }, null, 1)}\n`))
    this.#tokens = tokens
  }
}
