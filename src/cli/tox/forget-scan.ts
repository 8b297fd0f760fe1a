/** `persona contact forget --from FILE`: undoes the scan of a profile, such as somebody else's. */
import { withDaemon } from '../io/connect.ts'
import { print, remark, type Context } from '../io/context.ts'
import { EXIT_DONE } from '../io/errors.ts'
import { escapeText } from '../io/escape.ts'
import { countOf } from '../io/layout.ts'
import { profileOpener } from './open.ts'

const MAX_NAMES = 10 // sanity: a line or two

export async function forgetScan(
  context: Context,
  file: string,
  options: { readonly passphraseFile?: string },
): Promise<number> {
  const { key } = await profileOpener({ file: options.passphraseFile, option: '--passphrase-file' })(file)
  const { result, isWatched } = await withDaemon(context, async (client) => {
    const { profiles } = await client.call('profile.list')
    return {
      result: await client.call('observe.undo', { profile: key }),
      isWatched: profiles.some((profile) => profile.key === key),
    }
  })
  const { devices, contacts } = result
  const names = result.names.slice(0, MAX_NAMES).map(escapeText).join(', ')
  const more = contacts > MAX_NAMES ? `, and ${contacts - MAX_NAMES} more` : ''
  print(context, result, [
    `dropped what ${escapeText(file)} showed of ${countOf(devices, 'device')}`,
    ...(contacts === 0 ? [] : [`forgot ${countOf(contacts, 'contact')}: ${names}${more}`]),
    'contacts that you changed, or that another source has shown, stay',
  ])
  if (isWatched)
    remark(
      context,
      'the daemon watches this profile, so its friends come back; take it out of watch.profiles in the configuration',
    )
  return EXIT_DONE
}
