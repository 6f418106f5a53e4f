/**
 * The optimisations of the compiler that can be left out. In: names for --disable-pass. Out: which are on. What a region computes is the same without any of them.
 */
export const REGION_PASSES = [
  /** Accesses at constant distances from one base share a check (guard-plan.ts). */
  'guard-groups',
  /** What all paths have checked needs no check (guard-facts.ts). */
  'guard-facts',
  /** Loops that share a header are nested (split-loops.ts). */
  'split-loops',
  /** Small functions are inlined; src/engine/region.ts asks for it when it forms the region. */
  'inline',
] as const;

export type RegionPass = (typeof REGION_PASSES)[number];

export class RegionPasses {
  private readonly off: ReadonlySet<string>;

  /** @param disabled names; others than those of REGION_PASSES are not the compiler's */
  constructor(disabled: readonly string[] = []) {
    this.off = new Set(disabled);
  }

  on(pass: RegionPass): boolean {
    return !this.off.has(pass);
  }
}
