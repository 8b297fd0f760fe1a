import { spawn } from 'node:child_process'
import { Writable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { escapeUnprintable, openLog, type Log, type LogFields, type LogForm } from '../../../src/process/log.ts'

const NOW = new Date('2026-01-02T03:04:05.678Z')
const LOG_MODULE = JSON.stringify(pathToFileURL(resolve('src/process/log.ts')).href)

function openOn(form: LogForm | 'auto', level: 'info' | 'debug' = 'info'): { log: Log; text: () => string } {
  let text = ''
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      text += chunk.toString()
      done()
    },
  })
  return { log: openLog({ level, stream, form, now: () => NOW }), text: () => text }
}

/** Runs a module in a real process whose stderr is the log. */
async function runLogger(
  body: string,
  closeStderr: boolean,
): Promise<{ code: number | null; out: string; err: string }> {
  const script = `const { openLog } = await import(${LOG_MODULE}); const log = openLog({ level: 'info' }); ${body}`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['pipe', 'pipe', 'pipe'] })
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
  if (closeStderr) child.stderr.destroy()
  child.stdin.end('go\n')
  return new Promise((done) => child.on('close', (code) => done({ code, out, err })))
}

describe('a record', () => {
  test('is one line of JSON with time, level, event and fields', () => {
    const { log, text } = openOn('json')
    log.warn('socket.stale', { path: '/run/app.sock', removed: true, count: 2, message: 'an old socket was removed' })
    expect(text()).toMatch(/^[^\n]+\n$/)
    expect(JSON.parse(text())).toEqual({
      time: '2026-01-02T03:04:05.678Z',
      level: 'warn',
      event: 'socket.stale',
      message: 'an old socket was removed',
      path: '/run/app.sock',
      removed: true,
      count: 2,
    })
  })

  test('starts with its severity for the journal', () => {
    const { log, text } = openOn('journal', 'debug')
    log.error('a')
    log.warn('b')
    log.info('c')
    log.debug('d')
    expect(
      text()
        .split('\n')
        .map((line) => line.slice(0, 4)),
    ).toEqual(['<3>{', '<4>{', '<6>{', '<7>{', ''])
  })

  test('is a plain sentence on a terminal', () => {
    const { log, text } = openOn('plain')
    log.info('daemon.ready', { message: 'ready', socket: '/run/my files/app.sock', contacts: 3 })
    log.error('store.corrupt')
    expect(text()).toBe('03:04:05 ready  socket="/run/my files/app.sock"  contacts=3\n03:04:05 error: store.corrupt\n')
  })

  test('below the level is not written, and a new level applies at once', () => {
    const { log, text } = openOn('json')
    log.debug('one')
    log.setLevel('debug')
    log.debug('two')
    log.setLevel('error')
    log.warn('three')
    expect(text()).toContain('two')
    expect(text()).not.toMatch(/one|three/)
  })

  test.each(['json', 'journal', 'plain'] as const)('carries no control, bidi or invisible character (%s)', (form) => {
    const { log, text } = openOn(form)
    const hostile =
      'a\u001b[2J\n\r\t\u0000\u007f\u009b\u202e\u2066\u200b\u00ad\u034f\u3164\u2028\u2029\ufeff\ud800\u{e0041}z'
    log.info(`event${hostile}`, { message: hostile, field: hostile, [`name${hostile}`]: 1 })
    const line = text()
    expect(line.endsWith('\n')).toBe(true)
    expect(line.slice(0, -1)).not.toMatch(/[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u)
    if (form === 'json') expect(JSON.parse(line)).toMatchObject({ message: hostile, field: hostile })
  })

  test('carries only texts, numbers and booleans, even after a cast', () => {
    const { log, text } = openOn('json')
    const smuggled = { key: new Uint8Array([222, 173]), seed: { words: 'abandon' }, list: ['abandon'], none: null }
    log.info('a', smuggled as unknown as LogFields)
    expect(JSON.parse(text())).toMatchObject({
      key: '[object, not logged]',
      seed: '[object, not logged]',
      list: '[object, not logged]',
      none: '[object, not logged]',
    })
    expect(text()).not.toMatch(/abandon|222/)
  })

  test('cannot claim another time, level or event', () => {
    const { log, text } = openOn('json')
    log.info('real', { level: 'error', time: 'never', event: 'forged' } as unknown as LogFields)
    expect(JSON.parse(text())).toEqual({ time: NOW.toISOString(), level: 'info', event: 'real' })
  })

  test('cuts fields after 1024 characters', () => {
    const { log, text } = openOn('json')
    log.info('a', { exact: 'x'.repeat(1024), over: 'x'.repeat(1025) })
    expect(JSON.parse(text())).toMatchObject({ exact: 'x'.repeat(1024), over: `${'x'.repeat(1024)}...` })
  })
})

test('letters, emoji and spaces of any script are not escaped', () => {
  expect(escapeUnprintable('Zoë 电脑 🦊 ноутбук')).toBe('Zoë 电脑 🦊 ноутбук')
})

describe('stderr', () => {
  test('without a reader does not end the daemon', async () => {
    const body = `process.stdin.once('data', async () => {
      for (let i = 0; i < 50; i++) { log.info('tick', { i }); await new Promise(setImmediate) }
      console.log('alive'); process.exit(0) })`
    expect(await runLogger(body, true)).toMatchObject({ code: 0, out: 'alive\n' })
  })

  test('holds the last record even if the process exits right after it', async () => {
    const { code, err } = await runLogger(
      `for (let i = 0; i < 500; i++) log.info('tick', { i }); process.exit(7)`,
      false,
    )
    expect(code).toBe(7)
    expect(
      err
        .trimEnd()
        .split('\n')
        .map((line): unknown => JSON.parse(line).i),
    ).toEqual([...Array(500).keys()])
  })

  test('gets no journal prefix when JOURNAL_STREAM names another file', async () => {
    const { err } = await runLogger(`process.env.JOURNAL_STREAM = '1:2'; openLog({ level: 'info' }).info('a')`, false)
    expect(err.startsWith('{')).toBe(true)
  })

  test('gets the journal prefix when JOURNAL_STREAM names it', async () => {
    const own = `const { fstatSync } = await import('node:fs'); const s = fstatSync(2)`
    const body = `${own}; process.env.JOURNAL_STREAM = s.dev + ':' + s.ino; openLog({ level: 'info' }).info('a')`
    expect((await runLogger(body, false)).err.startsWith('<6>{')).toBe(true)
  })
})
