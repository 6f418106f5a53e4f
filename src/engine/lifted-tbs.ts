/**
 * TBs as regions are formed from them, lifted and optimised: each once, though several regions hold it (bash's loop of the benchmarks: 9400 times 3100 TBs). In: guest pcs. Out: Tbs.
 * What was lifted counts until code is invalidated: only pages that are marked CODE are watched for writes, and only TBs on such pages are given.
 */
import { PAGE_SIZE } from '../guest/memory-map.js';
import type { Tb } from '../ir/types.js';
import { optimise, type Pass } from '../opt/pipeline.js';
import type { Decode } from '../../frontend/x86-64/decoder.js';
import { translate } from '../../frontend/x86-64/translate.js';
import type { CodeCache } from './code-cache.js';
import { GuestCodeReader } from './code-reader.js';
import type { MemoryViews } from './memory-views.js';
import { isFloatPrecise, MAX_TB_INSNS } from './translator.js';

/** TBs that are kept: some 5 KB each. */
const MAX_KEPT = 4000;

export interface LiftedTbsOptions {
  readonly decode: Decode;
  readonly passes: readonly Pass[];
}

export class LiftedTbs {
  private readonly reader: GuestCodeReader;
  private readonly kept = new Map<number, Tb>();
  /** The code's generation, read before the bytes of what is kept, and how floats were lifted. */
  private generation = -1;
  private preciseFloat = false;

  constructor(
    private readonly views: MemoryViews,
    private readonly cache: CodeCache,
    private readonly options: LiftedTbsOptions,
  ) {
    this.reader = new GuestCodeReader(views, () => undefined);
  }

  /** The TB at `pc`, optimised; undefined where there is no code that is watched. */
  at(pc: number): Tb | undefined {
    this.forget();
    const page = Math.floor(pc / PAGE_SIZE);
    // Marked before the bytes are read, so that no write of them goes unseen.
    if (this.reader.readable(pc) === 0 || !this.cache.isCode(page)) return undefined;
    const isNextCode = this.cache.isCode(page + 1);
    const tb = this.kept.get(pc) ?? this.lift(pc);
    const last = Math.floor((pc + Math.max(tb.size, 1) - 1) / PAGE_SIZE);
    if (last !== page && !isNextCode) return undefined;
    this.kept.set(pc, tb);
    return tb;
  }

  private forget(): void {
    const { generation } = this.cache;
    const preciseFloat = isFloatPrecise(this.views);
    if (generation === this.generation && preciseFloat === this.preciseFloat && this.kept.size < MAX_KEPT) return;
    this.generation = generation;
    this.preciseFloat = preciseFloat;
    this.kept.clear();
  }

  private lift(pc: number): Tb {
    const { decode, passes } = this.options;
    const tb = translate(this.reader, pc, { maxInsns: MAX_TB_INSNS, decode, preciseFloat: this.preciseFloat });
    return optimise(tb, passes);
  }
}
