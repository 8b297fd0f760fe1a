/** The contract of records, over what needs no network of others; test/e2e/records-dht.test.ts has the DHT. */
import { describe } from 'vitest'
import { holdRecordContract } from '../support/record-contract.ts'
import { memoryRecords, realVeilid, veilidStandIn } from '../support/record-networks.ts'

describe.each([memoryRecords, veilidStandIn, ...realVeilid()])('records in $name', holdRecordContract)
