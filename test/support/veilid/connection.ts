/** One client of the stand-in: lines in, lines out, handles of its own. */
import type { Socket } from 'node:net'
import { createInterface } from 'node:readline'
import * as z from 'zod'
import { VeilidRefusal } from './forms.ts'
import type { VeilidNode } from './node.ts'
import { CRYPTO, GENERAL, ROUTING, type Session } from './operations.ts'

type Fields = Readonly<Record<string, unknown>>

/** The manners of a server, which a test changes. */
export interface VeilidManners {
  version: Session['version']
  /** Awaited before each answer, so that answers come late and in another order. @param op such as `GetDhtValue` */
  beforeAnswer: (op: string) => Promise<void>
}

const id = z.int().min(0).max(0xffff_ffff).default(0)
const handle = z.int().min(0)
const requestForm = z.looseObject({ id, op: z.string() })
const routingForm = z.looseObject({ rc_id: handle, rc_op: z.string() })
const cryptoForm = z.looseObject({ cs_id: handle, cs_op: z.string() })

/** How a request is answered. */
interface Plan {
  readonly op: string
  /** The fields of the answer beside `type`, `id` and `op`. */
  readonly answer: () => Fields
}

export class VeilidConnection {
  readonly #node: VeilidNode
  readonly #manners: VeilidManners
  readonly #socket: Socket
  readonly #contexts = new Map<number, unknown>()
  readonly #cryptoSystems = new Map<number, unknown>()

  private constructor(node: VeilidNode, manners: VeilidManners, socket: Socket) {
    this.#node = node
    this.#manners = manners
    this.#socket = socket
  }

  /** Answers a client until its connection ends. */
  static serve(node: VeilidNode, manners: VeilidManners, socket: Socket): void {
    new VeilidConnection(node, manners, socket).#serve()
  }

  #serve(): void {
    const [node, socket] = [this.#node, this.#socket]
    const send = (update: Fields): void => this.#send(update)
    node.listeners.add(send)
    socket.on('close', () => node.listeners.delete(send))
    socket.on('error', () => socket.destroy())
    const lines = createInterface({ input: socket })
    lines.on('line', (line) => {
      if (line.trim() !== '') this.#take(line)
    })
    // Readline emits the errors of its input once more.
    lines.on('error', () => {})
  }

  #take(line: string): void {
    try {
      const request = requestForm.parse(JSON.parse(line))
      void this.#carryOut(request, this.#planOf(request))
    } catch {
      this.#socket.destroy()
    }
  }

  async #carryOut(request: z.infer<typeof requestForm>, { op, answer }: Plan): Promise<void> {
    const fields = answer()
    await this.#manners.beforeAnswer(op)
    this.#send({ type: 'Response', id: request.id, op: request.op, ...fields })
  }

  #send(fields: Fields): void {
    if (this.#socket.writable) this.#socket.write(`${JSON.stringify(fields)}\n`)
  }

  /** @throws {Error} for a request of no shape */
  #planOf(request: z.infer<typeof requestForm>): Plan {
    if (request.op === 'RoutingContext') {
      const { rc_id: handle, rc_op: op } = routingForm.parse(request)
      const answer = this.#answerOf(ROUTING, op, request, handle)
      const isValid = this.#contexts.has(handle)
      return { op, answer: () => (isValid ? { rc_id: handle, rc_op: op, ...answer() } : invalid('rc', handle)) }
    }
    if (request.op === 'CryptoSystem') {
      const { cs_id: handle, cs_op: op } = cryptoForm.parse(request)
      const answer = this.#answerOf(CRYPTO, op, request, handle)
      const isValid = this.#cryptoSystems.has(handle)
      return { op, answer: () => (isValid ? { cs_id: handle, cs_op: op, ...answer() } : invalid('cs', handle)) }
    }
    // The one answer whose fields stand beside `op`.
    if (request.op === 'VeilidVersion') return { op: request.op, answer: () => this.#manners.version }
    return { op: request.op, answer: this.#answerOf(GENERAL, request.op, request, 0) }
  }

  #answerOf(operations: typeof GENERAL, op: string, request: unknown, handle: number): () => Fields {
    const operation = operations[op]
    if (operation === undefined) throw new RangeError(`no operation ${op}`)
    const run = operation(request)
    const session: Session = {
      node: this.#node,
      version: this.#manners.version,
      contexts: this.#contexts,
      cryptoSystems: this.#cryptoSystems,
      handle,
    }
    return () => fieldsOf(() => run(session))
  }
}

function invalid(kind: 'rc' | 'cs', handle: number): Fields {
  return { [`${kind}_id`]: handle, [`${kind}_op`]: 'InvalidId' }
}

/** The value or the error of a call; nothing for a call without a result. */
function fieldsOf(call: () => unknown): Fields {
  try {
    const value = call()
    return value === undefined ? {} : { value }
  } catch (error) {
    if (error instanceof VeilidRefusal) return { error: error.fields }
    throw error
  }
}
