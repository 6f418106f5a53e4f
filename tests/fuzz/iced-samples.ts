/**
 * Instructions of every op code that iced-x86 knows in 64-bit mode. In: its op code table. Out: the op codes, each with bytes that iced decodes as just that, or none.
 * Source: SDM 2A, 3.1.1.1 and 2.7 (notation, VEX, EVEX); AMD APM volume 3, 1.2 (XOP, 3DNow!).
 */
import { Code, CpuidFeature, Decoder, EncodingKind, Instruction, Mnemonic, type OpCodeInfo } from 'iced-x86';

const featureNames = CpuidFeature as unknown as Readonly<Record<number, string>>;
const mnemonicNames = Mnemonic as unknown as Readonly<Record<number, string>>;
/** Entries of the table that are no instructions. */
const PSEUDO = /^(INVALID|Declare\w+|Zero_bytes)$/;

export interface OpCode {
  readonly name: string;
  readonly mnemonic: string;
  readonly encoding: EncodingKind;
  /** As the SDM writes them. */
  readonly opCode: string;
  readonly form: string;
  readonly features: readonly string[];
  /** One sample for each shape of operands (registers, memory, VSIB) that the op code takes; none where no sample is decoded as it. */
  readonly samples: readonly Uint8Array[];
}

const hexByte = (text: string): number => parseInt(text, 16);

/** Prefix bytes of a VEX, EVEX or XOP form, from 'VEX.256.66.0F38.W1' and so on. `aaa`: the mask register of an EVEX form, which gathers need. */
function longPrefix(spec: string, aaa: number): number[] {
  const parts = spec.split('.');
  const has = (part: string): boolean => parts.includes(part);
  const pp = has('66') ? 1 : has('F3') ? 2 : has('F2') ? 3 : 0;
  const w = has('W1') ? 0x80 : 0;
  const length = has('512') ? 2 : has('256') || has('L1') ? 1 : 0;
  if (spec.startsWith('XOP')) return [0x8f, 0xe0 | (has('X8') ? 8 : has('X9') ? 9 : 10), w | 0x78 | (length << 2) | pp];
  const map = has('0F38') ? 2 : has('0F3A') ? 3 : has('MAP5') ? 5 : has('MAP6') ? 6 : 1;
  if (spec.startsWith('VEX')) return [0xc4, 0xe0 | map, w | 0x78 | (length << 2) | pp];
  return [0x62, 0xf0 | map, w | 0x7c | pp, 0x08 | (length << 5) | aaa];
}

const IMMEDIATES: Readonly<Record<string, number>> = {
  ib: 1,
  iw: 2,
  id: 4,
  io: 8,
  cb: 1,
  cw: 2,
  cd: 4,
  cp: 6,
  mo: 8,
  '/is4': 1,
  '/is5': 1,
};

/** A ModRM byte with the bits that '!(11):001:bbb' gives, and the rest of `modrm`. */
function fixed(pattern: string, [byte = 0, ...rest]: readonly number[]): number[] {
  const [mod = '', reg = '', rm = ''] = pattern.split(':');
  const bits = (text: string, own: number): number => (/^[01]+$/.test(text) ? parseInt(text, 2) : own);
  return [(bits(mod, byte >> 6) << 6) | (bits(reg, (byte >> 3) & 7) << 3) | bits(rm, byte & 7), ...rest];
}

/** Bytes of one instruction of the form; which ModRM it has is tried out by the caller. */
function bytesOf(info: OpCodeInfo, modrm: readonly number[], aaa: number): number[] {
  const prefixes: number[] = [];
  const opcode: number[] = [];
  let rexW = false;
  let tail: number[] = [];
  let immediates = 0;
  const tokens = info.opCodeString.split(' ');
  for (const [at, token] of tokens.entries()) {
    const imm = IMMEDIATES[token];
    if (/^(VEX|EVEX|XOP)\./.test(token)) opcode.push(...longPrefix(token, aaa));
    else if (token === 'o64' || token === 'REX.W') rexW = true;
    else if (token === 'o16') prefixes.push(0x66);
    else if (token === 'a32') prefixes.push(0x67);
    else if (/^(NP|o32|a64|a16)$/.test(token)) continue;
    else if (/^(66|F2|F3)$/.test(token) && opcode.length === 0) prefixes.push(hexByte(token));
    else if (token === '/r' || token === '/vsib') tail = [...modrm];
    else if (/^(!\(11\)|11):/.test(token)) tail = fixed(token, modrm);
    else if (/^\/[0-7]$/.test(token)) tail = [((modrm[0] ?? 0) & 0xc7) | (Number(token[1]) << 3), ...modrm.slice(1)];
    else if (imm !== undefined) immediates += imm;
    // 3DNow!: the opcode's last byte stands behind the operands.
    else if (tokens[at - 1] === '/r' && info.encoding === EncodingKind.D3NOW) tail.push(hexByte(token));
    else opcode.push(hexByte(token.slice(0, 2)));
  }
  return [...prefixes, ...(rexW ? [0x48] : []), ...opcode, ...tail, ...new Array<number>(immediates).fill(0x40)];
}

/** Registers; memory by [rcx]; memory with a SIB byte whose index is rdx (xmm2, for gathers). */
const MODRMS: readonly (readonly number[])[] = [[0xca], [0xd9], [0x09], [0x0c, 0x11]];

function samplesOf(code: Code, info: OpCodeInfo): Uint8Array[] {
  const samples: Uint8Array[] = [];
  for (const modrm of MODRMS) {
    for (const aaa of info.encoding === EncodingKind.EVEX ? [0, 1] : [0]) {
      const bytes = Uint8Array.from(bytesOf(info, modrm, aaa));
      const decoder = new Decoder(64, bytes, 0);
      const theirs = decoder.decode();
      const isIt = theirs.code === code && theirs.length === bytes.length;
      theirs.free();
      decoder.free();
      if (!isIt) continue;
      samples.push(bytes);
      break;
    }
  }
  return samples;
}

/** The op codes of 64-bit mode, without those of the first Xeon Phi (MVEX and 'KNC'), whose bytes are other instructions elsewhere. */
export function icedOpCodes(): OpCode[] {
  const list: OpCode[] = [];
  for (const [name, code] of Object.entries(Code)) {
    if (typeof code !== 'number' || PSEUDO.test(name)) continue;
    const instruction = new Instruction();
    instruction.code = code;
    const info = instruction.opCode;
    const features = Array.from(instruction.cpuidFeatures(), (f) => featureNames[f] ?? String(f));
    if (info.mode64 && info.encoding !== EncodingKind.MVEX && !features.includes('KNC'))
      list.push({
        name,
        mnemonic: (mnemonicNames[info.mnemonic] ?? '').toLowerCase(),
        encoding: info.encoding,
        opCode: info.opCodeString,
        form: info.instructionString,
        features,
        samples: samplesOf(code, info),
      });
    info.free();
    instruction.free();
  }
  return list;
}
