/** Commands about announcements on the DHT. */
import { Option, type Command } from 'commander'
import type { AnnounceOptions } from '../own/announce.ts'
import type { Runner } from './options.ts'

/** `announce ...`. */
export function addAnnounce(announce: Command, run: Runner): void {
  announce.action(() => run(async (context) => (await import('../own/announce.ts')).announce(context)))
  announce
    .command('on')
    .description('announce your table; contacts alone can read it')
    .addOption(new Option('--kind <kind>', 'let more people read it').choices(['contacts', 'devices', 'public']))
    .action((options: AnnounceOptions) =>
      run(async (context) => (await import('../own/announce.ts')).announceOn(context, options)),
    )
  announce
    .command('off')
    .description('stop announcing your table')
    .action(() => run(async (context) => (await import('../own/announce.ts')).announceOff(context)))
  announce
    .command('reread')
    .description('draw a new reading key; former contacts find nothing new')
    .action(() => run(async (context) => (await import('../own/announce.ts')).announceReread(context)))
}
