/** Two daemons of one owner, and a file that both write: the real programs. */
import { cpSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { deviceKey } from '../support/person.ts'
import { Home } from '../support/persona.ts'
import { tempDir } from '../support/temp-dir.ts'

async function twoHomes(): Promise<[Home, Home]> {
  const [one, other] = [new Home(), new Home()]
  await one.start()
  await one.done(['init', '--device', 'laptop', '--key', deviceKey('laptop')])
  await one.stop()
  // Other tests cover pairing. Here the second device starts as a copy.
  cpSync(one.directory, other.directory, { recursive: true, filter: (path) => !path.includes('/run') })
  await one.start()
  await other.start()
  await other.done(['reconcile', '-'], { stdin: await one.done(['blob']) })
  return [one, other]
}

describe('persona sibling sync', () => {
  it('joins edits made apart into the same table, through a file in a shared folder and through a pipe', async () => {
    const [one, other] = await twoHomes()
    const file = join(tempDir(), 'table')
    await one.done(['device', 'add', 'phone', '--key', deviceKey('phone')])
    await other.done(['device', 'add', 'tablet', '--key', deviceKey('tablet')])
    expect(await one.done(['sibling', 'sync', file])).toMatch(/there is no table to read yet[^]*wrote your table/)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    await other.done(['sibling', 'sync', file])
    await one.done(['sibling', 'sync', file])
    const status = await one.done(['sibling', 'sync', '-'], { stdin: readFileSync(file) })
    expect(await other.json(['sibling', 'sync', '-'], { stdin: status })).toMatchObject({ written: true })
    const tables = [await one.json(['device', 'list']), await other.json(['device', 'list'])] as {
      devices: { name: string }[]
    }[]
    expect(tables[0]).toStrictEqual(tables[1])
    expect(tables[0]!.devices.map(({ name }) => name).sort()).toStrictEqual(['laptop', 'phone', 'tablet'])
    expect(await other.json(['sibling', 'sync', file])).toMatchObject({ verdict: 'refresh', written: false })
  }, 60_000)

  it('does not replace a file that it cannot read', async () => {
    const [one] = await twoHomes()
    const file = join(tempDir(), 'table')
    for (const [content, code] of [
      ['my diary\n', 'SIBLING_NO_TABLE'],
      ['x'.repeat(70_000), 'SYNC_FILE'],
      [Uint8Array.of(0xff, 0xfe), 'SYNC_FILE'],
    ] as const) {
      writeFileSync(file, content)
      expect(await one.failure(['sibling', 'sync', file])).toBe(`1 ${code}`)
      expect(readFileSync(file)).toStrictEqual(Buffer.from(content))
    }
    expect(await one.failure(['sibling', 'sync', tempDir()])).toBe('1 SYNC_FILE')
  }, 60_000)
})
