/** The families of sockets: a row each. In: nothing. Out: the table. */
import { AF } from './constants.js';
import type { Family } from './family.js';
import { inetFamily } from './inet-family.js';
import { netlinkFamily } from './netlink.js';
import { unixFamily } from './unix-family.js';

export const FAMILIES: Readonly<Record<number, Family | undefined>> = {
  [AF.UNIX]: unixFamily,
  [AF.INET]: inetFamily,
  [AF.INET6]: inetFamily,
  [AF.NETLINK]: netlinkFamily,
};
