/** Charges one request to the address that it came from. */
import type { Bucket, RelayStore } from './relay-store.ts'

/**
 * @param address as HMAC
 * @returns seconds until the address may ask again; 0 if it may now
 */
export async function chargeAddress(
  store: Pick<RelayStore, 'spend'>,
  address: string,
  limit: Pick<Bucket, 'burst' | 'perSec'>,
  nowUs: number,
): Promise<number> {
  const waitMs = await store.spend([{ key: `address:${address}`, ...limit }], nowUs)
  return Math.ceil(waitMs / 1000)
}
