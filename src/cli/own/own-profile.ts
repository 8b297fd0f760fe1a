/** Tells the daemon where the profile of an own device is, so that `persona publish` finds it. */
import { realpath } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Client } from '../../ipc/client.ts'
import { remark, type Context } from '../io/context.ts'
import { describeFailure } from '../io/errors.ts'
import { escapeText } from '../io/escape.ts'

/** @param file the profile as the owner gave it; undefined if only its key was given, and then nothing happens */
export async function rememberProfile(
  context: Context,
  client: Client,
  file: string | undefined,
  key: string,
): Promise<void> {
  if (file === undefined) return
  try {
    const path = await realpath(file).catch(() => resolve(file))
    await client.call('profile.remember', { path, key })
  } catch (error) {
    // The edit is done all the same.
    const why = escapeText(describeFailure(error).message)
    remark(context, `the daemon could not remember where the profile is: ${why}`)
  }
}
