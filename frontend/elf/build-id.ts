/**
 * The build ID of an ELF file, by which its separate symbols are found. In: the file's bytes. Out: hex digits.
 * Source: System V gABI, chapter 5 (note section); GNU ld manual, --build-id; GDB manual, Separate Debug Files.
 */
import { readSections, SHT_NOTE } from './sections.js';

const NT_GNU_BUILD_ID = 3;
const NOTE_HEADER = 12;
const align = (n: number): number => (n + 3) & ~3;

/** Undefined when the file has none. */
export function buildIdOf(file: Uint8Array): string | undefined {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  for (const section of readSections(file)) {
    if (section.type !== SHT_NOTE) continue;
    const end = Math.min(section.offset + section.size, bytes.length);
    for (let at = section.offset; at + NOTE_HEADER <= end;) {
      const [nameSize, size] = [bytes.readUInt32LE(at), bytes.readUInt32LE(at + 4)];
      const name = bytes.toString('latin1', at + NOTE_HEADER, at + NOTE_HEADER + nameSize);
      const data = at + NOTE_HEADER + align(nameSize);
      if (name === 'GNU\0' && bytes.readUInt32LE(at + 8) === NT_GNU_BUILD_ID && data + size <= end)
        return bytes.toString('hex', data, data + size);
      at = data + align(size);
    }
  }
  return undefined;
}

/** Where distributions keep the symbols of a stripped file, below the root. */
export function debugFileOf(buildId: string): string {
  return `/usr/lib/debug/.build-id/${buildId.slice(0, 2)}/${buildId.slice(2)}.debug`;
}
