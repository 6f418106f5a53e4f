/**
 * Branded ids: numbers and bigints that must not be mixed. In: nothing. Out: types and their constructors.
 */
declare const brand: unique symbol;
type Brand<T, B extends string> = T & { readonly [brand]: B };

/** Guest virtual address: an integer number, 0 to 2**47 - 1. */
export type GuestAddr = Brand<number, 'GuestAddr'>;
/** Index of a temp or global in its TB's temp list. */
export type TempId = Brand<number, 'TempId'>;
/** Index of a label in its TB. */
export type LabelId = Brand<number, 'LabelId'>;
/** Number of a TB, unique in a guest process. */
export type TbId = Brand<number, 'TbId'>;
/** Guest file descriptor. */
export type Fd = Brand<number, 'Fd'>;
/** Linux thread id. */
export type Tid = Brand<number, 'Tid'>;
/** Linux process id: the tid of the thread group's leader. */
export type Pid = Brand<number, 'Pid'>;

/** First guest address that is outside of the 47-bit user address space. */
export const USER_SPACE_END = 2 ** 47;
/** First address that no user mapping, base or debug register can have (Linux): a page below. */
export const TASK_SIZE_MAX = 0x7fff_ffff_f000n;

/** Checked constructor. Throws RangeError when `value` is no integer in 0..2**47-1. */
export function guestAddr(value: number | bigint): GuestAddr {
  const n = Number(value);
  if (!Number.isInteger(n) || n < 0 || n >= USER_SPACE_END) {
    throw new RangeError(`not a guest address: ${String(value)}`);
  }
  return n as GuestAddr;
}
