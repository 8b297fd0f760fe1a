import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { giverOf } from '../../../src/daemon/give-back.ts'

const MODULE = join(import.meta.dirname, '../../../src/daemon/give-back.ts')
const MIB = 1024 * 1024

/** A program whose figures a test sets. It gives back all above 80 MiB. */
function program(): { figures: { cpuMs: number; mib: number; heapMib: number }; given: string[]; look: () => void } {
  const figures = { cpuMs: 400, mib: 95, heapMib: 20 }
  const given: string[] = []
  const look = giverOf({
    cpuMs: () => figures.cpuMs,
    residentBytes: () => figures.mib * MIB,
    heapBytes: () => figures.heapMib * MIB,
    collect: () => given.push('collected'),
    trim: () => {
      given.push('trimmed')
      figures.mib = Math.min(figures.mib, 80)
    },
  })
  return { figures, given, look }
}

describe('the memory of a program', () => {
  it('is given back once the program was idle between two looks, and again only after it has grown', () => {
    const { figures, given, look } = program()
    figures.cpuMs += 2000
    look()
    expect(given, 'it worked').toStrictEqual([])
    look()
    expect(given.splice(0), 'it was idle').toStrictEqual(['collected', 'trimmed'])
    look()
    figures.mib = 87
    look()
    expect(given, 'it has hardly grown').toStrictEqual([])
    figures.mib = 300
    look()
    expect(given).toStrictEqual(['collected', 'trimmed'])
  })

  it('is kept while the program works', () => {
    const { figures, given, look } = program()
    for (let i = 0; i < 5; i++) {
      figures.cpuMs += 1500
      figures.mib += 50
      look()
    }
    expect(given).toStrictEqual([])
  })

  it('is given back without a collection where a large heap would make callers wait', () => {
    const { figures, given, look } = program()
    figures.heapMib = 500
    look()
    look()
    expect(given).toStrictEqual(['trimmed'])
  })

  it.runIf(process.platform === 'linux')('falls in a real process, and no other code gets the collector', () => {
    const script = `
      import { runInNewContext } from 'node:vm'
      import { giverOf, openMemory } from ${JSON.stringify(MODULE)}
      const log = { error: console.error, warn: console.error, info() {}, debug: console.error, setLevel() {} }
      const look = giverOf(await openMemory(log))
      look()
      const fill = () => Array.from({ length: 40 }, () => new Array(MIB / 8).fill(0)).length
      fill()
      const full = process.memoryUsage.rss()
      process.cpuUsage = () => ({ user: 0, system: 0 })
      look()
      console.log(JSON.stringify({ given: full - process.memoryUsage.rss(), gc: runInNewContext('typeof gc') }))`
    const out = execFileSync(process.execPath, ['--input-type=module', '-e', script.replace('MIB', String(MIB))])
    const { given, gc } = JSON.parse(out.toString()) as { given: number; gc: string }
    expect(given).toBeGreaterThan(25 * MIB)
    expect(gc).toBe('undefined')
  })
})
