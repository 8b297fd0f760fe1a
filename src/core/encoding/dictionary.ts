/**
 * The preset dictionary of the document's DEFLATE stream (docs/format.md, section 11). It belongs to blob version 1 forever: a
 * reader with another dictionary would inflate another document. Improvements must wait for version 2.
 */
import { encodeUtf8 } from './bytes.ts'

// Common device names. The most common come last, where a distance takes fewer bits. Commas and spaces count, since a match
// includes them. The list was chosen by the compressed size of 3000 made-up tables in nine languages.
const TEXT =
  '手机,电脑,平板,casa,trabajo,Raspberry Pi,living room,school,travel,spare,backup,windows,android,ubuntu,Samsung,Surface,' +
  'Rechner,Büro,móvil,celular,ordinateur,мой рабочий компьютер,планшет,телефон,ноутбук,Laptop,Lenovo,galaxy,thinkpad,pixel,' +
  'macbook,MacBook Air,netbook,watch,Handy,telefono,téléphone,portable,iphone,ipad,' +
  "'s iPhone,Pixel,ThinkPad,gaming pc,linux,server,workstation,notebook,mobile, 2,office computer,old home " +
  'names: [laptop,phone,tablet,desktop,'

/** 509 bytes of UTF-8. */
export const DOCUMENT_DICTIONARY: Uint8Array = encodeUtf8(TEXT)
