/** The families of sockets: a row each. In: nothing. Out: the table. */
import { AF } from './constants.js';
import type { Family } from './family.js';
import { unixFamily } from './unix-family.js';

export const FAMILIES: Readonly<Record<number, Family | undefined>> = { [AF.UNIX]: unixFamily };
