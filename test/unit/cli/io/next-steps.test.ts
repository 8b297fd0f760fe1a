import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { adviceOf, describeFinding, nextStep } from '../../../../src/cli/io/next-steps.ts'
import { allNodes, commandTree } from '../../../../src/cli/program/command-tree.ts'
import { buildProgram } from '../../../../src/cli/program/program.ts'
import { notice } from '../../../../src/ipc/shapes/doctor.ts'

const SOURCE = readFileSync(resolve('src/cli/io/next-steps.ts'), 'utf8')
const CODES = [...SOURCE.matchAll(/^ {2}([A-Z][A-Z_]+):/gm)].map(([, code]) => code!)

test('a hint and the command for its code make one line; either may be missing', () => {
  expect(adviceOf('LOCKED', 'unlock it')).toBe('unlock it: persona unlock')
  expect(adviceOf('LOCKED', null)).toBe('persona unlock')
  expect(adviceOf('SNAPSHOT_CUT', 'copy it again')).toBe('copy it again')
  expect(adviceOf('SNAPSHOT_CUT', null)).toBeNull()
})

test('a command takes names and paths as the shell reads them', () => {
  const about = { device: 'my phone' }
  expect(describeFinding(notice('DEVICE_UNAPPROVED', 'added', 'approve it', about))).toBe(
    "added; approve it: persona device approve 'my phone', or persona device remove 'my phone' --lost",
  )
  expect(nextStep('PROFILE_LOST', { path: '/a b.tox' })).toBe("persona tox restore '/a b.tox'")
  expect(nextStep('PROFILE_OLDER', { path: '/a b.tox' })).toBe("persona tox publish '/a b.tox'")
})

test('a record of a newer version gets no command that would remove it', () => {
  const about = { channel: 'id' }
  expect(nextStep('CHANNEL_DAMAGED', { ...about, reason: 'STATE_DAMAGED' })).toBe('persona channel close id')
  expect(nextStep('CHANNEL_DAMAGED', { ...about, reason: 'STATE_VERSION' })).toBeNull()
})

test('the list that a NOT_FOUND names depends on what was looked for', () => {
  expect(nextStep('NOT_FOUND', { what: 'device' })).toBe('persona device list')
  expect(nextStep('NOT_FOUND', { what: 'contact' })).toBe('persona contact list')
  expect(nextStep('NOT_FOUND', {})).toBeNull()
})

test('a code with several situations names a command only where it helps', () => {
  expect(nextStep('CONTACT_IS_OWN', { wants: 'own link' })).toBe('persona link')
  expect(nextStep('CONTACT_IS_OWN')).toBeNull()
  expect(nextStep('CONTACT_PROVISIONAL', { wants: 'link' })).toBe('persona contact add LINK')
  expect(nextStep('CONTACT_PROVISIONAL')).toBeNull()
  expect(nextStep('NUMBER_MISMATCH')).toBeNull()
  expect(nextStep('APP_EXISTS', { app: 'my bot', isAsking: false })).toBe("persona app revoke 'my bot'")
  expect(nextStep('APP_EXISTS', { app: 'bot', isAsking: true })).toBe('persona app pending')
})

test('the steps of channels name the channel, and each way to another daemon', () => {
  expect(nextStep('WORDS_DIFFER', { channel: 'my Bob' })).toBe("persona channel close 'my Bob'")
  expect(nextStep('WORDS_DIFFER')).toBe('persona channel close NAME')
  expect(nextStep('NO_CARRIER')).toBe('persona relay add URL; or net.folders or net.bootstrap by persona config edit')
  expect(nextStep('NO_CARRIER', { network: 'dht' })).toBe('persona config edit')
  expect(nextStep('NAME_TAKEN', { channel: 'Bob' })).toBe('persona channel close Bob')
  expect(nextStep('NAME_TAKEN')).toBeNull()
  expect(nextStep('INVITE_DAMAGED', { kind: 'chat key' })).toBe('persona chat start, on their side')
  expect(nextStep('INVITE_DAMAGED')).toBe(
    'persona chat invite or persona channel invite or persona app link APP --invite, on the other side',
  )
})

test('the steps of messages name the app, and the side that has to do something', () => {
  expect(nextStep('MESSAGE_NO_STORE', { app: 'chat' })).toBe('persona relay add URL, or persona app store chat URL')
  expect(nextStep('MESSAGE_NO_CARD', { app: 'chat' })).toBe('persona message open, on their side')
  expect(nextStep('MESSAGE_NO_CARD', { app: 'org.example.notes' })).toBeNull()
  expect(nextStep('MESSAGE_NO_CARD', { app: 'chat', wants: 'link' })).toBe('persona contact add LINK')
  expect(nextStep('MESSAGE_NO_INBOX', { app: 'chat' })).toBe('persona app inbox chat URL, on their side')
})

test('every command in the table exists', () => {
  const names = new Set(allNodes(commandTree(buildProgram(async () => {}))).map(({ words }) => words.join(' ')))
  const commands = [...SOURCE.matchAll(/persona ((?:[a-z]+ ?)+)/g)].map(([, words]) => words!.trim().split(' '))
  expect(commands.length).toBeGreaterThan(40)
  const known = (words: string[]): boolean => words.some((_, i) => names.has(words.slice(0, i + 1).join(' ')))
  expect(commands.filter((words) => !known(words)).map((words) => words.join(' '))).toEqual([])
})

test('every code in the table is one that a refusal, a finding or an alarm has', () => {
  const daemon = sources('src').join('\n')
  expect(CODES.length).toBeGreaterThan(50)
  expect(CODES.filter((code) => !daemon.includes(`'${code}'`))).toEqual([])
})

test('the daemon names no command of ours: a chat or a web page shows the same texts', () => {
  // The event own.intent-dropped carries the command that repeats the edit: its field `command` is part of the socket.
  const found = sources('src/daemon').flatMap((source) =>
    source
      .split('\n')
      .filter((line) => !/^\s*(\*|\/\/|\/\*\*)/.test(line))
      .flatMap(
        (line) =>
          /['"`: ]persona (init|unlock|pair|join|rotate|tox|device|contact|link|app|status|recovery|reconcile|leave|restore|alarms|pending|service|passphrase|log|doctor|sibling|observe)\b.*['"`]/.exec(
            line,
          )?.[0] ?? [],
      ),
  )
  const intents = readFileSync(resolve('src/daemon/own/own-records.ts'), 'utf8')
  expect(found.filter((text) => !intents.includes(text))).toEqual([])
})

function sources(folder: string): string[] {
  return readdirSync(resolve(folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('next-steps.ts'))
    .map((name) => readFileSync(join(folder, name), 'utf8'))
}

test('a relay that keeps messages by right only is added again with a token', () => {
  const about = { app: 'chat', url: 'https://relay.example/', reason: 'RELAY_NO_RIGHT' }
  const hint = 'ask its operator for a token'
  expect(describeFinding(notice('MESSAGES_UNREACHABLE', 'not read', hint, about))).toBe(
    "not read; ask its operator for a token: persona relay add 'https://relay.example/' --token-file FILE",
  )
  expect(nextStep('MESSAGES_WAITING', { reason: 'RELAY_NO_RIGHT' })).toBe('persona relay add URL --token-file FILE')
  expect(nextStep('MESSAGES_UNREACHABLE', { ...about, reason: 'RELAY_SILENT' })).toBeNull()
})
