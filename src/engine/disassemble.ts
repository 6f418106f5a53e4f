/**
 * Guest instructions as text, for dumps. In: bytes and their guest address. Out: lines of address, bytes and Intel syntax.
 * iced-x86 does the formatting; it is loaded only when a dump asks for it.
 */
import { hex } from '../base/hex.js';

export type Disassemble = (bytes: Uint8Array, pc: number) => string[];

/** Loads iced-x86 and gives the disassembler. */
export async function loadDisassembler(): Promise<Disassemble> {
  const { Decoder, DecoderOptions, Formatter, FormatterSyntax } = await import('iced-x86');
  return (bytes, pc) => {
    const decoder = new Decoder(64, bytes, DecoderOptions.None);
    decoder.ip = BigInt(pc);
    const formatter = new Formatter(FormatterSyntax.Intel);
    const lines: string[] = [];
    let at = 0;
    while (decoder.canDecode) {
      const instruction = decoder.decode();
      const end = Math.min(at + Math.max(instruction.length, 1), bytes.length);
      const raw = Buffer.from(bytes.subarray(at, end)).toString('hex');
      lines.push(`0x${hex(pc + at)}:  ${raw.padEnd(22)}  ${formatter.format(instruction)}`);
      instruction.free();
      at = end;
    }
    formatter.free();
    decoder.free();
    return lines;
  };
}
