/**
 * Exceptions whose cause is known at run time alone, and the request to look at EFLAGS. In: vector and error code; an address. Out: the exit in CPU state.
 * Source: SDM volume 3, 6.13 (error codes), 6.15 (#AC).
 */
import { CONTROL_KICK, CPU_CONTROL, CPU_EXIT_ARG0, EXC_AC } from '../interpreter/gen/constants';
import { exception } from './guard';

/** Raises `vector` with an error code. */
export function raise(cpu: i32, vector: i32, error: i64): void {
  exception(<usize>cpu, vector);
  store<i64>(<usize>cpu + CPU_EXIT_ARG0, <i64>vector | (error << 8));
}

/** #AC unless the address is a multiple of `align`. */
export function check_aligned(cpu: i32, address: i64, align: i32): void {
  if ((<u32>address & <u32>(align - 1)) != 0) exception(<usize>cpu, EXC_AC);
}

/** The next poll leaves translated code: the trap flag or the alignment check flag may have been set. */
export function kick(cpu: i32): void {
  atomic.or<i32>(<usize>cpu + CPU_CONTROL, CONTROL_KICK);
}
