/**
 * Symbols for logs and reports: pc -> name, through the file that is mapped there. In: the address space. Out: names. Files are read once, when first asked for.
 */
import { readFileSync } from 'node:fs';
import { parseElf } from '../../frontend/elf/elf.js';
import type { Symbols } from '../../frontend/elf/symbols.js';
import type { AddressSpace } from '../../runtime/memory/address-space.js';
import { symbolsOf } from './symbol-files.js';

interface Module {
  readonly symbols: Symbols;
  /** File offset -> address as linked. */
  readonly linked: (offset: number) => number | undefined;
}

export class GuestSymbols {
  private readonly modules = new Map<string, Module | undefined>();

  /** @param prefix the directory that -L names */
  constructor(
    private readonly mm: AddressSpace,
    private readonly prefix: string | undefined,
  ) {}

  /** Name of the function at `pc`; empty when unknown. */
  at(pc: number): string {
    const place = this.mm.fileAt(pc);
    if (place === undefined) return '';
    const module = this.module(place.path);
    const address = module?.linked(place.offset);
    return address === undefined ? '' : (module?.symbols.at(address)?.name ?? '');
  }

  private module(path: string): Module | undefined {
    if (!this.modules.has(path)) this.modules.set(path, load(path, this.prefix));
    return this.modules.get(path);
  }
}

function load(path: string, prefix: string | undefined): Module | undefined {
  try {
    const file = readFileSync(Buffer.from(path, 'latin1'));
    const { segments } = parseElf(file, path);
    return {
      symbols: symbolsOf(file, prefix),
      linked: (offset) => {
        const s = segments.find((g) => offset >= g.offset && offset < g.offset + g.fileSize);
        return s === undefined ? undefined : s.address + offset - s.offset;
      },
    };
  } catch {
    // Not an ELF file, or gone: it has no symbols for us.
    return undefined;
  }
}
