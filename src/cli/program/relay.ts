/** `persona relay ...`: commands about the relays where the owner receives. */
import type { Command } from 'commander'
import type { AddRelayOptions } from '../daemon/relays.ts'
import type { Runner } from './options.ts'

export function addRelay(relay: Command, run: Runner): void {
  relay
    .command('list')
    .description('list the relays where you receive')
    .action(() => run(async (context) => (await import('../daemon/relays.ts')).list(context)))
  relay
    .command('add <url>')
    .description('try a relay and receive there from now on')
    .option('--token-file <file>', 'file with the token that its operator gave you; - for stdin')
    .option('--force', 'add it although it does not work now')
    .action((url: string, options: AddRelayOptions) =>
      run(async (context) => (await import('../daemon/relays.ts')).add(context, url, options)),
    )
  relay
    .command('remove <url>')
    .description('receive at a relay no more; channels that use it go on')
    .action((url: string) => run(async (context) => (await import('../daemon/relays.ts')).remove(context, url)))
}
