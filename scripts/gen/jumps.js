/** AssemblyScript of the way from one TB to the next, in the interpreter's loop. In: nothing. Out: lines on its variables cpu, tb, pc, fuel, insns, flags. */

/** Lines that enter `tb`. */
export const enter = () => `store<i32>(cpu + CPU_CUR_TB, <i32>tb);
    insns += <i64>load<u32>(tb + TB_INSNS);
    pc = tb + TB_CODE;`;

/** Lines that leave before the TB at `target`: polls, fuel, single steps (whose fuel is 1). */
export const leaveOnTheWay =
  () => `if (atomic.load<i32>(cpu + CPU_CONTROL) != 0) return leave(cpu, target, EXIT_POLL, fuel, insns);
    if (--fuel == 0) return outOfFuel(cpu, target, insns);`;

/** Lines that go to the TB `next` (0: none known) at `target`; `link` is the cell that names it, or 0. */
export const goTo = (link) => `const heat = load<i32>(next + TB_HEAT) - 1;
    if (next != 0 && load<i32>(next + TB_STATE) == TB_STATE_VALID && load<i32>(next + TB_SLOT) == 0 && heat >= 0) {
      store<i32>(next + TB_HEAT, heat);
      tb = next;
    } else {
      store<u64>(cpu + CPU_RIP, target);
      tb = resolve(cpu, ${link});
      if (tb == 0) return left(cpu, fuel + 1, insns);
    }
    ${enter()}`;
