/**
 * What the host's relaxed SIMD does: whether it is there, and rounds a product and a sum once. In: nothing. Out: facts, found by running a module of a few bytes; the same for the life of the process once true.
 * Source: WebAssembly relaxed SIMD proposal (its results are the host's choice). V8 uses FMA3 on x86-64 and FMLA on ARM; where there is no FMA3 it rounds twice.
 */

/** One function (a, b, c) -> a * b + c of each type: `r` of f64x2, `s` of f32x4. */
const PROBE = Uint8Array.from([
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x01, 0x0f, 0x02, 0x60, 0x03, 0x7c, 0x7c, 0x7c, 0x01, 0x7c, 0x60, 0x03, 0x7d, 0x7d, 0x7d, 0x01, 0x7d],
  ...[0x03, 0x03, 0x02, 0x00, 0x01],
  ...[0x07, 0x09, 0x02, 0x01, 0x72, 0x00, 0x00, 0x01, 0x73, 0x00, 0x01],
  ...[0x0a, 0x2b, 0x02],
  ...[0x14, 0x00, 0x20, 0x00, 0xfd, 0x14, 0x20, 0x01, 0xfd, 0x14, 0x20, 0x02, 0xfd, 0x14, 0xfd, 0x87, 0x02],
  ...[0xfd, 0x21, 0x00, 0x0b],
  ...[0x14, 0x00, 0x20, 0x00, 0xfd, 0x13, 0x20, 0x01, 0xfd, 0x13, 0x20, 0x02, 0xfd, 0x13, 0xfd, 0x85, 0x02],
  ...[0xfd, 0x1f, 0x00, 0x0b],
]);

type Fma = (a: number, b: number, c: number) => number;

/** True where the engine compiles relaxed SIMD. It may turn true when a flag is set (src/engine/relaxed-simd.ts). */
export function hasRelaxedSimd(): boolean {
  return WebAssembly.validate(PROBE);
}

let fused = false;

/** True where relaxed_madd rounds once. */
export function hasFusedMadd(): boolean {
  fused ||= hasRelaxedSimd() && probeFused();
  return fused;
}

function probeFused(): boolean {
  const { r, s } = new WebAssembly.Instance(new WebAssembly.Module(PROBE)).exports as unknown as { r: Fma; s: Fma };
  // (1 + e)(1 - e) - 1 = -e * e; the product alone rounds to 1.
  const [d, f] = [2 ** -30, 2 ** -13];
  return r(1 + d, 1 - d, -1) === -d * d && s(1 + f, 1 - f, -1) === -f * f;
}
