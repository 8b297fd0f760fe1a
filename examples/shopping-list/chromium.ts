/** Debian's Chromium, without a window. */
import { spawnSync } from 'node:child_process'
import { chromium, type BrowserContext } from 'playwright-core'

/** The Chromium of this machine; undefined where there is none. */
export const BROWSER: string | undefined = ['chromium', 'chromium-browser', 'google-chrome'].find(
  (name) => spawnSync(name, ['--version']).error === undefined,
)
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage']
const PHONE = { width: 360, height: 740 } // CSS pixels: the narrowest phones that are common

/** Starts a browser, a process of its own with the screen of a phone. @param profile the directory of its profile */
export async function launchBrowser(profile: string): Promise<BrowserContext> {
  return await chromium.launchPersistentContext(profile, {
    executablePath: `/usr/bin/${BROWSER}`,
    args: FLAGS,
    viewport: PHONE,
  })
}
