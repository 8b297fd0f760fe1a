/** The operations of the JSON API, each with the strict shape of its parameters. */
import * as z from 'zod'
import {
  bytesForm,
  formatKey,
  formatKeyPair,
  formatRecordKey,
  KIND,
  keyPairForm,
  microseconds,
  publicKeyForm,
  rangesForm,
  recordKeyForm,
  schemaForm,
} from './forms.ts'
import { generateKeyPair, isKeyPair } from './keys.ts'
import { opaqueKey, type VeilidNode } from './node.ts'

/** The world of one request. */
export interface Session {
  readonly node: VeilidNode
  readonly version: { readonly major: number; readonly minor: number; readonly patch: number }
  /** Routing contexts with their safety, by handle. */
  readonly contexts: Map<number, unknown>
  readonly cryptoSystems: Map<number, unknown>
  /** That of the request, for an operation of a handle. */
  readonly handle: number
}

/** Checks a request, and gives what answers it. @throws {z.ZodError} for a request of another shape */
export type Operation = (request: unknown) => (session: Session) => unknown

function operation<Shape extends z.ZodRawShape>(
  shape: Shape,
  run: (session: Session, parameters: z.output<z.ZodObject<Shape>>) => unknown,
): Operation {
  const form = z.object(shape)
  return (request) => {
    const parameters = form.parse(request)
    return (session) => run(session, parameters)
  }
}

const DEFAULT_SAFETY = {
  Safe: { preferred_route: null, hop_count: 1, stability: 'Reliable', sequencing: 'PreferOrdered' },
}
const kind = z.literal(KIND)
const key = recordKeyForm
const subkey = z.int().min(0).max(0xffff_ffff)
const subkeys = rangesForm.nullish()
const writer = keyPairForm.nullish()

/** Operations that need no handle. */
export const GENERAL: Readonly<Record<string, Operation>> = {
  IsShutdown: operation({}, () => false),
  Attach: operation({}, ({ node }) => node.goOnline()),
  Detach: operation({}, ({ node }) => node.goOffline()),
  Now: operation({}, () => String(Date.now() * 1000)),
  VeilidVersionString: operation({}, ({ version: { major, minor, patch } }) => `${major}.${minor}.${patch}`),
  VeilidFeatures: operation({}, () => ['default']),
  ValidCryptoKinds: operation({}, () => [KIND]),
  Control: operation({ args: z.array(z.string()) }, () => ''),
  Debug: operation({ command: z.string() }, () => ''),
  GenerateKeyPair: operation({ kind }, () => formatKeyPair(generateKeyPair())),
  GenerateMemberId: operation({ writer_key: publicKeyForm }, (_, { writer_key: writerKey }) => formatKey(writerKey)),
  GetDhtRecordKey: operation(
    { schema: schemaForm, owner: publicKeyForm, encryption_key: publicKeyForm.nullish() },
    (_, { schema, owner, encryption_key: encryptionKey = null }) =>
      formatRecordKey({ opaque: opaqueKey(schema, owner), encryptionKey }),
  ),
  NewRoutingContext: operation({}, ({ contexts }) => newHandle(contexts, DEFAULT_SAFETY)),
  GetCryptoSystem: operation({ kind }, ({ cryptoSystems }) => newHandle(cryptoSystems, KIND)),
}

/** Operations of a routing context. */
export const ROUTING: Readonly<Record<string, Operation>> = {
  Release: operation({}, ({ contexts, handle }) => void contexts.delete(handle)),
  WithDefaultSafety: operation({}, ({ contexts }) => newHandle(contexts, DEFAULT_SAFETY)),
  WithSafety: operation(
    { safety_selection: z.record(z.string(), z.unknown()) },
    ({ contexts }, { safety_selection: safety }) => newHandle(contexts, safety),
  ),
  WithSequencing: operation({ sequencing: z.string() }, ({ contexts }, { sequencing }) =>
    newHandle(contexts, { Safe: { ...DEFAULT_SAFETY.Safe, sequencing } }),
  ),
  Safety: operation({}, ({ contexts, handle }) => contexts.get(handle)),
  CreateDhtRecord: operation({ kind, schema: schemaForm, owner: writer }, ({ node }, { schema, owner }) =>
    node.create(schema, owner ?? generateKeyPair()),
  ),
  OpenDhtRecord: operation({ key, writer }, ({ node }, parameters) =>
    node.open(parameters.key, parameters.writer ?? null),
  ),
  CloseDhtRecord: operation({ key }, ({ node }, parameters) => node.close(parameters.key)),
  DeleteDhtRecord: operation({ key }, ({ node }, parameters) => node.delete(parameters.key)),
  GetDhtValue: operation({ key, subkey, force_refresh: z.boolean() }, ({ node }, parameters) =>
    node.get(parameters.key, parameters.subkey, parameters.force_refresh),
  ),
  SetDhtValue: operation(
    {
      key,
      subkey,
      data: bytesForm,
      options: z.object({ writer, allow_offline: z.boolean().nullish() }).nullish(),
    },
    ({ node }, parameters) =>
      node.set(parameters.key, parameters.subkey, parameters.data, {
        writer: parameters.options?.writer ?? null,
        isOfflineAllowed: parameters.options?.allow_offline ?? true,
      }),
  ),
  WatchDhtValues: operation(
    { key, subkeys, expiration: microseconds.nullish(), count: subkey.nullish() },
    ({ node }, parameters) => node.watch(parameters.key, parameters.subkeys ?? null, parameters.count ?? null),
  ),
  CancelDhtWatch: operation({ key, subkeys }, ({ node }, parameters) =>
    node.cancel(parameters.key, parameters.subkeys ?? null),
  ),
  InspectDhtRecord: operation(
    // The published schema calls the scope optional, and the server does not.
    { key, subkeys, scope: z.enum(['Local', 'SyncGet', 'SyncSet', 'UpdateGet', 'UpdateSet']) },
    ({ node }, parameters) => node.inspect(parameters.key, parameters.subkeys ?? null, parameters.scope),
  ),
}

/** Operations of a crypto system that make and check keys. A client does the rest itself. */
export const CRYPTO: Readonly<Record<string, Operation>> = {
  Release: operation({}, ({ cryptoSystems, handle }) => void cryptoSystems.delete(handle)),
  Kind: operation({}, () => KIND),
  GenerateKeyPair: operation({}, () => formatKeyPair(generateKeyPair())),
  ValidateKeyPair: operation({ key: publicKeyForm, secret: publicKeyForm }, (_, pair) => isKeyPair(pair)),
}

/** The lowest free number from 1. */
function newHandle(handles: Map<number, unknown>, value: unknown): number {
  let handle = 1
  while (handles.has(handle)) handle++
  handles.set(handle, value)
  return handle
}
