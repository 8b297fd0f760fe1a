/** How many contacts an app takes by itself in a day. */
import { BY_ITSELF } from './kinds.ts'
import type { ProposalMeans } from './means.ts'

const DAY_SEC = 86_400

export class ByItself {
  readonly #means: Pick<ProposalMeans, 'keeper' | 'sealed'>

  constructor(means: Pick<ProposalMeans, 'keeper' | 'sealed'>) {
    this.#means = means
  }

  /** Takes one more, if fewer than `most` were taken in the last 24 hours. */
  async take(app: string, most: number): Promise<boolean> {
    const { keeper, sealed } = this.#means
    const nowSec = keeper.nowSec
    const times = sealed.onDisk(BY_ITSELF).get(app) ?? []
    const recent = times.filter((sec) => sec > nowSec - DAY_SEC)
    if (recent.length >= most) return false
    await keeper.change(() => sealed.inChange(BY_ITSELF).put(app, [...recent, nowSec]))
    return true
  }
}
