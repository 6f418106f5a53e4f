/** Random numbers for RDRAND and RDSEED: the engine's, which -seed determines (runtime/linux/random.ts). Source: SDM 2B, RDRAND. */

@external('env', 'random')
declare function nextRandom(): i64;

export function random(cpu: i32): i64 {
  return nextRandom();
}
