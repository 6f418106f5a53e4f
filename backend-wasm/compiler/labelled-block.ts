/**
 * Blocks that branches leave by a label. In: a label and expressions. Out: a block without a result.
 *
 * Binaryen, given all of a block at once, looks through it for branches to the label as soon as one of the expressions does not fall through: where such blocks nest, as the exits of a region do, that is quadratic
 * (a tenth of the compile worker's time). So it is given an empty one, which is then filled.
 */
import binaryen from 'binaryen';
import type { Expr } from './flow.js';

/** Part of binaryen.js that its typings lack. */
interface BlockFunctions {
  appendChild(block: Expr, child: Expr): void;
}
const { Block } = binaryen as unknown as { readonly Block: BlockFunctions };

export function labelledBlock(m: binaryen.Module, label: string, code: readonly Expr[]): Expr {
  const block = m.block(label, [], binaryen.none);
  for (const expr of code) Block.appendChild(block, expr);
  return block;
}
