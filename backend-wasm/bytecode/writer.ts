/**
 * Writes bytecode: fields and words at the end of a buffer that all writers of a thread use in turn. In: numbers. Out: bytes, little-endian, always a multiple of 8. Format: opcodes.ts.
 */

/** The buffer, and views over it. */
let buffer = new Uint8Array(1 << 14);
let halves = new Uint16Array(buffer.buffer);
let words = new DataView(buffer.buffer);

export class BytecodeWriter {
  /** Bytes written. */
  size = 0;

  /** The first `size` of them are this writer's, until another one writes. */
  get bytes(): Uint8Array {
    return buffer;
  }

  /** Room for `bytes` more. */
  private reserve(bytes: number): void {
    if (this.size + bytes <= buffer.length) return;
    const larger = new Uint8Array(2 * buffer.length);
    larger.set(buffer);
    buffer = larger;
    halves = new Uint16Array(buffer.buffer);
    words = new DataView(buffer.buffer);
  }

  /** Four u16 fields: the opcode first in an op. */
  protected fields(a: number, b: number, c: number, d: number): void {
    this.reserve(8);
    const at = this.size >> 1;
    halves[at] = a;
    halves[at + 1] = b;
    halves[at + 2] = c;
    halves[at + 3] = d;
    this.size += 8;
  }

  /** The first `count` of u16 fields, padded to a multiple of four. */
  protected fieldList(list: Int32Array, count: number): void {
    for (let k = count; k & 3; k++) list[k] = 0;
    for (let k = 0; k < count; k += 4) this.fields(list[k] ?? 0, list[k + 1] ?? 0, list[k + 2] ?? 0, list[k + 3] ?? 0);
  }

  protected bigWord(value: bigint): void {
    this.reserve(8);
    words.setBigUint64(this.size, value, true);
    this.size += 8;
  }

  protected word(low: number, high: number): void {
    this.reserve(8);
    words.setUint32(this.size, low, true);
    words.setUint32(this.size + 4, high, true);
    this.size += 8;
  }

  /** A guest pc, or another immediate. */
  protected pcWord(pc: number): void {
    this.word(pc >>> 0, Math.floor(pc / 2 ** 32));
  }

  /** Bytes, a multiple of 8. */
  protected byteList(list: readonly number[]): void {
    this.reserve(list.length);
    buffer.set(list, this.size);
    this.size += list.length;
  }

  /** Puts an i32 at a place that was written before. */
  protected patch(at: number, value: number): void {
    words.setInt32(at, value, true);
  }
}
