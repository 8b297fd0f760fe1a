/** The stores of a relay that need no other program, by the suite that holds for every store. */
import { SUBJECTS } from '../support/relay-stores.ts'
import { testBoxes } from './relay-store/boxes.ts'
import { testCards } from './relay-store/cards.ts'
import { testInboxes } from './relay-store/inboxes.ts'
import { testObjects } from './relay-store/objects.ts'

for (const suite of [testBoxes, testCards, testInboxes, testObjects]) suite(SUBJECTS)
