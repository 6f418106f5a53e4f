/** Constants of the guest layout as AssemblyScript. In: the compiled contract modules of src/guest. Out: the text of gen/constants.ts. */

/** @param {{ cpu: object, map: object, tbh: object, flags: object, float: object }} modules cpu-state, memory-map, tb-header, flags, float-ops */
export function constants({ cpu, map, tbh, flags, float }) {
  const lines = [];
  const put = (name, type, value) => lines.push(`export const ${name}: ${type} = ${value};`);
  const group = (prefix, type, object) => {
    for (const [name, value] of Object.entries(object))
      put(`${prefix}_${name}`, type, type === 'i32' ? value : value >>> 0);
  };
  for (const name of ['GUEST_END', 'PERM_TABLE', 'PAGE_TBS', 'PCB_BASE', 'TB_HASH', 'HIGH_MAP_BASE'])
    put(name, 'usize', map[name]);
  for (const name of ['TB_HASH_BITS', 'HIGH_TABLE_BITS', 'PAGE_SHIFT']) put(name, 'i32', map[name]);
  put('SPLIT_REACH', 'i32', cpu.SPLIT_REACH);
  put('JUMP_CACHE_BITS', 'i32', cpu.JUMP_CACHE_BITS);
  put('HASH_MULTIPLIER', 'u32', tbh.HASH_MULTIPLIER);
  put('HEAT_OFF', 'i32', tbh.HEAT_OFF);
  group('PCB', 'usize', map.PCB);
  group('CPU', 'usize', cpu.CPU);
  group('TB', 'usize', tbh.TB);
  group('PERM', 'u32', map.PERM);
  group('PF', 'u32', cpu.PF);
  group('EXIT', 'i32', cpu.EXIT);
  group('EXC', 'i32', cpu.EXC);
  group('RUN_FLAG', 'i32', cpu.RUN_FLAG);
  group('CONTROL', 'i32', cpu.CONTROL);
  group('TB_STATE', 'i32', tbh.TB_STATE);
  group('TB_FLAG', 'i32', tbh.TB_FLAG);
  group('CC', 'i32', flags.CC);
  group('FLAG', 'i32', flags.FLAG);
  group('FLOAT_OP', 'i32', float.FLOAT_OP);
  group('FMA_NEGATE', 'i32', float.FMA_NEGATE);
  group('FLOAT_CONVERT', 'i32', float.FLOAT_CONVERT);
  group('OUTCOME', 'i32', float.OUTCOME);
  put(
    'PREDICATE_HOLDS',
    'u64',
    float.PREDICATE_HOLDS.reduce((all, holds, i) => all | (BigInt(holds) << BigInt(4 * i)), 0n),
  );
  put('FLOAT_TRUNCATE', 'i32', float.FLOAT_TRUNCATE);
  return lines.join('\n') + '\n';
}
