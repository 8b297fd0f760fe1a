/** Mistakes that people make with `persona chat`, and what they read then. */
import { expect, test } from 'vitest'
import { twoSides } from '../support/channel-sides.ts'
import { homeOf } from '../support/chat-sides.ts'
import { tempDir } from '../support/temp-dir.ts'

const TIMEOUT_MS = 60_000

test(
  'a mistake in a chat is told with its cause, and the hint names the command with the words that were typed',
  async () => {
    const [alice, bob] = (await twoSides({ folders: [tempDir()] })).map(homeOf)
    const told = async (home: typeof alice, ...args: string[]): Promise<string> =>
      (await home!.run(['chat', ...args], { stdin: '' })).stderr

    expect(await told(alice, 'Bob')).toContain('hint: persona chat invite Bob\n')
    const invited = await alice!.run(['chat', 'invite', 'Bob'])
    expect(invited.stderr).toContain('the other side runs: persona chat accept INVITE\n')
    expect(await told(alice, 'Bob')).toMatch(/nobody has used the invite for Bob yet.*persona channel close Bob/s)
    expect(await told(alice, 'invite', 'Bob')).toMatch(/NAME_TAKEN.*persona channel close Bob/s)

    expect(await told(alice, 'start', 'Carol')).toContain('persona chat add-friend Carol KEY')
    const [own, other] = await Promise.all(
      [alice, bob].map(async (home) => ((await home!.json(['chat', 'keygen'])) as { key: string }).key),
    )
    expect(await told(alice, 'keygen')).toContain(`there is a key already: ${own} (PAIR_KEY_EXISTS)`)
    expect(await told(alice, 'add-friend', 'Carol', own!.toLowerCase())).toContain('your own key, not that of Carol')
    await alice!.done(['chat', 'add-friend', 'Carol', 'AB'.repeat(32)])
    const replaced = await alice!.done(['chat', 'add-friend', 'carol', other!])
    expect(replaced).toContain(`carol has another key from now on; the one before was ${'AB'.repeat(32)}`)

    await bob!.done(['chat', 'add-friend', 'Alice', own!])
    const key = await alice!.done(['chat', 'start', 'Carol'], { stdin: '' })
    const ofStart = /key.*\(INVITE_[A-Z]+\)\npersona: hint: persona chat start, on their side\n/
    expect(await told(bob, 'respond', 'Alice', 'VLD0:abcd1234')).toMatch(ofStart)
    expect(await told(bob, 'respond', 'Alice', `${key.trim()}x`)).toMatch(ofStart)
    expect(await told(bob, 'invite', 'Dora', '--over', 'dht')).toContain('net.proxy: persona config edit\n')
  },
  TIMEOUT_MS,
)
