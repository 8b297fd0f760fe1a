/** Makes docs/openrpc.json from the method table: `node test/generate/openrpc.ts` writes it, a test compares it. */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as z from 'zod'
import type { MethodSpec } from '../../src/ipc/methods/method.ts'
import { METHODS } from '../../src/ipc/methods/all-methods.ts'
import * as shapes from '../../src/ipc/shapes/contact.ts'
import * as judged from '../../src/ipc/shapes/judged.ts'
import * as own from '../../src/ipc/shapes/own.ts'
import * as watch from '../../src/ipc/shapes/profiles.ts'

export const OPENRPC_FILE: string = fileURLToPath(new URL('../../docs/openrpc.json', import.meta.url))
const PACKAGE = fileURLToPath(new URL('../../package.json', import.meta.url))

/** The values that methods share, named as docs/ipc.md names them. A schema adds itself, since what has a name in sources only stands for it. */
const named = z.registry<{ id: string }>()
for (const [name, schema] of Object.entries({ ...shapes, ...own, ...judged, ...watch })) {
  if (schema instanceof z.ZodObject) schema.register(named, { id: name.replace(/^./, (first) => first.toUpperCase()) })
}

METHODS.status.result.register(named, { id: 'DaemonStatus' })

/** The OpenRPC 1.3 document, as JSON text. */
export function openrpcText(): string {
  components.clear()
  const { version } = JSON.parse(readFileSync(PACKAGE, 'utf8')) as { version: string }
  const methods = Object.entries(METHODS as unknown as Record<string, MethodSpec<unknown, unknown>>).map(describe)
  const info = { title: 'personad', version, license: { name: 'MIT' } }
  const schemas = Object.fromEntries([...components].toSorted(([a], [b]) => (a < b ? -1 : 1)))
  return `${JSON.stringify({ openrpc: '1.3.2', info, methods, components: { schemas } }, null, 2)}\n`
}

function describe([name, spec]: [string, MethodSpec<unknown, unknown>]): unknown {
  const params = schemaOf(spec.params) as { properties?: Record<string, unknown>; required?: string[] }
  return {
    name,
    summary: spec.summary,
    paramStructure: 'by-name',
    'x-permission': spec.permission,
    params: Object.entries(params.properties ?? {}).map(([param, schema]) => ({
      name: param,
      required: params.required?.includes(param) === true,
      schema,
    })),
    result: { name: 'result', schema: schemaOf(spec.result) },
  }
}

const components = new Map<string, unknown>()

/** The JSON Schema of a type; what it shares with others goes to the components. */
function schemaOf(type: z.ZodType): object {
  const text = JSON.stringify(type.toJSONSchema({ metadata: named })).replaceAll('"#/$defs/', '"#/components/schemas/')
  const { $schema: _dialect, $defs = {}, ...schema } = JSON.parse(text) as { $schema: string; $defs?: object }
  for (const [name, shared] of Object.entries($defs)) components.set(name, shared)
  return schema
}

if (import.meta.main) writeFileSync(OPENRPC_FILE, openrpcText())
