/** Letters before a wing carries or reads them. */
import { expect, test } from 'vitest'
import { noLetters } from '../../../../src/daemon/wing/letters.ts'

test('an invite goes nowhere and one that comes is left where no wing carries them, and whoever asks goes on', async () => {
  const letters = noLetters()
  expect(await letters.send('org.example.notes', 'A'.repeat(64), 'an invite')).toBe(false)
  const letter = { app: 'org.example.notes', persona: 'A'.repeat(64), device: 'B'.repeat(64), invite: 'an invite' }
  expect(await letters.take(letter)).toBeUndefined()
})

test('a wing that puts itself in is heard by those who had the letters before', async () => {
  const letters = noLetters()
  const heard: string[] = []
  const { take } = {
    take: async (invite: string) => await letters.take({ app: 'a', persona: 'A', device: 'B', invite }),
  }
  letters.take = ({ invite }) => Promise.resolve(void heard.push(invite))
  await take('an invite')
  expect(heard).toEqual(['an invite'])
})
