/** Tables of CRC32C, eight bytes a step. In: nothing. Out: AssemblyScript. Source: SDM 2A, CRC32 (polynomial 0x11EDC6F41, bits reflected). */
const POLYNOMIAL = 0x82f63b78;

/** Remainder of the byte `n` followed by `zeros` bytes of zero. */
function remainder(n, zeros) {
  let crc = n;
  for (let bit = 0; bit < 8 * (zeros + 1); bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
  return crc >>> 0;
}

export function crcTables() {
  const rows = Array.from({ length: 8 }, (_, zeros) =>
    Array.from({ length: 256 }, (_, n) => `0x${remainder(n, zeros).toString(16)}`).join(', '),
  );
  return `/** Entry n of table k, 1 KiB each: the remainder of the byte n and k bytes of zero behind it. Read only: every thread shares them. */\nexport const CRC_TABLES: usize = memory.data<u32>([\n${rows.map((row) => `  ${row},\n`).join('')}], 16);\n`;
}
