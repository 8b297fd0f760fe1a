import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { EvidenceFile } from '../../src/ipc/shapes/alarms.ts'
import { Home } from '../support/persona.ts'
import { person } from '../support/person.ts'

test('evidence can be exported to a file that anybody checks without a daemon, and options that exclude each other are refused', async () => {
  const bob = person('bob of evidence')
  const home = new Home()
  await home.start()
  await home.done(['observe', bob.table(['phone']).text(), '--from', bob.key('phone'), '--name', 'Bob'])
  await home.done(['observe', bob.thief().table(['phone'], { after: null }).text(), '--from', bob.key('phone')])
  const listed = await home.done(['alarms'])
  expect(listed).toContain('CHAIN_DISPUTED')
  const file = join(home.directory, 'evidence')
  await home.done(['alarms', 'Bob', '--export', file])
  expect(await home.failure(['alarms', 'Bob', '--export', file])).toBe('1 FILE_EXISTS')
  const stranger = new Home()
  expect(await stranger.done(['verify', '--evidence', file])).toContain('proven: two chains of keys')
  const evidence = JSON.parse(readFileSync(file, 'utf8')) as EvidenceFile
  const cut = { ...evidence, blobs: evidence.blobs.map((blob) => ({ ...blob, token: blob.token.slice(0, -4) })) }
  writeFileSync(file, JSON.stringify(cut))
  const { status, stdout } = await stranger.run(['verify', '--evidence', file])
  expect([status, stdout]).toEqual([1, expect.stringContaining('the file proves nothing')])
  const id = listed.split(' ')[0]!
  let ran = 0
  for (const args of [
    ['verify', 'some text', '--evidence', file],
    ['verify', '--evidence', file, '--from', bob.key('phone')],
    ['alarms', 'Bob', '--dismiss', id],
    ['alarms', '--dismiss', id, '--export', join(home.directory, 'other')],
    ['log', 'Bob', '--verify'],
    ['log', '--verify', '--limit', '5'],
  ]) {
    expect(await home.failure(args), args.join(' ')).toBe('2 USAGE')
    ran++
  }
  expect(ran).toBe(6)
  expect(await home.done(['alarms', '--dismiss', id])).toContain('dismissed')
})
